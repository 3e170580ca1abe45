//! Templates with the values that they print; they are checked when the program is compiled.

use askama::Template;

use super::frame::Frame;
use super::integration::{DeliveryItem, Detail};
use super::lists::{EventItem, OutageItem, Plan, RunItem, RunPage, SilenceItem, Week, WindowItem};
use super::overview::{Overview, ReceiverItem, Row};
use super::report::{Choice as Chosen, Monthly};

/// Words with whether each is chosen.
type Choice<T> = Vec<(T, bool)>;
/// Spans of a mute: value and words.
type Spans = [(&'static str, &'static str); 3];

/// Page of all integrations.
#[derive(Template)]
#[template(path = "overview.html")]
pub(super) struct OverviewPage {
    pub(super) frame: Frame,
    pub(super) page: Overview,
}

/// Parts of the overview that follow every change.
#[derive(Template)]
#[template(path = "fragment_head.html")]
pub(super) struct HeadFragment {
    pub(super) frame: Frame,
    pub(super) page: Overview,
}

/// Row of one integration by itself.
#[derive(Template)]
#[template(path = "row.html")]
pub(super) struct RowFragment {
    pub(super) row: Row,
}

/// Page that says why there is no other one.
#[derive(Template)]
#[template(path = "problem.html")]
pub(super) struct ProblemPage {
    pub(super) frame: Frame,
    pub(super) heading: String,
    pub(super) detail: String,
}

/// Page of one integration.
#[derive(Template)]
#[template(path = "integration.html")]
pub(super) struct IntegrationPage {
    pub(super) frame: Frame,
    pub(super) page: Detail,
    pub(super) acts: bool,
    pub(super) spans: Spans,
}

/// Page of one run.
#[derive(Template)]
#[template(path = "run.html")]
pub(super) struct RunOfIntegration {
    pub(super) frame: Frame,
    pub(super) page: RunPage,
    pub(super) runs_href: String,
}

/// List of runs, newest first.
#[derive(Template)]
#[template(path = "runs.html")]
pub(super) struct RunsPage {
    pub(super) frame: Frame,
    pub(super) heading: String,
    pub(super) detail: &'static str,
    pub(super) integration: String,
    pub(super) kept: Vec<(String, String)>,
    pub(super) result_words: Choice<&'static str>,
    pub(super) classes: Choice<&'static str>,
    pub(super) runs: Vec<RunItem>,
    pub(super) first: Option<String>,
    pub(super) next: Option<String>,
}

/// List of events, newest first.
#[derive(Template)]
#[template(path = "events.html")]
pub(super) struct EventsPage {
    pub(super) frame: Frame,
    pub(super) latest: i64,
    pub(super) events: Vec<EventItem>,
    pub(super) first: Option<String>,
    pub(super) next: Option<String>,
}

/// List of deliveries, newest first.
#[derive(Template)]
#[template(path = "deliveries.html")]
pub(super) struct DeliveriesPage {
    pub(super) frame: Frame,
    pub(super) detail: &'static str,
    pub(super) integration: String,
    pub(super) kept: Vec<(String, String)>,
    pub(super) states: Choice<&'static str>,
    pub(super) receivers: Choice<String>,
    pub(super) deliveries: Vec<DeliveryItem>,
    pub(super) acts: bool,
    pub(super) back: String,
    pub(super) first: Option<String>,
    pub(super) next: Option<String>,
}

/// List of receivers, by name.
#[derive(Template)]
#[template(path = "receivers.html")]
pub(super) struct ReceiversPage {
    pub(super) frame: Frame,
    pub(super) detail: &'static str,
    pub(super) receivers: Vec<ReceiverItem>,
}

/// Page of one receiver.
#[derive(Template)]
#[template(path = "receiver.html")]
pub(super) struct ReceiverPage {
    pub(super) frame: Frame,
    pub(super) receiver: ReceiverItem,
    pub(super) receivers_href: String,
    pub(super) deliveries: Vec<DeliveryItem>,
    pub(super) deliveries_href: String,
    pub(super) acts: bool,
    pub(super) back: String,
}

/// Silences and maintenance windows.
#[derive(Template)]
#[template(path = "silences.html")]
pub(super) struct SilencesPage {
    pub(super) frame: Frame,
    pub(super) silences: Vec<SilenceItem>,
    pub(super) windows: Vec<WindowItem>,
    pub(super) ended_href: Option<String>,
    pub(super) kept: Vec<(String, String)>,
    pub(super) plan: Plan,
    pub(super) spans: Spans,
    pub(super) acts: bool,
    pub(super) back: String,
    pub(super) first: Option<String>,
    pub(super) next: Option<String>,
}

/// Page of one outage.
#[derive(Template)]
#[template(path = "outage.html")]
pub(super) struct OutagePage {
    pub(super) frame: Frame,
    pub(super) outage: OutageItem,
    pub(super) list_href: String,
}

/// List of everything that expires.
#[derive(Template)]
#[template(path = "expiry.html")]
pub(super) struct ExpiryPage {
    pub(super) frame: Frame,
    pub(super) detail: String,
    pub(super) weeks: Vec<Week>,
    pub(super) first: Option<String>,
    pub(super) next: Option<String>,
}

/// Report of a month.
#[derive(Template)]
#[template(path = "report.html")]
pub(super) struct ReportPage {
    pub(super) frame: Frame,
    pub(super) kept: Vec<(String, String)>,
    pub(super) choice: Chosen,
    pub(super) report: Monthly,
    pub(super) first: Option<String>,
    pub(super) next: Option<String>,
}
