//! Subject of a run, and the remediation of its findings.

use super::classify::{Cause, Failure, Refusal};
use super::config::Config;
use super::permissions::{Permission, Verdict};
use super::token::RunCredentials;
use crate::domain::{Class, Finding, Redactor};

/// The predefined role to look at datasets with.
pub(super) const VIEWER: &str = "roles/bigquery.metadataViewer";

/// Longest name from an access list that is shown, in characters.
const WHOM_MAX: usize = 200;

/// Project and principal that a run is about.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    /// Configuration of the integration.
    pub(super) config: &'a Config,
    /// Project of the dataset.
    pub(super) project: String,
    /// Address of the service account; none for a workload without one.
    pub(super) account: Option<String>,
    /// Secrets of the run.
    pub(super) redactor: &'a Redactor,
}

impl Subject<'_> {
    /// Returns the principal whose permission is missing.
    pub(super) fn who(&self) -> String {
        match &self.account {
            Some(account) => format!("The service account [{account}]"),
            None => "The workload identity".to_owned(),
        }
    }

    /// Returns the remediation that grants `permission`, which the predefined `role` has.
    pub(super) fn grant(&self, permission: &str, role: &str) -> String {
        let project = &self.project;
        let member = match &self.account {
            Some(account) => format!("serviceAccount:{account}"),
            None => "the principal of the workload identity".to_owned(),
        };
        let own =
            self.config.role.as_ref().map(|own| format!("add {permission} to the role {own}"));
        let other = format!("grant {role} to {member} on project {project}");
        match own {
            Some(own) => format!("A{}, or {other}.", own.trim_start_matches('a')),
            None => format!("G{}.", other.trim_start_matches('g')),
        }
    }

    /// Returns the finding for `permission` by `verdict`, and true when it is certain to be
    /// missing; none when it is there.
    pub(super) fn permission(
        &self,
        permission: Permission,
        verdict: Verdict,
    ) -> Option<(Finding, bool)> {
        let (name, Self { project, config, .. }) = (permission.name(), self);
        let object = if permission.is_of_dataset() {
            format!("dataset [{project}:{}]", config.dataset)
        } else {
            format!("project [{project}]")
        };
        let grant = || self.grant(name, permission.role());
        match verdict {
            Verdict::Granted => None,
            Verdict::Missing => {
                let message = format!("{} is missing permission [{name}] on {object}.", self.who());
                Some((Finding::new(Class::Denied, message).fix(grant()), true))
            }
            Verdict::Untold(whom) => {
                let whom = self.redactor.line(&whom, WHOM_MAX);
                let message = format!(
                    "Permission [{name}] on {object} could not be verified: it depends on [{whom}] \
                     in the access list."
                );
                Some((Finding::new(Class::Denied, message).fix(grant()), false))
            }
            Verdict::Unasked(failure) => {
                let message = format!(
                    "Permission [{name}] on {object} could not be verified: {}",
                    failure.detail
                );
                let finding = failure.evident(Finding::new(failure.class, message));
                Some((enabled(finding, &failure), false))
            }
        }
    }

    /// Returns `finding` with the remediation of a failed connection.
    pub(super) fn after_connecting(
        &self,
        finding: Finding,
        failure: &Failure,
        credentials: &RunCredentials,
    ) -> Finding {
        let fix = match (&failure.cause, failure.class) {
            (Cause::NoToken, Class::Local) => {
                "Set the clock of this machine, and keep it set.".to_owned()
            }
            (Cause::NoToken, Class::Denied | Class::Expired | Class::Missing) => {
                match credentials {
                    RunCredentials::Key(key) => format!(
                        "Make a new key for the service account {}, put it into `credential`, and \
                     delete the old one; see that the account is there and enabled.",
                        key.email
                    ),
                    RunCredentials::Workload(_) => {
                        "Check the provider, the attribute condition and the \
                    audience of the workload identity pool."
                            .to_owned()
                    }
                    RunCredentials::Machine => return finding,
                }
            }
            (Cause::Refused(refusal), _) => match self.after_refusal(refusal, failure.class) {
                Some(fix) => fix,
                None => return enabled(finding, failure),
            },
            (Cause::NoAnswer, Class::Missing) if matches!(credentials, RunCredentials::Machine) => {
                "Attach a service account to the virtual machine or the pod.".to_owned()
            }
            (Cause::NoToken | Cause::NoAnswer, _) => return finding,
        };
        finding.fix(fix)
    }

    fn after_refusal(&self, refusal: &Refusal, class: Class) -> Option<String> {
        let Refusal { status, reason, message, .. } = refusal;
        let of_scope = ["ACCESS_TOKEN_SCOPE_INSUFFICIENT", "insufficientPermissions"];
        if of_scope.contains(&reason.as_str()) {
            let scope = "https://www.googleapis.com/auth/cloud-platform";
            return Some(format!("Set `scope` to {scope}, or to another that covers BigQuery."));
        }
        if reason.starts_with("billing") || reason == "BILLING_DISABLED" {
            return Some(format!("Enable billing for project {}.", self.project));
        }
        if matches!(reason.as_str(), "vpcServiceControls" | "SECURITY_POLICY_VIOLATED") {
            let who = self.account.as_deref().unwrap_or("the workload identity");
            return Some(format!("Let {who} into the service perimeter by an ingress rule."));
        }
        if class == Class::Missing {
            return Some(format!("Correct `projectId`; it is {} now.", self.project));
        }
        if message.contains("iam.serviceAccounts.getAccessToken") {
            let role = "roles/iam.workloadIdentityUser";
            let account = self.account.as_deref().unwrap_or_default();
            return Some(format!("Grant {role} on {account} to the principal of the pool."));
        }
        if *status == 400 && message.contains("location") {
            return Some("Correct `location`.".to_owned());
        }
        (*status == 401).then(|| "See that the service account is there and enabled.".to_owned())
    }
}

/// Returns `finding` with the command that enables a disabled API.
fn enabled(finding: Finding, failure: &Failure) -> Finding {
    let disabled = failure.refusal().and_then(|refusal| refusal.disabled.as_ref());
    match disabled {
        Some((service, consumer)) => {
            let project = consumer.trim_start_matches("projects/");
            finding.fix(format!("Run: gcloud services enable {service} --project={project}"))
        }
        None => finding,
    }
}
