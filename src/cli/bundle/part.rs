//! One file of the archive, before it is packed.

/// Part of the archive.
#[derive(Debug)]
pub(super) struct Part {
    /// Name of the file in the archive.
    pub(super) name: &'static str,
    /// Content of the file for people, as a noun.
    pub(super) what: &'static str,
    /// Text of the file.
    pub(super) text: String,
}
