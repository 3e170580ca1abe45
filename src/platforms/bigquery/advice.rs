//! Subject of a run, and the remediation of its findings.

use super::classify::{Cause, Failure, Refusal};
use super::config::Config;
use super::loaded::RunCredentials;
use super::permissions::{Permission, Verdict};
use crate::domain::{Class, Finding, Redactor};
use crate::platforms::UNVERIFIED;

/// The predefined role to look at datasets with.
pub(super) const VIEWER: &str = "roles/bigquery.metadataViewer";

/// Remediation where something else than Google answers.
const ELSEWHERE: &str = "Something else answers in Google's place, such as a gateway, a proxy or a \
    sign-in page: check `endpoints`, `proxy` and the network between.";

/// Words of the token endpoints and what they ask for, as the reports in `docs/platforms/bigquery.md`
/// have them.
const TOKEN_WORDS: [(&str, &str); 9] = [
    ("Token must be a short-lived token", "Set the clock of this machine, and keep it set."),
    (
        "rejected by the attribute condition",
        "Let the attribute condition of the provider accept this token: gcloud iam \
         workload-identity-pools providers describe shows it.",
    ),
    (
        "does not match the expected audience",
        "Let the token be issued for the provider's audience, or add its audience to the allowed \
         ones of the provider (`--allowed-audiences`).",
    ),
    (
        "parameters is invalid. This might either be because the pool or provider",
        "Correct `audience` in `credential`, or undelete and enable the workload identity pool and \
         its provider.",
    ),
    ("stale to sign-in", "Let the workload's token be renewed in its file: it has expired."),
    (
        "does not match the issuer",
        "Correct the issuer of the workload identity provider: it is not that of the token.",
    ),
    (
        "Unable to parse the",
        "See that the source gives the token itself, of the type in `subject_token_type`.",
    ),
    ("disabled_client", "Enable the service account: gcloud iam service-accounts enable."),
    (
        "credential's issuer",
        "Let Google reach the issuer's discovery document and keys, or upload the keys to the \
         provider (`--jwk-json-path`).",
    ),
];

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
                    "Permission [{name}] on {object} {UNVERIFIED}: it depends on [{whom}] in the \
                     access list."
                );
                Some((Finding::new(Class::Denied, message).fix(grant()), false))
            }
            Verdict::Unasked(failure) => {
                let message =
                    format!("Permission [{name}] on {object} {UNVERIFIED}: {}", failure.detail);
                let finding = failure.evident(Finding::new(failure.class, message));
                let fix = self.after_looking(&failure);
                let finding = match fix {
                    Some(fix) => finding.fix(fix),
                    None => finding,
                };
                Some((finding, false))
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
        let fix = match &failure.cause {
            Cause::NoToken => after_no_token(failure, credentials),
            Cause::Refused(refusal) => self.after_refusal(refusal, failure.class),
            Cause::Near => self.after_near(failure, credentials),
            Cause::Unexpected => Some(ELSEWHERE.to_owned()),
            Cause::Unusable | Cause::NoAnswer => None,
        };
        match fix {
            Some(fix) => finding.fix(fix),
            None => finding,
        }
    }

    /// Returns the remediation for a dataset that could not be looked at, where Google names another
    /// cause than a missing permission or dataset.
    pub(super) fn after_looking(&self, failure: &Failure) -> Option<String> {
        match &failure.cause {
            Cause::Refused(refusal) => self.named(refusal),
            Cause::Unexpected => Some(ELSEWHERE.to_owned()),
            Cause::NoToken | Cause::Near | Cause::Unusable | Cause::NoAnswer => None,
        }
    }

    /// Returns the remediation for a refusal of the metadata server, or of a workload's own source.
    fn after_near(&self, failure: &Failure, credentials: &RunCredentials) -> Option<String> {
        if failure.detail.contains("iam.serviceAccounts.getAccessToken") {
            let account = self.account.as_deref().unwrap_or("the service account");
            let project = &self.project;
            return Some(format!(
                "Bind the pod's identity to the account: gcloud iam service-accounts \
                 add-iam-policy-binding {account} --role=roles/iam.workloadIdentityUser \
                 --member=\"serviceAccount:{project}.svc.id.goog[NAMESPACE/KSA]\"; the pod's \
                 Kubernetes service account names it in iam.gke.io/gcp-service-account."
            ));
        }
        let is_missing = failure.class == Class::Missing;
        (is_missing && matches!(credentials, RunCredentials::Machine))
            .then(|| "Attach a service account to the virtual machine or the pod.".to_owned())
    }

    fn after_refusal(&self, refusal: &Refusal, class: Class) -> Option<String> {
        let Refusal { status, message, .. } = refusal;
        if let Some(fix) = self.named(refusal) {
            return Some(fix);
        }
        if class == Class::Missing {
            return Some(format!("Correct `projectId`; it is {} now.", self.project));
        }
        if *status == 400 && message.contains("location") {
            return Some("Correct `location`.".to_owned());
        }
        (*status == 401).then(|| "See that the service account is there and enabled.".to_owned())
    }

    /// Returns the remediation for a cause that Google names, and that is neither a missing permission
    /// nor a missing object.
    fn named(&self, refusal: &Refusal) -> Option<String> {
        let Refusal { reason, message, .. } = refusal;
        let (project, who) = (&self.project, self.account.as_deref());
        let who = who.unwrap_or("the workload identity");
        if refusal.is_perimeter() {
            return Some(format!(
                "A perimeter of VPC Service Controls keeps the request out: let {who} in by an \
                 ingress rule or an access level of the perimeter; its audit log has the unique \
                 identifier."
            ));
        }
        if let Some(fix) = enabled(refusal, project) {
            return Some(fix);
        }
        let fix = match reason.as_str() {
            "ACCESS_TOKEN_SCOPE_INSUFFICIENT" | "insufficientPermissions" => {
                let scope = "https://www.googleapis.com/auth/cloud-platform";
                format!(
                    "Set `scope` to {scope}, or to another that covers BigQuery; the scopes of a \
                     virtual machine are its own: gcloud compute instances set-service-account \
                     --scopes=cloud-platform"
                )
            }
            "BILLING_DISABLED" => billing(project),
            _ if reason.starts_with("billing") => billing(project),
            "policyViolation" | "ORG_RESTRICTION_VIOLATION" => format!(
                "A policy of the organization forbids the request: its administrator changes it, \
                 for {who} or for project {project}."
            ),
            "USER_PROJECT_DENIED" => format!(
                "Grant roles/serviceusage.serviceUsageConsumer to {who} on project {project}."
            ),
            "CONSUMER_SUSPENDED" => {
                format!("Project {project} is suspended: see its notices in the console.")
            }
            "CONSUMER_INVALID" => format!("Correct `projectId`; it is {project} now."),
            _ if message.contains("iam.serviceAccounts.getAccessToken") => {
                let account = self.account.as_deref().unwrap_or_default();
                format!(
                    "Let the credential make tokens of {account}: grant \
                     roles/iam.workloadIdentityUser on it to the principal of the pool, or \
                     roles/iam.serviceAccountTokenCreator to a service account."
                )
            }
            _ => return None,
        };
        Some(fix)
    }
}

