//! Actions of `top`, by the statements of the commands of the same names.

use std::time::Duration;

use anyhow::Context as _;

use crate::domain::{Location, Selection, Timestamp, duration_text};
use crate::store::{Control, IntegrationRow, NewSilence, Requested, View};

/// Duration of an acknowledgement.
const ACKNOWLEDGED: Duration = Duration::from_hours(4);
/// Duration of a silence.
const SILENCED: Duration = Duration::from_hours(1);

/// Action on one integration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Act {
    /// Makes it due now.
    Validate,
    /// Says that a person works on its failure.
    Acknowledge,
    /// Mutes its notifications for a while.
    Silence,
}

impl Act {
    /// Returns the question that is asked before.
    pub(super) fn question(self, name: &str) -> String {
        match self {
            Self::Validate => format!("Validate {name} now?"),
            Self::Acknowledge => {
                format!("Acknowledge {name} for {}?", duration_text(ACKNOWLEDGED))
            }
            Self::Silence => format!("Silence {name} for {}?", duration_text(SILENCED)),
        }
    }
}

/// Database that is changed, and the person who does it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// View of the database.
    pub(super) view: &'a View,
    /// Location of the database.
    pub(super) location: &'a Location,
    /// Name of the person.
    pub(super) author: &'a str,
}

/// Does it to the integration of this name; returns what came of it.
pub(super) async fn perform(
    place: Place<'_>,
    act: Act,
    name: &str,
    now: Timestamp,
) -> anyhow::Result<String> {
    let row = place.view.integration(name).await.context("reading the store")?;
    let row = row.context("it is no longer in the store")?;
    let mut control =
        Control::open(place.location, place.author).await.context("opening the store")?;
    let mute = |during| mute(&row, act, place.author, (now, during));
    match act {
        Act::Validate => {
            let requested = control.request(&[row.id], now).await.context("changing the store")?;
            Ok(requested.first().map_or_else(String::new, |one| outcome(&row, *one)))
        }
        Act::Acknowledge if !row.status.is_error() => {
            Ok(format!("{name} is {}; only a failure can be acknowledged.", row.status))
        }
        Act::Acknowledge => {
            let id =
                control.silence(&mute(ACKNOWLEDGED), now).await.context("changing the store")?;
            Ok(format!("{name} is acknowledged, number {id}."))
        }
        Act::Silence => {
            let id = control.silence(&mute(SILENCED), now).await.context("changing the store")?;
            Ok(format!("{name} is muted, silence {id}."))
        }
    }
}

/// Returns the mute of an integration from an instant on, for a while.
fn mute(row: &IntegrationRow, act: Act, author: &str, time: (Timestamp, Duration)) -> NewSilence {
    let (from, during) = time;
    NewSilence {
        acknowledges: (act == Act::Acknowledge).then_some(row.id),
        selection: Selection { integrations: vec![row.name.clone()], ..Selection::default() },
        author: author.to_owned(),
        comment: String::new(),
        from,
        until: from.plus(during),
    }
}

/// Returns what came of the request for a run.
fn outcome(row: &IntegrationRow, requested: Requested) -> String {
    let name = &row.name;
    match requested {
        Requested::Due => format!("{name} is due now."),
        Requested::AfterRun => format!("{name} is due after the run that is under way."),
        Requested::NotValidated(status) => {
            format!("{name} is {status}, so that it is not validated.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::samples::integration;
    use crate::domain::Status;

    #[test]
    fn each_action_asks_and_says_what_came_of_it() {
        assert_eq!(Act::Validate.question("lake"), "Validate lake now?");
        assert_eq!(Act::Acknowledge.question("lake"), "Acknowledge lake for 4h?");
        assert_eq!(Act::Silence.question("lake"), "Silence lake for 1h?");
        let row = integration();
        assert_eq!(outcome(&row, Requested::Due), "lake is due now.");
        let idle = outcome(&row, Requested::NotValidated(Status::Disabled));
        assert_eq!(idle, "lake is disabled, so that it is not validated.");
    }

    #[test]
    fn acknowledgement_names_the_integration_and_a_silence_selects_it() {
        let (row, now) = (integration(), Timestamp(1000));
        let made = |act| mute(&row, act, "anna", (now, SILENCED));
        assert_eq!(made(Act::Acknowledge).acknowledges, Some(row.id));
        let silence = made(Act::Silence);
        assert_eq!((silence.acknowledges, silence.author.as_str()), (None, "anna"));
        assert_eq!(silence.selection.to_string(), "integrations lake");
        assert_eq!((silence.from, silence.until), (now, now.plus(SILENCED)));
    }
}
