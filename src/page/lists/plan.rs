//! Plan of a new silence: what it would cover, before it is made.

use std::collections::BTreeMap;

use crate::domain::Selection;
use crate::http::{Kind, Parameter, Query};
use crate::page::text::{counted, listed};
use crate::store::TargetRow;

/// Number of names that a plan lists.
const NAMES_MAX: usize = 5;
/// Parameters of the list of silences, with those of a plan.
pub(crate) const SILENCES: &[Parameter] = &[
    Parameter::once("ended", Kind::Flag, "`true` lists those that have ended too."),
    Parameter::once("names", Kind::Text, "Pattern of the names that a new silence covers."),
    Parameter::once("type", Kind::Text, "Platform that a new silence covers."),
    Parameter::once("label", Kind::Label, "Label that a new silence covers."),
];

/// Plan of a new silence: the integrations that it would cover now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// Pattern of names; empty for all.
    pub(crate) names: String,
    /// Platform; empty for all.
    pub(crate) kind: String,
    /// Label; empty for all.
    pub(crate) label: String,
    /// True when a selection was given.
    pub(crate) is_asked: bool,
    /// True when it covers an integration.
    pub(crate) is_useful: bool,
    /// Integrations that it would cover, in words.
    pub(crate) text: String,
}

impl Plan {
    /// Plan of the selection that a query gives, among the integrations that a caller may see.
    pub(crate) fn of(query: &Query, targets: &[TargetRow]) -> Self {
        let text = |name: &str| query.text(name).unwrap_or_default().to_owned();
        let (names, kind, label) = (text("names"), text("type"), text("label"));
        if [&names, &kind, &label].iter().all(|part| part.is_empty()) {
            return Self::default();
        }
        let selection = selection(&names, &kind, &label);
        let covered: Vec<_> = targets
            .iter()
            .filter(|one| selection.fits(one.about()))
            .map(|one| one.name.clone())
            .collect();
        let mut first: Vec<_> = covered.iter().take(NAMES_MAX).cloned().collect();
        let more = covered.len().saturating_sub(first.len());
        if 0 < more {
            first.push(format!("{more} more"));
        }
        let text = match covered.len() {
            0 => "It covers no integration now.".to_owned(),
            number => {
                format!("It covers {} now: {}.", counted(number, "integration"), listed(&first))
            }
        };
        Self { names, kind, label, is_asked: true, is_useful: !covered.is_empty(), text }
    }
}

/// Returns the selection of a form; parts that are empty select all.
pub(crate) fn selection(names: &str, kind: &str, label: &str) -> Selection {
    let one = |text: &str| if text.is_empty() { Vec::new() } else { vec![text.to_owned()] };
    let pair = label.split_once('=');
    let pair = pair.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let labels: BTreeMap<_, _> = pair.into_iter().collect();
    Selection { integrations: one(names), types: one(kind), labels }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::samples;

    fn plan(text: &str, targets: &[TargetRow]) -> Plan {
        Plan::of(&Query::read(text, SILENCES).unwrap(), targets)
    }

    #[test]
    fn plan_says_which_integrations_it_covers() {
        let target = |name: &str| TargetRow { name: name.to_owned(), ..samples::target() };
        let targets: Vec<_> = ["a1", "a2", "a3", "a4", "a5", "a6", "a7", "b"].map(target).into();
        let table = [
            ("", false, ""),
            ("names=b", true, "It covers 1 integration now: b."),
            ("names=a*", true, "It covers 7 integrations now: a1, a2, a3, a4, a5 and 2 more."),
            ("type=Trino", false, "It covers no integration now."),
            ("label=team%3Ddata&names=a1", true, "It covers 1 integration now: a1."),
        ];
        for (query, is_useful, text) in table {
            let plan = plan(query, &targets);
            assert_eq!((plan.is_useful, plan.text.as_str()), (is_useful, text), "{query}");
            assert_eq!(plan.is_asked, !query.is_empty());
        }
    }
}
