//! `deliveries`: deliveries of events to receivers, whatever their state.

use super::args::{Deliveries, DeliverySort, Global};
use super::error::CommandError;
use super::print::{Answer, Column, Screen, Table, Tone, ago, ahead, sanitise, tally, toned};
use super::read;
use crate::domain::Timestamp;
use crate::store::{AttemptRow, DeliveryFilter, DeliveryRow, DeliveryState, Listed};
use crate::view::Delivery;

/// Lists the deliveries that match.
pub(super) async fn answer(
    global: &Global,
    args: Deliveries,
    screen: Screen,
) -> Result<Answer, CommandError> {
    let view = read::view(global, &args.source).await?;
    let filter = filter(&args, screen.now);
    let read = async |page| view.deliveries(filter.clone(), page).await;
    let Listed { rows, next } = read::rows(args.limit, args.after, read).await?;
    let rows = sorted(rows, args.sort);
    // Nothing to show for a mistyped name would be taken for good news.
    if let Some(name) = args.integration.filter(|_| rows.is_empty()) {
        read::integration(&view, &name).await?;
    }
    let answer = if args.form.json {
        let shapes: Vec<_> = rows.iter().map(Delivery::from).collect();
        Answer::json(&shapes)?
    } else {
        Answer::good(text(&rows, screen))
    };
    Ok(answer.with_next(next.as_ref()))
}

fn filter(args: &Deliveries, now: Timestamp) -> DeliveryFilter {
    DeliveryFilter {
        state: args.state,
        receiver: args.receiver.clone(),
        integration: args.integration.clone(),
        kind: args.kind,
        since: args.since.map(|moment| moment.from(now)),
        until: args.until.map(|moment| moment.from(now)),
    }
}

/// Sorts deliveries that come by number; what is not due any more, or about no integration, is last.
fn sorted(mut rows: Vec<DeliveryRow>, sort: DeliverySort) -> Vec<DeliveryRow> {
    match sort {
        DeliverySort::Id => {}
        DeliverySort::Next => rows.sort_by_key(|row| (row.state.has_ended(), row.due_at)),
        DeliverySort::Receiver => rows.sort_by(|one, other| one.receiver.cmp(&other.receiver)),
        DeliverySort::Integration => rows.sort_by(|one, other| {
            let key = |row: &DeliveryRow| (row.integration.is_none(), row.integration.clone());
            key(one).cmp(&key(other))
        }),
    }
    rows
}

pub(super) fn text(rows: &[DeliveryRow], screen: Screen) -> String {
    if rows.is_empty() {
        return "No deliveries.\n".to_owned();
    }
    let columns = [
        Column::whole("ID"),
        Column::whole("CREATED").dropped(2),
        Column::name("INTEGRATION"),
        Column::whole("SEQ").dropped(1),
        Column::whole("EVENT").dropped(4),
        Column::name("RECEIVER"),
        Column::whole("STATE"),
        Column::whole("ATTEMPTS").dropped(3),
        Column::whole("NEXT"),
        Column::text("LAST ATTEMPT"),
    ];
    let mut table = Table::new(screen, columns);
    for row in rows {
        table.row([
            row.id.0.to_string(),
            screen.instant(Some(row.created_at)),
            row.integration.as_deref().map_or("-".into(), sanitise).into_owned(),
            row.sequence.to_string(),
            row.kind.as_str().to_owned(),
            sanitise(&row.receiver).into_owned(),
            state_word(row.state),
            // The first of many are not kept.
            row.attempts.last().map_or(0, |attempt| attempt.number).to_string(),
            next(row, screen),
            row.attempts.last().map_or("-".to_owned(), |attempt| last(attempt, screen)),
        ]);
    }
    let states = tally(rows.iter().map(|row| row.state.as_str()));
    let deliveries = if rows.len() == 1 { "delivery" } else { "deliveries" };
    format!("{}\n{} {deliveries}: {states}.\n", table.text(), rows.len())
}