/// Returns the remediation for a refusal of the token endpoint, by its words.
fn after_no_token(failure: &Failure, credentials: &RunCredentials) -> Option<String> {
    let named = TOKEN_WORDS.iter().find(|(words, _)| failure.detail.contains(words));
    if let Some((_, fix)) = named {
        return Some((*fix).to_owned());
    }
    match (failure.class, credentials) {
        (Class::Local, _) => Some("Set the clock of this machine, and keep it set.".to_owned()),
        (Class::Denied | Class::Expired | Class::Missing, RunCredentials::Key(key)) => {
            Some(format!(
                "Make a new key for the service account {}, put it into `credential`, and \
                 delete the old one; see that the account is there and enabled.",
                key.email
            ))
        }
        (
            Class::Denied | Class::Expired | Class::Missing,
            RunCredentials::Workload(_) | RunCredentials::Impersonated(_),
        ) => Some(
            "Check the provider, the attribute condition and the audience of the workload \
             identity pool."
                .to_owned(),
        ),
        (
            Class::Denied
            | Class::Expired
            | Class::Missing
            | Class::Invalid
            | Class::Unreachable
            | Class::Throttled
            | Class::Unavailable,
            _,
        ) => None,
    }
}

fn billing(project: &str) -> String {
    format!("Enable billing for project {project}.")
}

