//! Evidence behind the verdict on a run to and from its column, as it weighed at that time. Most runs have none, and
//! a look leaves out what is as in the one before, so that the row of a run stays small.

use serde::{Deserialize, Serialize};

use super::{StoreError, parse};
use crate::domain::{Factor, Siblings, Timestamp, Weighed};

/// The most looks that are kept with a run: the latest ones.
const LOOKS_MAX: usize = 24;

/// Look as it is stored.
#[derive(Debug, Deserialize, Serialize)]
struct Kept {
    /// Milliseconds since the look before, or since 1970.
    #[serde(rename = "a")]
    after: i64,
    /// Finding, unless it is that of the look before.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    seen: Option<String>,
    /// Weight, unless it is that of the look before.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    weight: Option<u32>,
    /// Weight that was missing after it.
    #[serde(rename = "m")]
    missing: u32,
    /// True for the platform's own words, false for an answer that may be of others.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    certain: Option<bool>,
    /// Kind and value of a factor, and the number of those that share it and fail.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    factor: Option<(String, String, u32)>,
    /// Node that made it.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    node: Option<String>,
}

/// Returns the text of the looks that a verdict rests on; none where there are none.
pub(in crate::store) fn text(looks: &[Weighed]) -> Result<Option<String>, StoreError> {
    if looks.is_empty() {
        return Ok(None);
    }
    let latest = looks.get(looks.len().saturating_sub(LOOKS_MAX)..).unwrap_or_default();
    let mut before: Option<&Weighed> = None;
    let mut kept = Vec::with_capacity(latest.len());
    for look in latest {
        let Weighed { at, seen, certain, siblings, weight, missing, node } = look;
        let factor =
            siblings.as_ref().map(|Siblings { factor: Factor { kind, value }, failing }| {
                (kind.as_str().to_owned(), value.clone(), *failing)
            });
        kept.push(Kept {
            after: at.0.saturating_sub(before.map_or(0, |before| before.at.0)),
            seen: Some(seen)
                .filter(|seen| before.is_none_or(|before| before.seen != **seen))
                .cloned(),
            weight: Some(*weight)
                .filter(|weight| before.is_none_or(|before| before.weight != *weight)),
            missing: *missing,
            certain: *certain,
            factor,
            node: node.clone(),
        });
        before = Some(look);
    }
    serde_json::to_string(&kept).map(Some).map_err(document)
}

fn document(source: serde_json::Error) -> StoreError {
    StoreError::Document { table: "run", source }
}

/// Reads the looks from the column.
pub(in crate::store) fn read(text: Option<&str>) -> Result<Vec<Weighed>, StoreError> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let kept: Vec<Kept> = serde_json::from_str(text).map_err(document)?;
    let mut looks: Vec<Weighed> = Vec::with_capacity(kept.len());
    for Kept { after, seen, weight, missing, certain, factor, node } in kept {
        let before = looks.last();
        let siblings = match factor {
            Some((kind, value, failing)) => {
                let factor = Factor { kind: parse("run", &kind)?, value };
                Some(Siblings { factor, failing })
            }
            None => None,
        };
        let look = Weighed {
            at: Timestamp(after.saturating_add(before.map_or(0, |before| before.at.0))),
            seen: seen.or_else(|| Some(before?.seen.clone())).unwrap_or_default(),
            certain,
            siblings,
            weight: weight.or_else(|| Some(before?.weight)).unwrap_or_default(),
            missing,
            node,
        };
        looks.push(look);
    }
    Ok(looks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::FactorKind;

    fn look(at: i64, seen: &str, weight: u32, missing: u32) -> Weighed {
        let (seen, certain, siblings) = (seen.to_owned(), None, None);
        Weighed { at: Timestamp(at), seen, certain, siblings, weight, missing, node: None }
    }

    fn silent() -> Vec<Weighed> {
        let at = 1_795_381_200_000;
        [(0, 75), (30_000, 50), (120_000, 25), (420_000, 0)]
            .map(|(ms, missing)| look(at + ms, "unreachable", 25, missing))
            .into()
    }

    #[test]
    fn evidence_of_a_run_is_read_as_it_was_written() {
        let factor = Factor { kind: FactorKind::Host, value: "db \"x\"".to_owned() };
        let siblings = Some(Siblings { factor, failing: 3 });
        let own = Weighed { certain: Some(true), ..look(9, "denied", 100, 0) };
        let other = Weighed { certain: Some(false), ..look(9, "missing", 50, 50) };
        let shared = Weighed { siblings, ..look(9, "siblings", 50, 0) };
        let earlier = look(3, "passed", 50, 50);
        let from =
            |node: &str| Weighed { node: Some(node.to_owned()), ..look(4, "unreachable", 25, 75) };
        for looks in [
            Vec::new(),
            vec![own.clone()],
            vec![other.clone(), other.clone(), own],
            vec![earlier.clone(), shared.clone(), earlier],
            [silent(), vec![shared, other]].concat(),
            vec![from("a"), from("b \"x\"")],
        ] {
            let text = text(&looks).unwrap();
            assert_eq!(read(text.as_deref()).unwrap(), looks, "{text:?}");
        }
    }

    #[test]
    fn common_evidence_is_short_and_any_is_bounded() {
        let definitive =
            [Weighed { certain: Some(true), ..look(1_795_381_200_000, "denied", 100, 0) }];
        let length = |looks: &[Weighed]| text(looks).unwrap().map_or(0, |text| text.len());
        assert_eq!([length(&[]), length(&definitive), length(&silent())], [0, 57, 110]);
        let many: Vec<_> = (0..100).map(|at| look(at * 1000, "unavailable", 1, 99)).collect();
        let kept = read(text(&many).unwrap().as_deref()).unwrap();
        assert_eq!(kept, many[100 - LOOKS_MAX..], "the latest are kept");
        assert!(length(&many) < 600, "{}", length(&many));
    }

    #[test]
    fn text_that_is_no_evidence_is_an_error() {
        for text in ["", "7", r#"[{"a":1}]"#, r#"[{"a":1,"m":0,"f":["odd","x",1]}]"#] {
            assert!(read(Some(text)).is_err(), "{text}");
        }
        let alone = read(Some(r#"[{"a":1,"m":7}]"#)).unwrap();
        assert_eq!(alone, [look(1, "", 0, 7)], "nothing is before the first");
    }
}