fn state_word(state: DeliveryState) -> String {
    let tone = match state {
        DeliveryState::Pending => Tone::Caution,
        DeliveryState::Delivered => Tone::Good,
        DeliveryState::Failed => Tone::Bad,
    };
    toned(state.as_str(), tone)
}

fn next(row: &DeliveryRow, screen: Screen) -> String {
    match (row.state, row.behind) {
        (DeliveryState::Pending, Some(id)) => format!("behind #{}", id.0),
        (DeliveryState::Pending, None) => ahead(screen.now, row.due_at),
        (DeliveryState::Delivered | DeliveryState::Failed, _) => "-".to_owned(),
    }
}

/// Returns the result of the latest attempt, with its age.
fn last(attempt: &AttemptRow, screen: Screen) -> String {
    let age = ago(screen.now, attempt.started_at);
    let detail = sanitise(&attempt.detail);
    match attempt.code {
        Some(code @ 200..=299) => format!("{code}, {age}"),
        Some(code) if detail.is_empty() => format!("{code}, {age}"),
        Some(code) => format!("{code}, {age}: {detail}"),
        None => format!("no answer, {age}: {detail}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::args::{Json, Source};
    use super::super::samples;
    use super::*;
    use crate::domain::DeliveryId;

    #[test]
    fn each_delivery_is_one_line() {
        let [failed, pending] = samples::deliveries();
        let expected = "\
ID  CREATED               INTEGRATION  SEQ  EVENT                          RECEIVER  STATE    ATTEMPTS  NEXT    LAST ATTEMPT
1   2026-11-23T09:56:40Z  lake         17   integration.validation.failed  on-call   failed   2         -       410, 50s ago: gone\\u{202e}
2   2026-11-23T09:56:40Z  lake         17   integration.validation.failed  audit     pending  1         in 30s  no answer, 50s ago: connection refused

2 deliveries: 1 failed, 1 pending.
";
        let shown = text(&[failed, pending], samples::screen());
        assert_eq!(samples::plain(&shown), expected);
        assert_eq!(text(&[], samples::screen()), "No deliveries.\n");
    }

    #[test]
    fn delivery_that_waits_for_another_names_it() {
        let [_, pending] = samples::deliveries();
        let waiting = DeliveryRow { behind: Some(DeliveryId(64)), ..pending };
        let shown = samples::plain(&text(&[waiting], samples::screen()));
        assert!(shown.contains("  behind #64  "), "{shown}");
    }

    #[test]
    fn order_is_by_number_next_attempt_or_name() {
        let [failed, pending] = samples::deliveries();
        let about_none = DeliveryRow { id: DeliveryId(3), integration: None, ..failed.clone() };
        let order = |sort| {
            let rows = sorted(vec![about_none.clone(), pending.clone(), failed.clone()], sort);
            rows.iter().map(|row| row.id.0).collect::<Vec<_>>()
        };
        assert_eq!(order(DeliverySort::Id), [3, 2, 1]);
        assert_eq!(order(DeliverySort::Next), [2, 3, 1]);
        assert_eq!(order(DeliverySort::Receiver), [2, 3, 1]);
        assert_eq!(order(DeliverySort::Integration), [2, 1, 3]);
    }

    #[test]
    fn ages_in_a_filter_count_from_now() {
        let args = Deliveries {
            state: Some(DeliveryState::Failed),
            receiver: None,
            integration: Some("lake".to_owned()),
            kind: None,
            since: Some("1s".parse().unwrap()),
            until: None,
            sort: DeliverySort::Id,
            limit: 7,
            after: None,
            source: Source { store: None },
            form: Json { json: false },
        };
        let filter = filter(&args, Timestamp(5_000));
        assert_eq!(filter.since, Some(Timestamp(4_000)));
        assert_eq!(filter.state, Some(DeliveryState::Failed));
        assert_eq!(filter.integration.as_deref(), Some("lake"));
    }
}
