//! Archive in the format `ustar`, compressed by gzip.

use std::io::{self, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::part::Part;
use crate::domain::Timestamp;

/// Folder that the archive unpacks to.
const FOLDER: &str = "revalidated-bundle";
/// Size of a block of the format.
const BLOCK: usize = 512;
/// Beginning of the checksum's field, which counts as spaces in it.
const CHECKSUM: usize = 148;

/// Returns the archive of some parts.
pub(super) fn archive(parts: &[Part], now: Timestamp) -> io::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    for part in parts {
        let bytes = part.text.as_bytes();
        packed.write_all(&header(part.name, bytes.len(), now))?;
        packed.write_all(bytes)?;
        packed
            .write_all(&vec![0; bytes.len().next_multiple_of(BLOCK).saturating_sub(bytes.len())])?;
    }
    packed.write_all(&[0; 2 * BLOCK])?;
    packed.finish()
}

/// Returns the block before a file's content.
fn header(name: &str, size: usize, now: Timestamp) -> Vec<u8> {
    let mut block = field(&format!("{FOLDER}/{name}"), 100);
    // Mode, user and group, size and time in octal digits.
    for text in ["0000600", "0000000", "0000000"] {
        block.extend(field(text, 8));
    }
    block.extend(field(&format!("{size:011o}"), 12));
    block.extend(field(&format!("{:011o}", now.unix_seconds().max(0)), 12));
    block.extend(*b"        0");
    block.resize(257, 0);
    block.extend(*b"ustar\x0000");
    block.resize(BLOCK, 0);
    let sum: u32 = block.iter().copied().map(u32::from).sum();
    let checksum = format!("{sum:06o}\0 ");
    let rest = block.split_off(CHECKSUM).into_iter().skip(checksum.len());
    block.extend(checksum.into_bytes().into_iter().chain(rest));
    block
}

/// Returns a text that fills a field with zeros after it.
fn field(text: &str, length: usize) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(length, 0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archive_is_unpacked_by_tar() {
        let folder = tempfile::tempdir().unwrap();
        let part = |name, text: &str| Part { name, what: "text", text: text.to_owned() };
        let long = "x".repeat(1025);
        let parts = [part("a.txt", "hello\n"), part("b.txt", &long), part("empty.txt", "")];
        let path = folder.path().join("a.tar.gz");
        std::fs::write(&path, archive(&parts, Timestamp(1_795_428_000_000)).unwrap()).unwrap();
        let done = std::process::Command::new("tar")
            .arg("-xzf")
            .arg(&path)
            .arg("-C")
            .arg(folder.path())
            .status()
            .unwrap();
        assert!(done.success());
        for part in parts {
            let path = folder.path().join(FOLDER).join(part.name);
            assert_eq!(std::fs::read_to_string(path).unwrap(), part.text);
        }
    }
}
