//! Words of the TDS and TLS libraries, which keep the kinds of their errors to themselves, and one of this project.

/// The library's words for a server that does not encrypt.
pub(super) const NO_ENCRYPTION: &str = "Server does not allow the requested encryption level.";
/// The library's words for missing authorities on this side.
pub(super) const NO_AUTHORITIES: [&str; 2] =
    ["no usable CA certificates found", "could not load platform certificates"];
/// The library's words for a certificate whose time is over.
pub(super) const EXPIRED: [&str; 2] = ["handshake: certificate expired", "handshake: Expired"];
/// The words of the TLS library for a connection that ends without a farewell.
pub(super) const CLOSED: &str = "peer closed connection";
/// The words of the TLS library for the refusal of a server.
pub(super) const ALERT: &str = "received fatal alert";
/// Text for every server that is no SQL server.
pub(super) const NO_TDS: &str = "what answers does not speak TDS";
