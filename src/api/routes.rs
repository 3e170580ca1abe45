//! Table of routes: the router and the document are made from it.

use std::future::ready;

use super::asked::PAGE;
use super::document::document;
use super::route::{Method, Route, Shape, object, page};
use super::{
    across, act, badge, changes, daemon, events, feed, integrations, messages, mutes, published,
    report,
};
use crate::http::{Code, Scope};
use crate::view::{FILTERS, RUN_FILTERS};

const NOT_FOUND: &[Code] = &[Code::NotFound];
const TEXT: &[(u16, Shape)] = &[(200, Shape::Text("text/plain"))];
const STREAM: &[(u16, Shape)] = &[(200, Shape::Stream)];

/// Every route of the interface.
pub(super) static ROUTES: &[Route] = &[
    Route::get(
        "/integrations",
        "All integrations but the deleted ones, by id, as the published interface has them.",
        &[(200, Shape::Array("Published"))],
        |asked| Box::pin(published::list(asked)),
    ),
    Route::get(
        "/integrations/{id}",
        "One integration, as the published interface has it; a deleted one while its row is kept.",
        object!("Published"),
        |asked| Box::pin(published::show(asked)),
    )
    .fails(NOT_FOUND),
    Route::get(
        "/integrations/{id}/status",
        "Status of one integration, with the results that led to it.",
        object!("PublishedStatus"),
        |asked| Box::pin(published::status(asked)),
    )
    .fails(NOT_FOUND),
    Route::get(
        "/api/v1/summary",
        "Numbers of integrations by platform and status, daemon faults, outages, receivers, and the next expiry.",
        object!("Summary"),
        |asked| Box::pin(daemon::summary(asked)),
    ),
    Route::get(
        "/api/v1/status",
        "State of the daemon as a whole and what fails: what `status --json` prints.",
        object!("DaemonStatus"),
        |asked| Box::pin(daemon::status(asked)),
    ),
    Route::get(
        "/api/v1/live",
        "Figures that only the process of the daemon knows: runs in progress, lateness, progress of its loops.",
        object!("Live"),
        |asked| Box::pin(daemon::live(asked)),
    ),
    Route::get(
        "/api/v1/integrations",
        "Integrations that fit, in order.",
        &[(200, Shape::Page("ListedIntegration"))],
        |asked| Box::pin(integrations::list(asked)),
    )
    .takes(&[FILTERS, integrations::LIST, PAGE])
    .fails(&[Code::CursorGone]),
    Route::get(
        "/api/v1/integrations/{name}",
        "One integration as published, with what `show --json` adds. The name may be an id when no integration is so named.",
        object!("Integration"),
        |asked| Box::pin(integrations::show(asked)),
    )
    .fails(NOT_FOUND),
    Route::get(
        "/api/v1/integrations/{name}/explain",
        "Evidence for the status, and the plan of the next run.",
        object!("Explained"),
        |asked| Box::pin(integrations::explain(asked)),
    )
    .fails(NOT_FOUND),
    Route::get(
        "/api/v1/integrations/{name}/runs",
        "Runs of one integration, newest first.",
        page!("Run"),
        |asked| Box::pin(integrations::runs(asked)),
    )
    .takes(&[PAGE])
    .fails(&[Code::NotFound, Code::CursorGone]),
    Route::get(
        "/api/v1/integrations/{name}/runs/{id}",
        "One run with its results, details and drift.",
        object!("Run"),
        |asked| Box::pin(integrations::run(asked)),
    )
    .fails(NOT_FOUND),
    Route::get(
        "/api/v1/integrations/{name}/transitions",
        "Status changes of one integration, newest first.",
        page!("Transition"),
        |asked| Box::pin(integrations::transitions(asked)),
    )
    .takes(&[PAGE])
    .fails(&[Code::NotFound, Code::CursorGone]),
    Route::get(
        "/api/v1/integrations/{name}/strip",
        "Latest runs of one integration in short, oldest first.",
        object!("Strip"),
        |asked| Box::pin(across::strip(asked)),
    )
    .takes(&[across::STRIP])
    .fails(NOT_FOUND),
    Route::get(
        "/api/v1/transitions",
        "Status changes of all integrations, newest first; of deleted ones too.",
        page!("AttributedTransition"),
        |asked| Box::pin(across::transitions(asked)),
    )
    .takes(&[across::TRANSITIONS, PAGE])
    .fails(&[Code::CursorGone]),
    Route::get(
        "/api/v1/runs",
        "Runs of all integrations, newest first; of deleted ones too.",
        page!("AttributedRun"),
        |asked| Box::pin(across::runs(asked)),
    )
    .takes(&[RUN_FILTERS, PAGE])
    .fails(&[Code::CursorGone]),
    Route::get(
        "/api/v1/outages",
        "Outages, those that began last first.",
        page!("WholeOutage"),
        |asked| Box::pin(across::outages(asked)),
    )
    .takes(&[across::OUTAGES, PAGE])
    .fails(&[Code::CursorGone]),
    Route::get(
        "/api/v1/outages/{id}",
        "One outage with its integrations.",
        object!("WholeOutage"),
        |asked| Box::pin(across::outage(asked)),
    )
    .fails(NOT_FOUND),
    Route::get(
        "/api/v1/expiries",
        "Credentials, certificates and tokens that end, soonest first.",
        page!("Expiry"),
        |asked| Box::pin(across::expiries(asked)),
    )
    .takes(&[across::EXPIRIES, PAGE])
    .fails(&[Code::CursorGone]),
    Route::get(
        "/api/v1/events",
        "Stored events in the order of their numbers, with the very bodies that receivers get.",
        page!("StoredEvent"),
        |asked| Box::pin(events::list(asked)),
    )
    .takes(&[events::CATCH_UP])
    .fails(&[Code::EventsGone]),
    Route::get(
        "/api/v1/events/stream",
        "Events as they are stored, from a position on; `Last-Event-ID` goes on where a reader was.",
        STREAM,
        |asked| Box::pin(events::stream(asked)),
    )
    .takes(&[events::STREAM])
    .fails(&[Code::EventsGone]),
    Route::get(
        "/api/v1/events/{id}",
        "Body of one event, byte for byte.",
        object!("EventBody"),
        |asked| Box::pin(events::show(asked)),
    )
    .fails(NOT_FOUND),
    Route::get(
        "/api/v1/changes",
        "Notices of what to read again: `integration`, `receiver`, `silence`, `daemon` and `reset`. They are not kept.",
        STREAM,
        |asked| Box::pin(ready(changes::stream(asked))),
    )
    .takes(&[changes::STREAM]),
    Route::get(
        "/api/v1/deliveries",
        "Deliveries that fit, newest first, with their attempts.",
        page!("Delivery"),
        |asked| Box::pin(messages::deliveries(asked)),
    )
    .takes(&[messages::DELIVERIES, PAGE])
    .fails(&[Code::CursorGone]),
    Route::get(
        "/api/v1/deliveries/{id}",
        "One delivery with its attempts.",
        object!("Delivery"),
        |asked| Box::pin(messages::delivery(asked)),
    )
    .fails(NOT_FOUND),
    Route::get(
        "/api/v1/receivers",
        "Receivers with their states and pending deliveries.",
        page!("Receiver"),
        |asked| Box::pin(messages::receivers(asked)),
    )
    .takes(&[messages::RECEIVERS, PAGE])
    .fails(&[Code::CursorGone]),
    Route::get(
        "/api/v1/receivers/{name}",
        "One receiver.",
        object!("Receiver"),
        |asked| Box::pin(messages::receiver(asked)),
    )
    .fails(NOT_FOUND),
    Route::get(
        "/api/v1/silences",
        "Silences and acknowledgements that are open or planned, by id.",
        page!("Silence"),
        |asked| Box::pin(mutes::silences(asked)),
    )
    .takes(&[mutes::SILENCES, PAGE])
    .fails(&[Code::CursorGone]),
    Route::get(
        "/api/v1/silences/{id}",
        "One silence or acknowledgement that is open or planned.",
        object!("Silence"),
        |asked| Box::pin(mutes::silence(asked)),
    )
    .fails(&[Code::NotFound, Code::Ended]),
    Route::get(
        "/api/v1/maintenance",
        "Maintenance windows of the configuration, with their next openings.",
        page!("Window"),
        |asked| Box::pin(ready(mutes::maintenance(&asked))),
    ),
    Route::get(
        "/api/v1/report",
        "Report of a month: time enabled, incidents, means and expiries of each integration, platform and label.",
        object!("MonthlyReport"),
        |asked| Box::pin(report::report(asked)),
    )
    .takes(&[report::REPORT])
    .fails(NOT_FOUND),
    Route::get(
        "/api/v1/catalog",
        "Validation tests of every platform, in the order they run.",
        page!("PlatformTests"),
        |asked| Box::pin(ready(daemon::catalogs(&asked))),
    ),
    Route::get(
        "/api/v1/catalog/{type}",
        "Validation tests of one platform.",
        object!("PlatformTests"),
        |asked| Box::pin(ready(daemon::catalog(&asked))),
    )
    .fails(NOT_FOUND),
    Route::get(
        "/api/v1/audit",
        "What people changed, newest first.",
        page!("Audited"),
        |asked| Box::pin(daemon::audit(asked)),
    )
    .takes(&[daemon::AUDIT, PAGE])
    .fails(&[Code::CursorGone]),
    Route::get(
        "/api/v1/version",
        "Version of the program, and the epoch of the database.",
        object!("Version"),
        |asked| Box::pin(daemon::version(asked)),
    ),
    Route::act(
        Method::Post,
        "/api/v1/integrations/{name}/validate",
        "Asks for a run now. `Prefer: wait=60` waits for its result.",
        &[(200, Shape::Object("Revalidated")), (202, Shape::Object("Revalidated"))],
        |asked| Box::pin(act::validate(asked)),
    )
    .fails(&[Code::NotFound, Code::Conflict, Code::PreconditionFailed, Code::TooManyRequests]),
    Route::act(
        Method::Post,
        "/api/v1/integrations/{name}/acknowledge",
        "Mutes a failure while a person works on it; the same one again answers the first.",
        &[(200, Shape::Object("Silence")), (201, Shape::Object("Silence"))],
        |asked| Box::pin(act::acknowledge(asked)),
    )
    .body("Acknowledge")
    .fails(&[Code::NotFound, Code::Conflict, Code::PreconditionFailed]),
    Route::act(
        Method::Post,
        "/api/v1/silences",
        "Mutes notifications until an instant; the same one again answers the first.",
        &[(200, Shape::Object("Silence")), (201, Shape::Object("Silence"))],
        |asked| Box::pin(act::silence(asked)),
    )
    .body("NewMute")
    .fails(&[Code::Conflict]),
    Route::act(
        Method::Delete,
        "/api/v1/silences/{id}",
        "Ends a silence or an acknowledgement before its time.",
        object!("Silence"),
        |asked| Box::pin(act::end_silence(asked)),
    )
    .fails(&[Code::NotFound, Code::Ended]),
    Route::act(
        Method::Post,
        "/api/v1/deliveries/{id}/redeliver",
        "Queues a delivery that has ended again, under its event's id.",
        object!("Requeued"),
        |asked| Box::pin(act::redeliver(asked)),
    )
    .fails(NOT_FOUND),
    Route::act(
        Method::Post,
        "/api/v1/receivers/{name}/enable",
        "Enables a receiver; what is pending goes out in order.",
        object!("Receiver"),
        |asked| Box::pin(act::enable(asked)),
    )
    .fails(NOT_FOUND),
    Route::act(
        Method::Post,
        "/api/v1/receivers/{name}/disable",
        "Disables a receiver; what is pending waits.",
        object!("Receiver"),
        |asked| Box::pin(act::disable(asked)),
    )
    .fails(NOT_FOUND),
    Route::act(
        Method::Post,
        "/api/v1/receivers/{name}/replay",
        "Plans to queue the events of a time again, and does so when `confirm` is the number that the plan names.",
        object!("ReplayPlan"),
        |asked| Box::pin(act::replay(asked)),
    )
    .body("Replay")
    .fails(&[Code::NotFound, Code::Conflict]),
    Route::act(
        Method::Post,
        "/api/v1/receivers/{name}/test",
        "Sends a signed test message now and answers what came of it; nothing is stored.",
        object!("Pinged"),
        |asked| Box::pin(act::test(asked)),
    )
    .body("TestMessage")
    .fails(&[Code::NotFound, Code::Conflict]),
    Route::get("/healthz", "The process lives.", TEXT, |_asked| Box::pin(ready(Ok(daemon::health()))))
        .scope(Scope::Anonymous),
    Route::get(
        "/readyz",
        "The loops make progress, and the store answers.",
        TEXT,
        |asked| Box::pin(daemon::ready(asked)),
    )
    .scope(Scope::Anonymous),
    Route::get(
        "/metrics",
        "Metrics in the OpenMetrics text format.",
        &[(200, Shape::Text("application/openmetrics-text")), (200, Shape::Text("text/plain"))],
        |asked| Box::pin(daemon::metrics(asked)),
    )
    .scope(Scope::Metrics),
    Route::get(
        "/openapi.json",
        "This document.",
        object!("Document"),
        |_asked| Box::pin(ready(Ok(document()))),
    ),
    Route::get(
        "/feed.atom",
        "Feed of status changes, newest first.",
        &[(200, Shape::Text(feed::ATOM))],
        |asked| Box::pin(feed::feed(asked)),
    )
    .takes(&[feed::FEED])
    .public(|public| public.feed),
    Route::get(
        "/badge.svg",
        "One badge for all integrations that fit.",
        &[(200, Shape::Text(badge::SVG))],
        |asked| Box::pin(badge::svg(asked)),
    )
    .takes(&[badge::SEVERAL])
    .public(|public| public.badges),
    Route::get(
        "/badge.json",
        "The same badge, as shields.io reads it.",
        object!("Badge"),
        |asked| Box::pin(badge::shield(asked)),
    )
    .takes(&[badge::SEVERAL])
    .public(|public| public.badges),
    Route::get(
        "/badge/{file}",
        "Badge of one integration: `NAME.svg`, or `NAME.json` for shields.io.",
        &[(200, Shape::Text(badge::SVG)), (200, Shape::Object("Badge"))],
        |asked| Box::pin(badge::one(asked)),
    )
    .fails(NOT_FOUND)
    .public(|public| public.badges),
];
