//! Evidence of an integration's runs to and from its columns: numbers of consecutive runs, and the looks that
//! count as JSON, which most rows do not have.

use serde::{Deserialize, Serialize};

use super::{StoreError, class, parse};
use crate::domain::{Counters, Evidence, Factor, Look, Past, Siblings, Sight, Timestamp};

/// Name of a passing look in the column.
const PASSED: &str = "passed";
/// Name of failing siblings in the column.
const SIBLINGS: &str = "siblings";

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Stored {
    looks: Vec<StoredLook>,
    failing: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unsteady: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    steady: bool,
}

#[derive(Debug, Deserialize, Serialize)]
struct StoredLook {
    at: i64,
    /// `passed`, `siblings`, or the class of the failure.
    seen: String,
    /// False where the answer may not be the platform's own; left out otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certain: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failing: Option<u32>,
    /// Node that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    node: Option<String>,
}

impl StoredLook {
    fn new(at: Timestamp, seen: &str) -> Self {
        let seen = seen.to_owned();
        Self { at: at.0, seen, certain: None, kind: None, value: None, failing: None, node: None }
    }

    fn of(Look { at, seen, node }: &Look) -> Self {
        let stored = match seen {
            Sight::Passed => Self::new(*at, PASSED),
            Sight::Failed { class, is_certain } => {
                let certain = (!is_certain).then_some(false);
                Self { certain, ..Self::new(*at, class.as_str()) }
            }
            Sight::Siblings(Siblings { factor, failing }) => Self {
                kind: Some(factor.kind.as_str().to_owned()),
                value: Some(factor.value.clone()),
                failing: Some(*failing),
                ..Self::new(*at, SIBLINGS)
            },
        };
        Self { node: node.clone(), ..stored }
    }

    fn look(self) -> Result<Look, StoreError> {
        let seen = match self.seen.as_str() {
            PASSED => Sight::Passed,
            SIBLINGS => {
                let kind = parse("integration", &self.kind.unwrap_or_default())?;
                let factor = Factor { kind, value: self.value.unwrap_or_default() };
                Sight::Siblings(Siblings { factor, failing: self.failing.unwrap_or_default() })
            }
            name => Sight::Failed { class: class(name)?, is_certain: self.certain.unwrap_or(true) },
        };
        Ok(Look { at: Timestamp(self.at), seen, node: self.node })
    }
}

/// Reads evidence from its columns.
pub(in crate::store) fn read(
    counters: Counters,
    text: Option<&str>,
) -> Result<Evidence, StoreError> {
    let Some(text) = text else { return Ok(Evidence { counters, ..Evidence::default() }) };
    let document = |source| StoreError::Document { table: "integration", source };
    let Stored { looks, failing, unsteady, steady } =
        serde_json::from_str(text).map_err(document)?;
    let looks = looks.into_iter().map(StoredLook::look).collect::<Result<_, _>>()?;
    let past = match (unsteady, steady) {
        (true, _) => Past::Unsteady,
        (false, true) => Past::Steady,
        (false, false) => Past::Usual,
    };
    Ok(Evidence { counters, looks, is_failing: failing, past })
}

/// Returns the text of evidence besides its counters; none where nothing is in doubt.
pub(in crate::store) fn text(evidence: &Evidence) -> Result<Option<String>, StoreError> {
    let Evidence { counters: _, looks, is_failing, past } = evidence;
    if looks.is_empty() && !is_failing {
        return Ok(None);
    }
    let looks = looks.iter().map(StoredLook::of).collect();
    let (unsteady, steady) = (*past == Past::Unsteady, *past == Past::Steady);
    let stored = Stored { looks, failing: *is_failing, unsteady, steady };
    let document = |source| StoreError::Document { table: "integration", source };
    serde_json::to_string(&stored).map(Some).map_err(document)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Class, FactorKind};

    #[test]
    fn evidence_is_read_as_it_was_written() {
        let factor = Factor { kind: FactorKind::Host, value: "db".to_owned() };
        let sights = [
            Sight::Failed { class: Class::Missing, is_certain: false },
            Sight::Failed { class: Class::Unreachable, is_certain: true },
            Sight::Siblings(Siblings { factor, failing: 7 }),
            Sight::Passed,
        ];
        let node = |at: i64| (at % 2 == 0).then(|| "a".to_owned());
        let looks: Vec<_> = (0..)
            .zip(sights)
            .map(|(at, seen)| Look { at: Timestamp(at), seen, node: node(at) })
            .collect();
        let counters = Counters { failures: 3, passes: 0 };
        for looks in [looks, Vec::new()] {
            for past in [Past::Usual, Past::Steady, Past::Unsteady] {
                let looks = looks.clone();
                let evidence = Evidence { counters, looks, is_failing: true, past };
                let text = text(&evidence).unwrap().unwrap();
                assert_eq!(read(counters, Some(&text)).unwrap(), evidence, "{text}");
            }
        }
    }

    #[test]
    fn evidence_without_doubt_has_no_text() {
        let counters = Counters { failures: 0, passes: 9 };
        let evidence = Evidence { counters, ..Evidence::default() };
        assert_eq!(text(&evidence).unwrap(), None);
        assert_eq!(read(counters, None).unwrap(), evidence);
    }

    #[test]
    fn text_that_is_not_understood_is_an_error() {
        for text in [
            "",
            "7",
            r#"{"looks":[{"at":1,"seen":"odd"}]}"#,
            r#"{"looks":[{"at":1,"seen":"siblings"}]}"#,
        ] {
            assert!(read(Counters::default(), Some(text)).is_err(), "{text}");
        }
    }
}
