//! `redeliver` and `replay`: queue events again for receivers, whether or not they got them.

use anyhow::Context as _;

use super::args::{Global, Redeliver, Replay};
use super::confirm::confirmed;
use super::error::CommandError;
use super::print::{Answer, Screen, counted, sanitise};
use super::{read, receivers};
use crate::domain::{DeliveryId, Location};
use crate::store::{Control, DeliveryState, Redelivered, Replayed, Span};
use crate::view::{ReplayPlan, Requeued};
use crate::webhook::Receiver;

/// Queues deliveries again under the ids of their events.
pub(super) async fn answer(
    global: &Global,
    args: &Redeliver,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let location = read::location(global, &args.change.source)?;
    let mut control =
        Control::open(&location, &args.change.by.name()).await.context("opening the store")?;
    let ids: Vec<_> = args.ids.iter().copied().map(DeliveryId).collect();
    let queued = match control.redeliver(&ids, screen.now).await.context("changing the store")? {
        Redelivered::Queued(queued) => queued,
        Redelivered::Unknown(unknown) => {
            let ids: Vec<_> = unknown.iter().map(|id| id.0.to_string()).collect();
            let ids = ids.join(", ");
            let message = format!("no delivery has the id {ids}; nothing was changed");
            return Err(CommandError::Usage(message));
        }
    };
    if args.change.form.json {
        let shapes: Vec<_> = queued.iter().map(Requeued::from).collect();
        return Ok(Answer::json(&shapes)?);
    }
    Ok(Answer::good(queued.iter().map(line).collect()))
}

fn line(queued: &(DeliveryId, String, DeliveryState)) -> String {
    let (DeliveryId(id), receiver, was) = queued;
    let receiver = sanitise(receiver);
    if was.has_ended() {
        format!("{id}: queued again for {receiver}; it was {}.\n", was.as_str())
    } else {
        format!("{id}: already pending for {receiver}.\n")
    }
}

/// Queues the events of a time again for a receiver, once that was confirmed.
pub(super) async fn replay(
    global: &Global,
    args: &Replay,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let is_asked = |one: &Receiver| one.name == args.receiver;
    let assembly = read::partly(global, |all| all.receivers.iter().any(is_asked))?;
    let found = assembly.receivers.iter().find(|one| one.name == args.receiver);
    let Some(receiver) = found else {
        let known: Vec<_> = assembly.receivers.iter().map(|one| one.name.as_str()).collect();
        return Err(receivers::unknown(&args.receiver, &known));
    };
    let given = args.change.source.store.clone().map(Location::from);
    let location = given.as_ref().unwrap_or(&assembly.settings.store);
    let mut control =
        Control::open(location, &args.change.by.name()).await.context("opening the store")?;
    let until = args.until.map(|until| until.from(screen.now));
    let span = Span { since: args.since.from(screen.now), until };
    let wanting = &receiver.subscription;
    let plan = control.plan_replay(wanting, span).await.context("reading the store")?;
    refuse_too_much(plan)?;
    let mut done = plan;
    if 0 < plan.events {
        confirmed(args.yes, &summary(&receiver.name, plan, "to be queued again", screen))?;
        done = control.replay(wanting, span, screen.now).await.context("changing the store")?;
        refuse_too_much(done)?;
    }
    if args.change.form.json {
        return Ok(Answer::json(&ReplayPlan::new(&receiver.name, done))?);
    }
    Ok(Answer::good(summary(&receiver.name, done, "queued again", screen) + "\n"))
}

fn refuse_too_much(plan: Replayed) -> Result<(), CommandError> {
    if !plan.is_too_much {
        return Ok(());
    }
    let message = "more than 20,000 events; take a shorter time by --since and --until";
    Err(CommandError::Usage(message.to_owned()))
}

fn summary(receiver: &str, replayed: Replayed, what: &str, screen: Screen) -> String {
    let count = |number: u64, thing| counted(usize::try_from(number).unwrap_or(usize::MAX), thing);
    let Replayed { events, integrations, already_pending, span, .. } = replayed;
    let (events, integrations) = (count(events, "event"), count(integrations, "integration"));
    let (first, last) = span.unzip();
    let span = match span {
        Some(_) => format!(", from {} to {}", screen.instant(first), screen.instant(last)),
        None => String::new(),
    };
    let pending = match already_pending {
        0 => String::new(),
        more => format!("; {more} more already pending"),
    };
    format!("{}: {events} about {integrations} {what}{span}{pending}.", sanitise(receiver))
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::domain::Timestamp;

    #[test]
    fn replay_plan_is_a_sentence() {
        let span = Some((Timestamp(0), Timestamp(60_000)));
        let plan =
            Replayed { events: 3, integrations: 1, already_pending: 0, span, is_too_much: false };
        assert_eq!(
            summary("on-call", plan, "queued again", samples::screen()),
            "on-call: 3 events about 1 integration queued again, from 1970-01-01T00:00:00Z to \
             1970-01-01T00:01:00Z."
        );
        let none = Replayed { already_pending: 2, ..Replayed::default() };
        assert_eq!(
            summary("a\u{1b}", none, "queued again", samples::screen()),
            "a\\u{1b}: 0 events about 0 integrations queued again; 2 more already pending."
        );
        assert!(refuse_too_much(Replayed { is_too_much: true, ..plan }).is_err());
    }

    #[test]
    fn each_delivery_says_its_previous_state() {
        let queued = |state| line(&(DeliveryId(7), "on-call".to_owned(), state));
        let failed = queued(DeliveryState::Failed);
        assert_eq!(failed, "7: queued again for on-call; it was failed.\n");
        assert_eq!(queued(DeliveryState::Pending), "7: already pending for on-call.\n");
    }
}
