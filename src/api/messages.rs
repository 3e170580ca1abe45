//! Lists of deliveries and receivers.

use super::asked::{Asked, json, listed, unread};
use super::route::Handled;
use crate::domain::DeliveryId;
use crate::http::{Code, Kind, Parameter, Problem};
use crate::store::{DeliveryFilter, DeliveryRow, DeliveryState, ReceiverRow};
use crate::view::{Delivery, Receiver, ReceiverState};

/// Parameters of the list of deliveries.
pub(super) const DELIVERIES: &[Parameter] = &[
    Parameter::once(
        "state",
        Kind::Words(&["pending", "delivered", "failed"]),
        "Only deliveries in this state.",
    ),
    Parameter::once("receiver", Kind::Text, "Only deliveries to this receiver."),
    Parameter::once("integration", Kind::Text, "Only deliveries about this integration."),
    Parameter::once("type", Kind::Words(TYPES), "Only events of this type."),
    Parameter::once("since", Kind::Instant, "Only events from this instant on."),
    Parameter::once("until", Kind::Instant, "Only events before this instant."),
];
/// Parameters of the list of receivers.
pub(super) const RECEIVERS: &[Parameter] = &[Parameter::once(
    "state",
    Kind::Words(&["enabled", "failing", "disabled", "removed"]),
    "Only receivers in this state.",
)];
/// Names of the types of events.
const TYPES: &[&str] = &[
    "integration.validation.failed",
    "integration.validation.recovered",
    "integration.validation.reminder",
    "integration.status.changed",
    "integration.validation.warning",
    "integration.flapping.started",
    "integration.flapping.ended",
    "configuration.applied",
    "integrations.outage",
    "integrations.outage.resolved",
    "daemon.degraded",
    "daemon.recovered",
    "receiver.disabled",
    "webhook.ping",
];

/// Handler of `GET /api/v1/deliveries`.
pub(super) async fn deliveries(asked: Asked) -> Handled {
    let query = &asked.query;
    let filter = DeliveryFilter {
        state: query.text("state").and_then(DeliveryState::named),
        receiver: query.text("receiver").map(str::to_owned),
        integration: query.text("integration").map(str::to_owned),
        kind: query.text("type").and_then(|name| name.parse().ok()),
        since: query.instant("since"),
        until: query.instant("until"),
    };
    let mut rows = asked.api.view.deliveries(filter, asked.page()?).await.map_err(unread)?;
    if !asked.sees_all() {
        rows.rows = seen(&asked, rows.rows).await?;
    }
    Ok(listed(&asked, &rows, Delivery::from)?.into())
}

/// Returns the deliveries about integrations that the caller may see.
async fn seen(asked: &Asked, rows: Vec<DeliveryRow>) -> Result<Vec<DeliveryRow>, Problem> {
    let names: std::collections::BTreeSet<String> =
        asked.statuses().await?.into_iter().map(|row| row.name).collect();
    let about =
        |row: &DeliveryRow| row.integration.as_ref().is_some_and(|name| names.contains(name));
    Ok(rows.into_iter().filter(about).collect())
}

/// Handler of `GET /api/v1/deliveries/{id}`.
pub(super) async fn delivery(asked: Asked) -> Handled {
    Ok(json(&Delivery::from(&delivery_of(&asked).await?))?.into())
}

/// Returns the delivery that the path names.
///
/// # Errors
///
/// Fails when there is none that the caller may see.
pub(super) async fn delivery_of(asked: &Asked) -> Result<DeliveryRow, Problem> {
    let id = asked.number("id")?;
    let found = asked.api.view.delivery(DeliveryId(id)).await.map_err(unread)?;
    let mut found = found.into_iter().collect();
    if !asked.sees_all() {
        found = seen(asked, found).await?;
    }
    let unknown = || Problem::new(Code::NotFound, format!("no delivery {id} is kept"));
    found.pop().ok_or_else(unknown)
}

/// Handler of `GET /api/v1/receivers`.
pub(super) async fn receivers(asked: Asked) -> Handled {
    asked.whole()?;
    let mut rows = asked.api.view.receivers(asked.page()?).await.map_err(unread)?;
    if let Some(state) = asked.query.text("state") {
        rows.rows.retain(|row| ReceiverState::from(row).as_str() == state);
    }
    Ok(listed(&asked, &rows, |row| shown(&asked, row))?.into())
}

/// Handler of `GET /api/v1/receivers/{name}`.
pub(super) async fn receiver(asked: Asked) -> Handled {
    let row = receiver_of(&asked).await?;
    Ok(json(&shown(&asked, &row))?.into())
}

/// Receiver, with the scheme and host of its URL.
pub(super) fn shown<'a>(asked: &Asked, row: &'a ReceiverRow) -> Receiver<'a> {
    let sender = asked.api.control.sender(&row.name);
    Receiver::from(row).at(sender.and_then(|sender| sender.origin()))
}

/// Returns the receiver that the path names.
///
/// # Errors
///
/// Fails when there is none, or the caller does not see everything.
pub(super) async fn receiver_of(asked: &Asked) -> Result<ReceiverRow, Problem> {
    asked.whole()?;
    let name = asked.part("name");
    let all = asked.api.view.all_receivers().await.map_err(unread)?;
    let found = all.into_iter().find(|row| row.name == name);
    found.ok_or_else(|| {
        let detail = format!("no receiver is named {}", crate::input::quoted(name));
        Problem::new(Code::NotFound, detail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::EventType;

    #[test]
    fn every_type_of_event_may_be_asked_for() {
        let names: Vec<_> = EventType::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(names, TYPES);
    }
}
