//! Bodies of recorded answers, which broken variants are made from.

use super::cases;

/// The bodies of every recorded answer of `folder`, to start a `fuzz` from.
pub(in crate::platforms) fn recorded_bodies(folder: &str) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for case in std::fs::read_dir(cases(folder)).unwrap() {
        let case = case.unwrap().path();
        for file in case.read_dir().into_iter().flatten() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "http") {
                let text = std::fs::read_to_string(&path).unwrap();
                let body = text.split_once("\n\n").map_or("", |(_, body)| body);
                found.push(body.as_bytes().to_vec());
            }
        }
    }
    found
}
