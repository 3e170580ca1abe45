//! Looks for the dataset: absent before set-up, present and in its place after it.

use super::catalog::NOT_YET;
use super::classify::Failure;
use super::client::Request;
use super::reply::{Dataset, dataset};
use super::{BigQuery, Connected, advice};
use crate::domain::{Class, FactKind, Finding};
use crate::platforms::Seen;
use crate::platforms::tested::Passed;

impl BigQuery {
    /// Checks that the dataset is absent; the value is false when that is unknown.
    pub(super) async fn not_yet(&self, connected: &Connected<'_>) -> Result<Passed<bool>, Finding> {
        let Err(failure) = self.look(connected).await else {
            let fix = format!("Delete the dataset {}, or change `dataset`.", self.name(connected));
            return Err(Finding::new(Class::Invalid, NOT_YET.message).fix(fix));
        };
        let name = self.name(connected);
        let finding = |doing: String| {
            let text = format!("{doing}: {}", failure.detail);
            failure.evident(Finding::new(failure.class, text))
        };
        match failure.class {
            Class::Missing => Ok(true.into()),
            Class::Denied => {
                let finding = finding(format!("Cannot determine whether dataset [{name}] exists"));
                let subject = &connected.subject;
                let grant = || subject.grant("bigquery.datasets.get", advice::VIEWER);
                let fix = subject.after_looking(&failure).unwrap_or_else(grant);
                let warning = Some(finding.fix(fix));
                Ok(Passed::from(false).warning(warning))
            }
            Class::Invalid
            | Class::Expired
            | Class::Unreachable
            | Class::Throttled
            | Class::Unavailable
            | Class::Local => Err(finding(format!("Unable to look for dataset [{name}]"))),
        }
    }

    /// Checks that the dataset exists, in its configured location. `gone` is set when the failure
    /// is definite, so that permissions are worth asking about all the same.
    pub(super) async fn present(
        &self,
        connected: &Connected<'_>,
        gone: &mut bool,
    ) -> Result<Passed<Dataset>, Finding> {
        let name = self.name(connected);
        let failure = match self.look(connected).await {
            Ok(found) => {
                let seen = Seen::of(FactKind::Grant, &name, "bigquery.datasets.get");
                return Ok(self.located(found, &name).seeing(seen));
            }
            Err(failure) => failure,
        };
        *gone = matches!(failure.class, Class::Missing | Class::Denied);
        let subject = &connected.subject;
        let named = |text: String| failure.evident(Finding::new(failure.class, text));
        Err(match failure.class {
            Class::Missing => named(format!("Dataset [{name}] no longer exists.")).fix(format!(
                "Create the dataset {name} again, undelete it within its time-travel window, or \
                 correct `projectId` and `dataset`."
            )),
            Class::Denied if let Some(fix) = subject.after_looking(&failure) => {
                named(format!("Unable to get dataset [{name}]: {}", failure.detail)).fix(fix)
            }
            Class::Denied => {
                let who = subject.who();
                named(format!(
                    "{who} is missing permission [bigquery.datasets.get] on dataset [{name}]. {}",
                    failure.detail
                ))
                .fix(subject.grant("bigquery.datasets.get", advice::VIEWER))
            }
            Class::Invalid
            | Class::Expired
            | Class::Unreachable
            | Class::Throttled
            | Class::Unavailable
            | Class::Local => {
                let finding = named(format!("Unable to get dataset [{name}]: {}", failure.detail));
                match subject.after_looking(&failure) {
                    Some(fix) => finding.fix(fix),
                    None => finding,
                }
            }
        })
    }

    fn located(&self, found: Dataset, name: &str) -> Passed<Dataset> {
        let (wanted, at) = (self.config.location.as_deref(), found.location.as_deref());
        let Some((wanted, at)) = wanted.zip(at).filter(|(a, b)| !a.eq_ignore_ascii_case(b)) else {
            return found.into();
        };
        let message = format!("Dataset [{name}] is in location [{at}], not [{wanted}].");
        let fix = format!("Set `location` to {at}; a dataset cannot be moved.");
        let warning = Some(Finding::new(Class::Invalid, message).fix(fix));
        Passed::from(found).warning(warning)
    }

    async fn look(&self, connected: &Connected<'_>) -> Result<Dataset, Failure> {
        let project = connected.subject.project.as_str();
        let asked = Request::GetDataset { project, dataset: &self.config.dataset };
        connected.session.call(asked, dataset).await
    }
}
