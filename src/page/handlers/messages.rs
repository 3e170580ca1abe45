//! Messages: deliveries, and the receivers that they go to.

use axum::extract::Path;

use super::lists::{ListQuery, ROWS_MAX, frame};
use crate::http::{Kind, Parameter};
use crate::page::integration::DeliveryItem;
use crate::page::overview::ReceiverItem;
use crate::page::templates::{DeliveriesPage, ReceiverPage, ReceiversPage};
use crate::page::viewer::Access;
use crate::page::visit::{Refused, Shown, Visit};
use crate::store::{DeliveryFilter, DeliveryRow, DeliveryState, PAGE_MAX, Page, ReceiverRow};

const STATES: &[&str] = &["pending", "delivered", "failed"];
const DELIVERIES: &[Parameter] = &[
    Parameter::once("integration", Kind::Text, "Only messages about this integration."),
    Parameter::once("receiver", Kind::Text, "Only messages to this receiver."),
    Parameter::once("state", Kind::Words(STATES), "Only messages in this state."),
    Parameter::once("type", Kind::Text, "Only events of this type."),
    Parameter::once("since", Kind::Instant, "Only from this instant on."),
    Parameter::once("until", Kind::Instant, "Only before this instant."),
];

/// List of deliveries, newest first.
pub(crate) async fn deliveries(visit: Visit) -> Shown {
    visit.require(Access::Read)?;
    let list = ListQuery::of(&visit, DELIVERIES)?;
    let text = |name: &str| list.query.text(name).map(str::to_owned);
    let filter = DeliveryFilter {
        state: text("state").and_then(|word| state(&word)),
        receiver: text("receiver"),
        integration: text("integration"),
        kind: text("type").and_then(|name| name.parse().ok()),
        since: list.query.instant("since"),
        until: list.query.instant("until"),
    };
    let page = list.page(&visit, ROWS_MAX)?;
    let found = visit.view().deliveries(filter, page).await;
    let found = found.map_err(|error| visit.unread(&error))?;
    let [first, next] = list.links("/deliveries", found.next.as_ref().map(ToString::to_string));
    let receivers = receivers_of(&visit).await?;
    let names: Vec<_> = receivers.iter().map(|row| row.name.as_str()).collect();
    let own = |(word, chosen): (&str, bool)| (word.to_owned(), chosen);
    visit.html(&DeliveriesPage {
        frame: frame(&visit, &list, "deliveries", "Deliveries"),
        detail: "Messages to receivers, newest first; those about one integration arrive in order.",
        kept: list.kept(&["integration", "state", "receiver"]),
        states: list.choice("state", STATES),
        receivers: list.choice("receiver", &names).into_iter().map(own).collect(),
        deliveries: shown(&visit, &found.rows).await?,
        integration: text("integration").unwrap_or_default(),
        acts: visit.viewer.acts(),
        back: list.pairs.at("/deliveries"),
        first,
        next,
    })
}

fn state(word: &str) -> Option<DeliveryState> {
    use DeliveryState::{Delivered, Failed, Pending};
    [Pending, Delivered, Failed].into_iter().find(|one| one.as_str() == word)
}

/// Returns the deliveries that the caller may see.
async fn shown(visit: &Visit, rows: &[DeliveryRow]) -> Result<Vec<DeliveryItem>, Refused> {
    let seen = visit.seen().await?;
    let is_shown = |row: &&DeliveryRow| match (&seen, &row.integration) {
        (None, _) => true,
        (Some(seen), Some(name)) => seen.contains_key(name),
        (Some(_), None) => false,
    };
    let rows = rows.iter().filter(is_shown);
    Ok(rows.map(|row| DeliveryItem::new(row, &visit.viewer)).collect())
}

/// Returns the receivers; none for a caller that sees a part of the integrations only.
async fn receivers_of(visit: &Visit) -> Result<Vec<ReceiverRow>, Refused> {
    if visit.viewer.is_limited {
        return Ok(Vec::new());
    }
    let found = visit.view().receivers(Page::first(PAGE_MAX)).await;
    Ok(found.map_err(|error| visit.unread(&error))?.rows)
}

/// Receivers with their states.
pub(crate) async fn receivers(visit: Visit) -> Shown {
    visit.require(Access::Read)?;
    let list = ListQuery::of(&visit, &[])?;
    let rows = receivers_of(&visit).await?;
    visit.html(&ReceiversPage {
        frame: frame(&visit, &list, "receivers", "Receivers"),
        detail: "Receivers of messages, as the configuration names them, and those it named before.",
        receivers: rows.iter().map(|row| ReceiverItem::new(row, &visit.viewer)).collect(),
    })
}

/// Receiver with its latest messages.
pub(crate) async fn receiver(Path(name): Path<String>, visit: Visit) -> Shown {
    visit.require(Access::Read)?;
    let list = ListQuery::of(&visit, &[])?;
    let rows = receivers_of(&visit).await?;
    let row = rows.iter().find(|row| row.name == name);
    let row = row.ok_or_else(|| visit.missing("No receiver has this name."))?;
    let filter = DeliveryFilter { receiver: Some(name.clone()), ..DeliveryFilter::default() };
    let found = visit.view().deliveries(filter, Page::first(ROWS_MAX)).await;
    let found = found.map_err(|error| visit.unread(&error))?;
    visit.html(&ReceiverPage {
        frame: frame(&visit, &list, "receivers", &name),
        receiver: ReceiverItem::new(row, &visit.viewer),
        receivers_href: visit.viewer.link("/receivers"),
        deliveries: shown(&visit, &found.rows).await?,
        deliveries_href: visit.viewer.list("/deliveries", "receiver", &name),
        acts: visit.viewer.acts(),
        back: visit.viewer.to("/receivers", &name),
    })
}
