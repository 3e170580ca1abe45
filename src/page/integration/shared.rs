//! Factors that an integration shares with others, and how those are: whether the shared part is the cause.

use crate::page::text::counted;
use crate::page::viewer::Viewer;
use crate::store::SharingRow;

/// Factor in a list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SharedItem {
    /// Kind and value of the factor.
    pub(crate) title: String,
    /// Number of others in words.
    pub(crate) others: String,
    /// Names with links, at most a few.
    pub(crate) names: Vec<(String, String)>,
    /// State of the others in words.
    pub(crate) text: String,
}

impl SharedItem {
    /// Entry of a factor of an integration, which fails or not.
    pub(crate) fn new(row: &SharingRow, is_failing: bool, viewer: &Viewer) -> Self {
        let kind = row.factor.kind.as_str();
        let text = match (row.others, row.failing) {
            (0, _) => String::new(),
            (1, 0) if is_failing => format!("passes, so it is not the {kind}"),
            (1, 0) => "passes".to_owned(),
            (1, _) => "fails too".to_owned(),
            (_, 0) if is_failing => format!("all pass, so it is not the {kind}"),
            (_, 0) => "all pass".to_owned(),
            (others, failing) if others == failing => "all of them fail".to_owned(),
            (others, failing) => format!("{failing} of {others} fail"),
        };
        let others = row.named.iter().filter(|_| !viewer.is_limited);
        let names = others.map(|(id, name)| (name.clone(), viewer.integration(name, id.0)));
        Self {
            title: format!("{kind} {}", row.factor.value),
            others: match usize::try_from(row.others).unwrap_or(usize::MAX) {
                0 => "no others".to_owned(),
                others => counted(others, "other"),
            },
            names: names.collect(),
            text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Factor, FactorKind, IntegrationId};
    use crate::page::viewer::Access;
    use crate::page::viewer::samples::viewer;

    fn row(others: u32, failing: u32) -> SharingRow {
        let factor = Factor { kind: FactorKind::Principal, value: "login".to_owned() };
        SharingRow {
            factor,
            others,
            failing,
            named: vec![(IntegrationId(7), "uc/prod".to_owned())],
        }
    }

    #[test]
    fn others_that_pass_rule_the_shared_part_out() {
        let table = [
            (0, 0, true, "no others", ""),
            (1, 0, true, "1 other", "passes, so it is not the principal"),
            (1, 0, false, "1 other", "passes"),
            (1, 1, true, "1 other", "fails too"),
            (2, 0, true, "2 others", "all pass, so it is not the principal"),
            (2, 0, false, "2 others", "all pass"),
            (2, 2, true, "2 others", "all of them fail"),
            (5, 2, true, "5 others", "2 of 5 fail"),
        ];
        for (others, failing, is_failing, number, text) in table {
            let item = SharedItem::new(&row(others, failing), is_failing, &viewer(Access::Read));
            assert_eq!((item.others.as_str(), item.text.as_str()), (number, text));
        }
    }

    #[test]
    fn names_are_left_out_for_those_who_may_not_see_all() {
        let names = |is_limited| {
            let viewer = Viewer { is_limited, ..viewer(Access::Read) };
            SharedItem::new(&row(1, 0), false, &viewer).names
        };
        assert_eq!(names(false), [("uc/prod".to_owned(), "/i/uc%2Fprod".to_owned())]);
        assert!(names(true).is_empty());
    }
}
