//! `redeliver` and `replay`: owing receivers anew what they were sent, or should have been.

use anyhow::Context as _;
use serde::Serialize;

use super::args::{Global, Redeliver, Replay};
use super::confirm::confirmed;
use super::print::{Answer, Screen, counted, instant, sanitise};
use super::{Trouble, read, receivers};
use crate::daemon;
use crate::domain::{DeliveryId, Timestamp};
use crate::store::{Control, DeliveryState, Redelivered, Replayed};

/// A delivery that is owed anew, as programs get it.
#[derive(Debug, Serialize)]
struct Again<'a> {
    id: i64,
    receiver: &'a str,
    was: &'static str,
    state: &'static str,
}

/// Owes deliveries anew under their events' ids.
pub(super) fn answer(global: &Global, args: &Redeliver, screen: Screen) -> Result<Answer, Trouble> {
    let path = read::path(global, &args.source)?;
    let mut control = Control::open(&path).context("opening the store")?;
    let ids: Vec<_> = args.ids.iter().copied().map(DeliveryId).collect();
    let owed = match control.redeliver(&ids, screen.now).context("changing the store")? {
        Redelivered::Owed(owed) => owed,
        Redelivered::Unknown(unknown) => {
            let ids: Vec<_> = unknown.iter().map(|id| id.0.to_string()).collect();
            let ids = ids.join(", ");
            let message = format!("no delivery has the id {ids}; nothing was changed");
            return Err(Trouble::Usage(message));
        }
    };
    if args.form.json {
        let shapes: Vec<_> = owed
            .iter()
            .map(|(id, receiver, was)| Again {
                id: id.0,
                receiver,
                was: was.as_str(),
                state: DeliveryState::Pending.as_str(),
            })
            .collect();
        return Ok(Answer::json(&shapes)?);
    }
    Ok(Answer::good(owed.iter().map(line).collect()))
}

fn line((id, receiver, was): &(DeliveryId, String, DeliveryState)) -> String {
    let (id, receiver) = (id.0, sanitise(receiver));
    if was.has_ended() {
        format!("{id}: owed to {receiver} again; it was {}.\n", was.as_str())
    } else {
        format!("{id}: owed to {receiver} already.\n")
    }
}

/// What a replay owes, as programs get it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Plan<'a> {
    receiver: &'a str,
    events: u64,
    integrations: u64,
    already_owed: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

/// Owes a receiver the events of a time anew, once somebody has agreed.
pub(super) fn replay(global: &Global, args: &Replay, screen: Screen) -> Result<Answer, Trouble> {
    let assembly = daemon::open(global.config.as_deref())?;
    let found = assembly.receivers.iter().find(|one| one.name == args.receiver);
    let Some(receiver) = found else {
        let known: Vec<_> = assembly.receivers.iter().map(|one| one.name.as_str()).collect();
        return Err(receivers::unknown(&args.receiver, &known));
    };
    let path = args.source.store.as_ref().unwrap_or(&assembly.settings.store);
    let mut control = Control::open(path).context("opening the store")?;
    let span = (args.since.from(screen.now), args.until.map(|until| until.from(screen.now)));
    let wanting = &receiver.subscription;
    let plan = control.plan_replay(wanting, span).context("reading the store")?;
    refuse_too_much(plan)?;
    let mut done = plan;
    if 0 < plan.events {
        confirmed(args.yes, &told(&receiver.name, plan, "is to be told again of"))?;
        done = control.replay(wanting, span, screen.now).context("changing the store")?;
        refuse_too_much(done)?;
    }
    if args.form.json {
        return Ok(Answer::json(&shape(&receiver.name, done))?);
    }
    Ok(Answer::good(told(&receiver.name, done, "is owed again") + "\n"))
}

fn refuse_too_much(plan: Replayed) -> Result<(), Trouble> {
    if !plan.is_too_much {
        return Ok(());
    }
    let message = "more than 20,000 events; take a shorter time by --since and --until";
    Err(Trouble::Usage(message.to_owned()))
}

fn shape(receiver: &str, replayed: Replayed) -> Plan<'_> {
    let Replayed { events, integrations, already_owed, span, .. } = replayed;
    let (first, last) = span.unzip();
    Plan { receiver, events, integrations, already_owed, first, last }
}

fn told(receiver: &str, replayed: Replayed, what: &str) -> String {
    let count = |number: u64, thing| counted(usize::try_from(number).unwrap_or(usize::MAX), thing);
    let Replayed { events, integrations, already_owed, span, .. } = replayed;
    let (events, integrations) = (count(events, "event"), count(integrations, "integration"));
    let (first, last) = span.unzip();
    let span = match span {
        Some(_) => format!(", from {} to {}", instant(first), instant(last)),
        None => String::new(),
    };
    let owed = match already_owed {
        0 => String::new(),
        more => format!("; {more} more owed already"),
    };
    format!("{} {what} {events} about {integrations}{span}{owed}.", sanitise(receiver))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_a_sentence() {
        let span = Some((Timestamp(0), Timestamp(60_000)));
        let plan =
            Replayed { events: 3, integrations: 1, already_owed: 0, span, is_too_much: false };
        assert_eq!(
            told("on-call", plan, "is owed again"),
            "on-call is owed again 3 events about 1 integration, from 1970-01-01T00:00:00Z to \
             1970-01-01T00:01:00Z."
        );
        let none = Replayed { already_owed: 2, ..Replayed::default() };
        assert_eq!(
            told("a\u{1b}", none, "is owed again"),
            "a\\u{1b} is owed again 0 events about 0 integrations; 2 more owed already."
        );
        assert!(refuse_too_much(Replayed { is_too_much: true, ..plan }).is_err());
        let json = serde_json::to_value(shape("a", plan)).unwrap();
        assert_eq!(json["last"], "1970-01-01T00:01:00Z");
    }

    #[test]
    fn each_delivery_says_what_it_was() {
        let owed = |state| line(&(DeliveryId(7), "on-call".to_owned(), state));
        let failed = owed(DeliveryState::Failed);
        assert_eq!(failed, "7: owed to on-call again; it was failed.\n");
        assert_eq!(owed(DeliveryState::Pending), "7: owed to on-call already.\n");
    }
}
