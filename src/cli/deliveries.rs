//! `deliveries`: what receivers were told, or are still to be told.

use anyhow::Context as _;

use super::args::{Deliveries, Global};
use super::print::{Answer, Page, Table, Tone, ago, ahead, instant, sanitise, toned};
use super::shape::Delivery;
use super::{Trouble, read};
use crate::domain::Timestamp;
use crate::store::{AttemptRow, DeliveryFilter, DeliveryRow, DeliveryState};

/// Lists what matches.
pub(super) async fn answer(
    global: &Global,
    args: Deliveries,
    page: Page,
) -> Result<Answer, Trouble> {
    let view = read::view(global, &args.source)?;
    let (json, about) = (args.form.json, args.integration.clone());
    let rows = view.deliveries(filter(args, page.now)).await.context("reading the store")?;
    // Nothing to show for a mistyped name would be taken for good news.
    if let Some(name) = about.filter(|_| rows.is_empty()) {
        read::integration(&view, &name).await?;
    }
    if json {
        let shapes: Vec<_> = rows.iter().map(Delivery::from).collect();
        return Ok(Answer::json(&shapes)?);
    }
    Ok(Answer::good(text(&rows, page)))
}

fn filter(args: Deliveries, now: Timestamp) -> DeliveryFilter {
    DeliveryFilter {
        state: args.state,
        receiver: args.receiver,
        integration: args.integration,
        since: args.since.map(|moment| moment.from(now)),
        until: args.until.map(|moment| moment.from(now)),
        limit: args.limit,
    }
}

fn text(rows: &[DeliveryRow], page: Page) -> String {
    if rows.is_empty() {
        return "No deliveries.\n".to_owned();
    }
    let headings = [
        "ID",
        "CREATED",
        "INTEGRATION",
        "SEQ",
        "EVENT",
        "RECEIVER",
        "STATE",
        "ATTEMPTS",
        "NEXT",
        "LAST ATTEMPT",
    ];
    let mut table = Table::new(page, 1, headings);
    for row in rows {
        table.row([
            row.id.0.to_string(),
            instant(Some(row.created_at)),
            row.integration.as_deref().map_or("-".into(), sanitise).into_owned(),
            row.sequence.to_string(),
            row.kind.as_str().to_owned(),
            sanitise(&row.receiver).into_owned(),
            state_word(row.state),
            // The first of many are not kept.
            row.attempts.last().map_or(0, |attempt| attempt.number).to_string(),
            next(row, page),
            row.attempts.last().map_or("-".to_owned(), |attempt| last(attempt, page)),
        ]);
    }
    table.text()
}

fn state_word(state: DeliveryState) -> String {
    let tone = match state {
        DeliveryState::Pending => Tone::Caution,
        DeliveryState::Delivered => Tone::Good,
        DeliveryState::Failed => Tone::Bad,
    };
    toned(state.as_str(), tone)
}

fn next(row: &DeliveryRow, page: Page) -> String {
    match row.state {
        DeliveryState::Pending => ahead(page.now, row.due_at),
        DeliveryState::Delivered | DeliveryState::Failed => "-".to_owned(),
    }
}

/// How the latest attempt ended, and when.
fn last(attempt: &AttemptRow, page: Page) -> String {
    let age = ago(page.now, attempt.started_at);
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
    use super::super::args::{Json, Moment, Source};
    use super::super::samples;
    use super::*;
    use std::time::Duration;

    #[test]
    fn each_delivery_is_one_line() {
        let [failed, pending] = samples::deliveries();
        let expected = "\
ID  CREATED               INTEGRATION  SEQ  EVENT                          RECEIVER  STATE    ATTEMPTS  NEXT    LAST ATTEMPT
1   2026-11-23T09:56:40Z  lake         17   integration.validation.failed  on-call   failed   2         -       410, 50s ago: gone\\u{202e}
2   2026-11-23T09:56:40Z  lake         17   integration.validation.failed  audit     pending  1         in 30s  no answer, 50s ago: connection refused
";
        let shown = text(&[failed, pending], samples::page());
        assert_eq!(samples::plain(&shown), expected);
        assert_eq!(text(&[], samples::page()), "No deliveries.\n");
    }

    #[test]
    fn programs_get_every_attempt() {
        let [failed, pending] = samples::deliveries();
        let json = serde_json::to_value([Delivery::from(&failed), Delivery::from(&pending)]);
        let json = json.unwrap();
        assert_eq!(json[0]["attempts"].as_array().unwrap().len(), 2);
        let expected = serde_json::json!({ "number": 2, "startedAt": "2026-11-23T09:59:10Z",
            "durationMs": 40, "code": 410, "detail": "gone\u{202e}" });
        assert_eq!(json[0]["attempts"][1], expected);
        assert_eq!(json[0]["dueAt"], serde_json::Value::Null);
        assert_eq!(json[1]["dueAt"], "2026-11-23T10:00:30Z");
        assert_eq!(json[1]["type"], "integration.validation.failed");
    }

    #[test]
    fn ages_in_a_filter_count_from_now() {
        let args = Deliveries {
            state: Some(DeliveryState::Failed),
            receiver: None,
            integration: Some("lake".to_owned()),
            since: Some(Moment::Ago(Duration::from_secs(1))),
            until: None,
            limit: 7,
            source: Source { store: None },
            form: Json { json: false },
        };
        let filter = filter(args, Timestamp(5_000));
        assert_eq!(filter.since, Some(Timestamp(4_000)));
        assert_eq!((filter.state, filter.limit), (Some(DeliveryState::Failed), 7));
        assert_eq!(filter.integration.as_deref(), Some("lake"));
    }
}
