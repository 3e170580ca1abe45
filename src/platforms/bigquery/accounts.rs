//! Tests of the service account, by comparison in memory.

use super::advice::Subject;
use super::catalog::{KEY_FILE, POSTFIX, REUSE};
use super::loaded::{Loaded, RunCredentials};
use super::{BigQuery, PLATFORM};
use crate::domain::{Class, Finding};
use crate::platforms::{Recorder, RunContext};

impl BigQuery {
    /// Runs the three tests of the service account, which need no server.
    pub(super) async fn accounts(
        &self,
        tests: &mut Recorder,
        run: &RunContext,
        loaded: &Loaded,
        subject: &Subject<'_>,
    ) {
        let Some(account) = subject.account.as_deref() else {
            for test in [POSTFIX, KEY_FILE, REUSE] {
                tests.skip(test, "There is no service account to compare.");
            }
            return;
        };
        tests.test(POSTFIX, async || is_of(&subject.project, account)).await;
        match (&self.config.service_account, &loaded.credentials) {
            (Some(wanted), RunCredentials::Key(_)) => {
                tests.test(KEY_FILE, async || is_key_of(account, wanted)).await;
            }
            (None, RunCredentials::Key(_)) => {
                tests.skip(KEY_FILE, "No `serviceAccount` is configured to compare with.");
            }
            (
                _,
                RunCredentials::Workload(_)
                | RunCredentials::Impersonated(_)
                | RunCredentials::Machine,
            ) => {
                tests.skip(KEY_FILE, "There is no key file.");
            }
        }
        if !run.has_other_targets(PLATFORM.kind) && self.config.data_sources.is_empty() {
            tests.skip(REUSE, "No data source credentials are known to revalidated.");
            return;
        }
        tests.test(REUSE, async || self.is_not_reused(account, run)).await;
    }

    fn is_not_reused(&self, account: &str, run: &RunContext) -> Result<(), Finding> {
        let fix = "Make a service account of its own for this integration, with a key of its own.";
        if self.config.data_sources.iter().any(|used| used == account) {
            let detail = format!("[{account}] is one of `dataSourceServiceAccounts`.");
            return Err(Finding::of(REUSE, Class::Invalid, detail).fix(fix));
        }
        let Some(peer) = run.duplicate_target(PLATFORM.kind, account) else { return Ok(()) };
        let detail = format!("[{account}] is also used by the integration [{}].", peer.name);
        Err(Finding::of(REUSE, Class::Invalid, detail).fix(fix))
    }
}

/// Checks that the service account belongs to `project`, by the domain of its address.
///
/// # Errors
///
/// Returns the finding with the expected suffix.
pub(super) fn is_of(project: &str, account: &str) -> Result<(), Finding> {
    let domain = match project.split_once(':') {
        Some((domain, name)) => format!("{name}.{domain}"),
        None => project.to_owned(),
    };
    let suffix = format!("@{domain}.iam.gserviceaccount.com");
    if account.ends_with(&suffix) {
        return Ok(());
    }
    let detail = format!("Expected suffix [{suffix}], found [{account}].");
    let fix = format!("Use a service account of project {project}, or correct `projectId`.");
    Err(Finding::of(POSTFIX, Class::Invalid, detail).fix(fix))
}

fn is_key_of(account: &str, wanted: &str) -> Result<(), Finding> {
    if account == wanted {
        return Ok(());
    }
    let detail = format!("The key is one of [{account}], not of [{wanted}].");
    let fix = format!("Put a key of {wanted} into `credential`, or correct `serviceAccount`.");
    Err(Finding::of(KEY_FILE, Class::Invalid, detail).fix(fix))
}