/// Returns the command that enables an API that is off: as `ErrorInfo` names it, or as the words of
/// APIs that send none do.
fn enabled(refusal: &Refusal, project: &str) -> Option<String> {
    let Refusal { disabled, message, reason, .. } = refusal;
    if let Some((service, consumer)) = disabled {
        let project = consumer.trim_start_matches("projects/");
        return Some(format!("Run: gcloud services enable {service} --project={project}"));
    }
    let is_off = message.contains("has not enabled BigQuery")
        || message.contains("has not been used in project")
        || matches!(reason.as_str(), "accessNotConfigured" | "SERVICE_DISABLED");
    let is_other = message.contains("Cloud Resource Manager");
    let service =
        if is_other { "cloudresourcemanager.googleapis.com" } else { "bigquery.googleapis.com" };
    is_off.then(|| format!("Run: gcloud services enable {service} --project={project}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::input::{Faults, Reader, Value};
    use crate::net::exchange::Answer;
    use crate::net::oauth;
    use crate::platforms::bigquery::config;
    use crate::platforms::bigquery::near::near_answer;
    use serde_json::json;

    const ACCOUNT: &str = "immuta@example-project.iam.gserviceaccount.com";

    fn config(changes: &serde_json::Value) -> Config {
        let mut json =
            json!({ "credential": { "file": "/run/key.json" }, "projectId": "example-project" });
        for (key, value) in changes.as_object().unwrap() {
            json[key] = value.clone();
        }
        let value = Value::from_json(&json, &"f:1".into());
        let faults = Faults::default();
        let mut reader = Reader::new(&value, "config", &faults).unwrap();
        let config = config::parse(&mut reader).unwrap();
        reader.finish();
        config
    }

    /// Runs `check` with the subject of an integration that is configured with `changes`.
    fn with_subject(changes: &serde_json::Value, check: impl FnOnce(&Subject<'_>)) {
        let (config, redactor) = (config(changes), Redactor::default());
        let account = Some(ACCOUNT.to_owned());
        let project = "example-project".to_owned();
        check(&Subject { config: &config, project, account, redactor: &redactor });
    }

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: body.as_bytes().to_vec(), ..Answer::default() }
    }

    fn refusal(status: u16, reason: &str, message: &str) -> Failure {
        let errors = json!([{ "reason": reason }]);
        let error = json!({ "error": { "message": message, "errors": errors } });
        Failure::read(&answer(status, &error.to_string()), None)
    }

    /// Reason and message of a refusal with code 403, and the beginning of its remediation.
    const NAMED: [(&str, &str, &str); 17] = [
        (
            "policyViolation",
            "VPC Service Controls: Request is prohibited by organization's policy. \
             vpcServiceControlsUniqueIdentifier: abc",
            "A perimeter of VPC Service Controls keeps the request out",
        ),
        (
            "accessNotConfigured",
            "BigQuery API has not been used in project 7 before or it is disabled.",
            "Run: gcloud services enable bigquery.googleapis.com --project=example-project",
        ),
        (
            "accessDenied",
            "Access Denied: Project x: The project x has not enabled BigQuery.",
            "Run: gcloud services enable bigquery.googleapis.com",
        ),
        (
            "forbidden",
            "Cloud Resource Manager API has not been used in project 7 before or it is disabled.",
            "Run: gcloud services enable cloudresourcemanager.googleapis.com",
        ),
        (
            "insufficientPermissions",
            "Request had insufficient authentication scopes.",
            "Set `scope` to https://www.googleapis.com/auth/cloud-platform",
        ),
        ("ACCESS_TOKEN_SCOPE_INSUFFICIENT", "m", "Set `scope`"),
        ("billingNotEnabled", "m", "Enable billing for project example-project."),
        ("BILLING_DISABLED", "m", "Enable billing for project example-project."),
        ("billingTierLimitExceeded", "m", "Enable billing for project example-project."),
        (
            "policyViolation",
            "Request is disallowed by organization's constraints/gcp.restrictServiceUsage",
            "A policy of the organization forbids the request",
        ),
        ("ORG_RESTRICTION_VIOLATION", "m", "A policy of the organization forbids the request"),
        ("USER_PROJECT_DENIED", "m", "Grant roles/serviceusage.serviceUsageConsumer to immuta@"),
        ("CONSUMER_SUSPENDED", "m", "Project example-project is suspended"),
        ("CONSUMER_INVALID", "m", "Correct `projectId`; it is example-project now."),
        (
            "IAM_PERMISSION_DENIED",
            "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not \
             exist).",
            "Let the credential make tokens of immuta@",
        ),
        (
            "accessDenied",
            "Access Denied: Dataset p:d: Permission bigquery.datasets.get denied on dataset p:d",
            "",
        ),
        ("unheardOf", "m", ""),
    ];

    #[test]
    fn remediation_follows_the_cause_that_google_names() {
        with_subject(&json!({}), |subject| {
            for (reason, message, expected) in NAMED {
                let found = subject.after_looking(&refusal(403, reason, message));
                let found = found.unwrap_or_default();
                assert!(found.starts_with(expected), "{reason} {message}: {found}");
                assert_eq!(found.is_empty(), expected.is_empty(), "{reason} {message}: {found}");
            }
        });
    }

    #[test]
    fn failed_connection_is_advised_by_its_status_where_nothing_is_named() {
        let table = [
            (refusal(404, "notFound", "Not found: Project x"), "Correct `projectId`; it is"),
            (refusal(400, "invalid", "Invalid value for location: nowhere"), "Correct `location`."),
            (refusal(401, "authError", "Invalid Credentials"), "See that the service account is"),
            (refusal(403, "accessDenied", "Access Denied: Project x"), ""),
            (Failure::read(&answer(200, "<p>Sign in</p>"), None), "Something else answers in"),
            (Failure::silent(Class::Unreachable, "no answer"), ""),
        ];
        with_subject(&json!({}), |subject| {
            for (failure, expected) in table {
                let finding = Finding::new(failure.class, "m");
                let found = subject.after_connecting(finding, &failure, &RunCredentials::Machine);
                let fix = found.remediation.unwrap_or_default();
                assert!(fix.starts_with(expected), "{failure:?}: {fix}");
                assert_eq!(fix.is_empty(), expected.is_empty(), "{failure:?}: {fix}");
            }
        });
    }

    #[test]
    fn refused_token_is_advised_by_the_words_of_the_endpoint() {
        let table = [
            (
                "invalid_grant",
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable \
                 timeframe. Check your iat and exp values in the JWT claim.",
                "Set the clock of this machine",
            ),
            (
                "unauthorized_client",
                "The given credential is rejected by the attribute condition.",
                "Let the attribute condition of the provider accept this token",
            ),
            (
                "invalid_grant",
                "The audience in ID Token [x] does not match the expected audience y.",
                "Let the token be issued for the provider's audience",
            ),
            (
                "invalid_target",
                "The target service indicated by the \"audience\" parameters is invalid. This \
                 might either be because the pool or provider is disabled or deleted or because it \
                 doesn't exist.",
                "Correct `audience` in `credential`",
            ),
            (
                "invalid_grant",
                "ID Token issued at 1 is stale to sign-in.",
                "Let the workload's token be renewed in its file",
            ),
            (
                "invalid_grant",
                "The issuer in ID Token a does not match the issuer in the provider.",
                "Correct the issuer of the workload identity provider",
            ),
            ("invalid_request", "Unable to parse the ID Token.", "See that the source gives"),
            ("disabled_client", "The OAuth client was disabled.", "Enable the service account"),
            (
                "invalid_grant",
                "Error connecting to the given credential's issuer.",
                "Let Google reach the issuer's discovery document",
            ),
            ("invalid_grant", "Invalid JWT Signature.", ""),
        ];
        with_subject(&json!({}), |subject| {
            for (error, description, expected) in table {
                let body = json!({ "error": error, "error_description": description });
                let read = oauth::read(&answer(400, &body.to_string()), Timestamp(0));
                let failure = Failure::no_token(read.err().unwrap());
                let finding = Finding::new(failure.class, "m");
                let found = subject.after_connecting(finding, &failure, &RunCredentials::Machine);
                let fix = found.remediation.unwrap_or_default();
                assert!(fix.starts_with(expected), "{description}: {fix}");
                assert_eq!(fix.is_empty(), expected.is_empty(), "{description}: {fix}");
            }
        });
    }

    #[test]
    fn machine_without_an_account_is_advised_to_attach_one() {
        let unbound = "Unable to generate access token; IAM returned 403 Forbidden: Permission \
            'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).";
        let table = [
            (404, "", "Attach a service account to the virtual machine or the pod."),
            (403, unbound, "Bind the pod's identity to the account: gcloud iam service-accounts"),
            (500, "", ""),
        ];
        with_subject(&json!({}), |subject| {
            for (status, body, expected) in table {
                let failure = near_answer(answer(status, body), "Metadata service").unwrap_err();
                let finding = Finding::new(failure.class, "m");
                let found = subject.after_connecting(finding, &failure, &RunCredentials::Machine);
                let fix = found.remediation.unwrap_or_default();
                assert!(fix.starts_with(expected), "{status}: {fix}");
                assert_eq!(fix.is_empty(), expected.is_empty(), "{status}: {fix}");
            }
        });
    }

    #[test]
    fn grant_names_the_own_role_first() {
        let own = json!({ "role": "projects/p/roles/immuta" });
        with_subject(&own, |subject| {
            assert_eq!(
                subject.grant("bigquery.jobs.create", "roles/bigquery.jobUser"),
                format!(
                    "Add bigquery.jobs.create to the role projects/p/roles/immuta, or grant \
                     roles/bigquery.jobUser to serviceAccount:{ACCOUNT} on project example-project."
                )
            );
        });
        with_subject(&json!({}), |subject| {
            let found = subject.grant("bigquery.jobs.create", "roles/bigquery.jobUser");
            assert!(
                found.starts_with("Grant roles/bigquery.jobUser to serviceAccount:"),
                "{found}"
            );
            let bare = Subject { account: None, project: "p".to_owned(), ..*subject };
            assert_eq!(bare.who(), "The workload identity");
            assert!(bare.grant("a", "b").contains("the principal of the workload identity"));
        });
    }
}
