//! Broken variants of what others write, for parsers that must bear whatever comes (mutation fuzzing).
//!
//! Each target is a test whose name begins with `fuzz_`.

use std::time::Duration;

/// Feeds `parse` with broken variants of `seeds`: cut, spliced, repeated, with bytes and numbers
/// changed. It must not panic; what it returns does not matter. `REVALIDATED_FUZZ_SECONDS` says for
/// how long, and otherwise it is a fixed number of rounds.
pub(crate) fn fuzz(seeds: &[Vec<u8>], parse: impl Fn(&[u8])) {
    fuzz_for(2_000, seeds, parse);
}

/// Does the same in `rounds`, for a parser that is slow.
pub(crate) fn fuzz_for(rounds: u64, seeds: &[Vec<u8>], parse: impl Fn(&[u8])) {
    use proptest::strategy::{Strategy, ValueTree};
    use proptest::test_runner::TestRunner;

    assert!(!seeds.is_empty(), "nothing to start from");
    #[expect(clippy::disallowed_methods, reason = "a test's own setting")]
    let seconds = std::env::var("REVALIDATED_FUZZ_SECONDS").ok();
    let seconds = seconds.map(|text| text.parse().expect("a number of seconds"));
    let end = seconds.map(|seconds| tokio::time::Instant::now() + Duration::from_secs(seconds));
    let mut runner =
        if end.is_some() { TestRunner::default() } else { TestRunner::deterministic() };
    let change = (0_u8..7, proptest::num::u64::ANY, proptest::num::u64::ANY);
    let plan = proptest::collection::vec(change, 1..8);
    let plan = (proptest::num::usize::ANY, plan);
    let mut done = 0_u64;
    while end.map_or(done < rounds, |end| tokio::time::Instant::now() < end) {
        let (seed, changes) = plan.new_tree(&mut runner).unwrap().current();
        let mut bytes = seeds[seed % seeds.len()].clone();
        for (kind, at, what) in changes {
            mutate(
                &mut bytes,
                kind,
                (at, what),
                &seeds[usize::try_from(at).unwrap() % seeds.len()],
            );
        }
        bytes.truncate(1 << 20);
        parse(&bytes);
        done += 1;
    }
}

fn mutate(bytes: &mut Vec<u8>, kind: u8, (at, what): (u64, u64), other: &[u8]) {
    const WORDS: [&str; 12] = [
        "null",
        "true",
        "-1",
        "1e309",
        "18446744073709551616",
        "[]",
        "{}",
        "\"\"",
        "\\ud800",
        "\u{0}",
        "[[[[[[[[[[[[[[[[",
        "\"a\":",
    ];
    let pick = |number: u64, below: usize| usize::try_from(number).unwrap() % below.max(1);
    let spot = pick(at, bytes.len() + 1);
    match kind {
        0 => bytes.truncate(spot),
        1 => {
            if let Some(byte) = bytes.get_mut(spot) {
                *byte = what.to_le_bytes()[0];
            }
        }
        2 => {
            let word = WORDS[pick(what, WORDS.len())];
            bytes.splice(spot..spot, word.bytes());
        }
        3 => {
            let end = (spot + pick(what, 64)).min(bytes.len());
            bytes.drain(spot..end);
        }
        4 => {
            let end = (spot + pick(what, 256)).min(bytes.len());
            let piece = bytes[spot..end].to_vec();
            bytes.splice(spot..spot, piece.repeat(3));
        }
        5 => {
            let from = pick(what, other.len() + 1);
            bytes.splice(spot.., other[from..].iter().copied());
        }
        _ => {
            // Replaces the JSON value that begins here, if one does.
            let end = bytes[spot..].iter().position(|byte| b",}]".contains(byte));
            let end = spot + end.unwrap_or(0);
            let word = WORDS[pick(what, WORDS.len())];
            bytes.splice(spot..end, word.bytes());
        }
    }
}

/// Returns the content of every file below `folder` with one of these extensions, to start a [`fuzz`] from.
pub(crate) fn files(folder: &str, extensions: &[&str]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(path.to_str().unwrap(), extensions));
        } else if path.extension().is_some_and(|ext| extensions.iter().any(|one| ext == *one)) {
            found.push(std::fs::read(path).unwrap());
        }
    }
    found
}
