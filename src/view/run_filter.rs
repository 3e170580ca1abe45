//! Words by which lists of runs are filtered, the same in the interface and on the page.

use crate::domain::{Class, ReportStatus};
use crate::http::{Kind, Parameter, Query};
use crate::store::RunFilter;

/// Names of the results.
pub(crate) const RESULTS: &[&str] = &["passed", "failed", "warning", "skipped"];
/// Names of the classes.
pub(crate) const CLASSES: &[&str] = &[
    "denied",
    "missing",
    "invalid",
    "expired",
    "unreachable",
    "throttled",
    "unavailable",
    "local",
];
/// Parameters by which a filter of runs is given.
pub(crate) const RUN_FILTERS: &[Parameter] = &[
    Parameter::once("since", Kind::Instant, "Only from this instant on."),
    Parameter::once("until", Kind::Instant, "Only before this instant."),
    Parameter::once("result", Kind::Words(RESULTS), "Only runs with this result."),
    Parameter::once("class", Kind::Words(CLASSES), "Only runs whose result this class decided."),
];

/// Returns the filter that a query gives by [`RUN_FILTERS`], of all integrations.
pub(crate) fn run_filter(query: &Query) -> RunFilter {
    RunFilter {
        since: query.instant("since"),
        until: query.instant("until"),
        result: query.text("result").and_then(result),
        class: query.text("class").and_then(class),
        integration: None,
    }
}

fn result(name: &str) -> Option<ReportStatus> {
    use ReportStatus::{Failed, Passed, Skipped, Warning};
    [Passed, Failed, Warning, Skipped].into_iter().find(|one| one.as_str() == name)
}

fn class(name: &str) -> Option<Class> {
    Class::ALL.iter().copied().find(|one| one.as_str() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_tables_is_one() {
        assert!(RESULTS.iter().all(|name| result(name).is_some()));
        assert!(
            CLASSES.iter().all(|name| class(name).is_some_and(|class| class.as_str() == *name))
        );
    }

    #[test]
    fn filter_has_what_the_query_says() {
        let query = "result=failed&class=denied&since=2026-11-23T10:00:00Z";
        let filter = run_filter(&Query::read(query, RUN_FILTERS).unwrap());
        assert_eq!(filter.result, Some(ReportStatus::Failed));
        assert_eq!(filter.class, Some(Class::Denied));
        assert_eq!(filter.since.map(|at| at.to_string()).as_deref(), Some("2026-11-23T10:00:00Z"));
        assert_eq!((filter.until, filter.integration), (None, None));
    }
}
