//! Test of the catalogs: those that are configured are listed, and each of them works.

use serde_json::json;
use tokio::time::Instant;

use super::catalog::CATALOGS;
use super::classify::Failure;
use super::codes::Remedy;
use super::statement::Statement;
use super::{NAME_MAX, Session, Trino};
use crate::domain::{Class, FactKind, Finding, one_line};
use crate::platforms::tested::Passed;
use crate::platforms::{Recorder, Seen};

/// Most names of catalogs that are shown.
const NAMES_MAX: usize = 10;
/// Most rules that a remedy has.
const RULES_MAX: usize = 3;
/// Most catalogs that are compared with those of another run.
const COMPARED_MAX: usize = 100;

impl Trino {
    /// Runs the test of the catalogs.
    pub(super) async fn catalogs(&self, tests: &mut Recorder, session: &Session<'_>) {
        if self.config.catalogs.is_empty() {
            tests.skip(CATALOGS, "No catalogs are configured; list them in `catalogs`.");
            return;
        }
        let work = async || {
            let mut seen = Seen::default();
            let found = self.listed(session, &mut seen).await;
            let found = match found {
                Ok(()) => self.working(session).await,
                Err(finding) => Err(finding),
            };
            seen.with(found)
        };
        tests.test::<(), _, _>(CATALOGS, work).await;
    }

    /// Checks that every configured catalog is listed, which means visible to the account.
    async fn listed(&self, session: &Session<'_>, seen: &mut Seen) -> Result<(), Finding> {
        let found = session.ask(Statement::Catalogs).await;
        let mut found = found.map_err(|failure| {
            self.failed_that("The catalogs of the cluster could not be listed.", &failure)
        })?;
        found.sort_unstable();
        for name in found.iter().take(COMPARED_MAX) {
            seen.fact(FactKind::Grant, "catalogs", name);
        }
        // Names of catalogs are matched as Trino does: whatever their case.
        let is_missing =
            |name: &&String| !found.iter().any(|found| found.eq_ignore_ascii_case(name));
        let missing: Vec<_> = self.config.catalogs.iter().filter(is_missing).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let verb = if missing.len() == 1 { "does not exist or is" } else { "do not exist or are" };
        let message = format!("{} {verb} not visible to the system account.", named(&missing));
        let user = self.config.user_name();
        let rule = |name: &&String| {
            let name = name.to_lowercase();
            json!({ "catalogs": [{ "user": user, "catalog": name, "allow": "read-only" }] })
        };
        let rules: Vec<_> =
            missing.iter().take(RULES_MAX).map(|name| rule(name).to_string()).collect();
        let fix = format!(
            "Create them, correct `catalogs`, give the system account a `role` that sees them, or \
             let it access them in the rules of the cluster's access control: {}.",
            rules.join(", ")
        );
        Err(Finding::new(Class::Missing, message).fix(fix))
    }

    /// Checks that every configured catalog works: one whose connector did not start is listed all the
    /// same. Those for which no time is left are only listed.
    async fn working(&self, session: &Session<'_>) -> Result<Passed<()>, Finding> {
        let end = session.until().give_up;
        let mut broken: Vec<(&String, Failure)> = Vec::new();
        let mut tried = 0_usize;
        for name in &self.config.catalogs {
            if end <= Instant::now() || session.credentials.is_refused() {
                break;
            }
            tried += 1;
            let lower = name.to_lowercase();
            let Err(failure) = session.ask(Statement::Catalog(&lower)).await else { continue };
            // That its schemas may not be listed says nothing about the catalog.
            if !failure.is_about_table() {
                broken.push((name, failure));
            }
        }
        let Some((_, first)) = broken.first() else {
            let all = self.config.catalogs.len();
            let passed = Passed::from(());
            return Ok(if tried == all {
                passed
            } else {
                passed.saying(format!("{tried} of {all} catalogs were tried, the others listed."))
            });
        };
        let names: Vec<_> = broken.iter().map(|(name, _)| *name).collect();
        let what = match (first.has_remedy(Remedy::Catalog), names.len()) {
            (true, 1) => format!("{} is listed but did not start.", named(&names)),
            (true, _) => format!("{} are listed but did not start.", named(&names)),
            (false, 1) => format!("{} is listed but could not be used.", named(&names)),
            (false, _) => format!("{} are listed but could not be used.", named(&names)),
        };
        Err(self.failed_that(&what, first))
    }
}

/// Returns `The catalog [a]` or `The catalogs [a, b]`, bounded.
fn named(names: &[&String]) -> String {
    let shown: Vec<_> = names.iter().take(NAMES_MAX).map(|name| one_line(name, NAME_MAX)).collect();
    let more = names.len().saturating_sub(NAMES_MAX);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let noun = if names.len() == 1 { "The catalog" } else { "The catalogs" };
    format!("{noun} [{}]{more}", shown.join(", "))
}
