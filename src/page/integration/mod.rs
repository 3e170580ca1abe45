//! Integration: why it has its status, how to repair it, what it shares with others, and everything else that
//! is known of it.

mod history;
mod notices;
mod plot;
mod results;
mod shared;
mod why;

pub(crate) use notices::DeliveryItem;
pub(crate) use results::{Results, word};
pub(crate) use why::{Change, changes, run_href};

use self::history::{Entry, entries};
use self::plot::Plot;
use self::shared::SharedItem;
use self::why::Why;
use super::address;
use super::look::Look;
use super::moment::Moment;
use super::mutes::signed;
use super::overview::Left;
use super::text::{counted, sentence};
use super::viewer::Viewer;
use super::words;
use crate::domain::{FactorKind, Facts, ReportStatus, Weighed, duration_text};
use crate::store::{DeliveryRow, HistoryRow, IntegrationRow, Mark, SharingRow};
use crate::view::{Explanation, FailingRow, config, leaves, parsed};

/// Rows of the store about an integration.
#[derive(Debug)]
pub(crate) struct Rows {
    /// Evidence for the explanation of its status.
    pub(crate) explanation: Explanation,
    /// Latest runs, oldest first.
    pub(crate) marks: Vec<Mark>,
    /// Latest deliveries about it, newest first.
    pub(crate) deliveries: Vec<DeliveryRow>,
    /// Latest runs and status changes, newest first.
    pub(crate) history: Vec<HistoryRow>,
    /// Factors that it shares with others.
    pub(crate) sharing: Vec<SharingRow>,
    /// Facts of its last passing run.
    pub(crate) passed: Facts,
}

/// Fact about an integration: name, text, and an instant with words around it.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    /// Name of the fact.
    pub(crate) name: &'static str,
    /// Text before the instants.
    pub(crate) text: String,
    /// Instants of the fact.
    pub(crate) times: Vec<Moment>,
    /// Text after the instants.
    pub(crate) rest: String,
}

/// Part of the verdict: name, value, explanation.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Name of the part.
    pub(crate) name: &'static str,
    /// Value in a word.
    pub(crate) value: String,
    /// Class of its colour.
    pub(crate) tone: &'static str,
    /// Explanation as a sentence.
    pub(crate) text: String,
    /// Instant of the value.
    pub(crate) at: Option<Moment>,
}

/// Look at the integration that counts for the verdict.
#[derive(Clone, Debug)]
pub(crate) struct LookItem {
    /// Instant of the look.
    pub(crate) at: Moment,
    /// Finding of the look in words.
    pub(crate) seen: String,
    /// Weight of the look.
    pub(crate) weight: u32,
}

impl LookItem {
    /// Look as it is shown.
    pub(crate) fn of(look: &Weighed, viewer: &Viewer) -> Self {
        Self { at: viewer.present.exact(look.at), seen: look.words(), weight: look.weight }
    }
}

/// Page of an integration as it is shown.
#[derive(Clone, Debug)]
pub(crate) struct Detail {
    /// Name of the integration.
    pub(crate) name: String,
    /// Address of its page.
    pub(crate) path: String,
    /// Published name of its platform.
    pub(crate) kind: String,
    /// Link to the integrations of that platform.
    pub(crate) kind_href: String,
    /// Shape and tone of its status.
    pub(crate) look: Look,
    /// Name of its status as published.
    pub(crate) status: &'static str,
    /// True when it is failing.
    pub(crate) is_failing: bool,
    /// Words before the time since when it fails.
    pub(crate) lasting: Option<Moment>,
    /// Facts in the order of the page.
    pub(crate) facts: Vec<Fact>,
    /// Acknowledgement or mutes in words, each with its end.
    pub(crate) mutes: Vec<(String, Moment)>,
    /// Reason of the status, when there is something to explain.
    pub(crate) why: Option<Why>,
    /// Results of the runs that count.
    pub(crate) results: Vec<Results>,
    /// Bars of the latest runs.
    pub(crate) plot: Plot,
    /// Link to all runs; empty in public.
    pub(crate) runs_href: String,
    /// Address of the data of its runs, for the script.
    pub(crate) strip_href: String,
    /// Latest messages about it.
    pub(crate) deliveries: Vec<DeliveryItem>,
    /// Link to all messages.
    pub(crate) deliveries_href: String,
    /// Entries of its history, newest first.
    pub(crate) history: Vec<Entry>,
    /// Factors that it shares with others.
    pub(crate) shared: Vec<SharedItem>,
    /// Link to its outage, when it belongs to one.
    pub(crate) outage: Option<String>,
    /// Parts of the verdict.
    pub(crate) verdict: Vec<Part>,
    /// Looks that count for the verdict.
    pub(crate) looks: Vec<LookItem>,
    /// Leaves of the configuration in force, and of a new one.
    pub(crate) configurations: Vec<(&'static str, Vec<(String, String)>)>,
    /// True when its failure can be acknowledged.
    pub(crate) is_acknowledgeable: bool,
    /// Sentence about its status, for those who listen.
    pub(crate) say: String,
}

impl Detail {
    /// Page of an integration for a viewer.
    pub(crate) fn new(rows: Rows, viewer: &Viewer) -> Self {
        let Rows { explanation, marks, deliveries, history, sharing, passed } = rows;
        let row = &explanation.row;
        let look = Look::of(row.status, row.last_run.as_ref().map(Mark::from).as_ref());
        let is_public = viewer.is_public();
        let hidden = |is_shown: bool| is_shown && !is_public;
        let failing = FailingRow {
            row: row.clone(),
            notices: Vec::new(),
            outage: None,
            acknowledgement: explanation.situation.acknowledgement.clone(),
        };
        let outage = row.outage_id.as_ref().filter(|_| hidden(true));
        let href = address::integration(&row.name, row.id.0);
        let is_failing = row.status.is_error();
        let since = row.failing_since().filter(|_| is_failing);
        Self {
            name: row.name.clone(),
            kind: row.kind.clone(),
            kind_href: viewer.list("/", "type", &row.kind),
            look,
            is_failing,
            status: row.status.as_str(),
            lasting: since.map(|at| viewer.present.lasting(at)),
            facts: facts(&explanation, &sharing, viewer),
            mutes: mutes(&explanation, viewer),
            why: Why::of(&failing, look, &passed, viewer),
            results: results(row, viewer),
            plot: Plot::of(&marks, viewer),
            runs_href: if is_public {
                String::new()
            } else {
                viewer.list("/runs", "integration", &row.name)
            },
            strip_href: format!("/fragment/strip{}", href.trim_start_matches("/i")),
            deliveries: deliveries
                .iter()
                .filter(|_| hidden(true))
                .map(|one| DeliveryItem::new(one, viewer))
                .collect(),
            deliveries_href: viewer.list("/deliveries", "integration", &row.name),
            history: entries(&history, viewer),
            shared: sharing
                .iter()
                .filter(|_| hidden(true))
                .map(|one| SharedItem::new(one, is_failing, viewer))
                .collect(),
            outage: outage.map(|id| viewer.to("/outages", id)),
            verdict: if is_public { Vec::new() } else { verdict(&explanation, viewer) },
            looks: if is_public { Vec::new() } else { looks(&explanation, viewer) },
            configurations: if is_public { Vec::new() } else { configurations(row) },
            is_acknowledgeable: row.incident_id.is_some(),
            say: format!("{} is {}", row.name, look.word()),
            path: viewer.link(&href),
        }
    }
}

/// Returns the single facts, in the order in which they are shown.
fn facts(explanation: &Explanation, sharing: &[SharingRow], viewer: &Viewer) -> Vec<Fact> {
    let (row, present) = (&explanation.row, &viewer.present);
    let plain = |name, text: String| Fact { name, text, times: Vec::new(), rest: String::new() };
    let mut facts = vec![plain("Platform", row.kind.clone())];
    let hosts = sharing.iter().filter(|one| one.factor.kind == FactorKind::Host);
    let hosts: Vec<_> = hosts.map(|one| one.factor.value.clone()).collect();
    if !hosts.is_empty() && !viewer.is_public() {
        facts.push(plain("Host", hosts.join(", ")));
    }
    facts.push(plain("Schedule", format!("{}, {}", words::schedule(&row.cron), row.zone)));
    let is_running = row.lease_until.is_some_and(|until| present.now < until);
    facts.push(match row.next_run_at {
        _ if is_running => plain("Next run", "running now".to_owned()),
        Some(at) => Fact {
            times: vec![present.exact(at), present.within(at)],
            ..plain("Next run", String::new())
        },
        None => plain("Next run", "none".to_owned()),
    });
    let passes = usize::try_from(row.evidence.counters.passes).unwrap_or(usize::MAX);
    facts.push(match row.fingerprint_at {
        Some(at) => {
            let rest = match passes {
                0 => String::new(),
                passes => format!(", {}", counted(passes, "passing run")),
            };
            Fact { times: vec![present.exact(at)], rest, ..plain("Last passed", String::new()) }
        }
        None => plain("Last passed", "never".to_owned()),
    });
    if let Some((at, what)) = &row.expires {
        let left = Left::until(*at, present.now).text;
        let text = if viewer.is_public() { left } else { format!("{what}, {left}") };
        facts.push(plain("Expires next", text));
    }
    let labels: Vec<_> = row.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    if !labels.is_empty() {
        facts.push(plain("Labels", labels.join(" ")));
    }
    facts
}

/// Returns acknowledgement and mutes in words, each with its end.
fn mutes(explanation: &Explanation, viewer: &Viewer) -> Vec<(String, Moment)> {
    let situation = &explanation.situation;
    let acknowledgement = situation.acknowledgement.as_ref().map(|one| {
        let by = if viewer.is_public() { String::new() } else { signed(&one.author, &one.comment) };
        (format!("acknowledged {by}").trim_end().to_owned(), one.until)
    });
    let others = situation.mutes.iter().filter(|mute| !mute.by.starts_with("acknowledgement"));
    let others = others.map(|mute| {
        let by = if viewer.is_public() { String::new() } else { format!(" by {}", mute.by) };
        (format!("muted{by}"), mute.until)
    });
    let all = acknowledgement.into_iter().chain(others);
    all.map(|(text, until)| (text, viewer.present.clock(until))).collect()
}

/// Returns the results of the runs that count: of the new configuration first.
fn results(row: &IntegrationRow, viewer: &Viewer) -> Vec<Results> {
    let candidate = row.candidate.as_ref();
    let new = candidate.and_then(|one| one.last_run.as_ref());
    let title = if candidate.is_some() { "Tests of the configuration in force" } else { "Tests" };
    let new = new.map(|run| Results::of(run, "Tests of the new configuration", viewer));
    let current = row.last_run.as_ref().map(|run| Results::of(run, title, viewer));
    new.into_iter().chain(current).collect()
}

/// Returns what decides about the status, and about the next run.
fn verdict(explanation: &Explanation, viewer: &Viewer) -> Vec<Part> {
    let row = &explanation.row;
    let present = &viewer.present;
    let part = |name, value: &str, text: String| Part {
        name,
        value: value.to_owned(),
        tone: "",
        text,
        at: None,
    };
    let evidence = explanation.evidence();
    let mut parts = Vec::new();
    if let Some(run) = &row.last_run {
        let value = match (run.status, run.class) {
            (ReportStatus::Failed, Some(class)) if class.is_definitive() => "definitive",
            (ReportStatus::Failed, Some(_)) => "transient",
            _ => word(run.status),
        };
        parts.push(part("Rule", value, format!("{}.", sentence(&run.rule))));
    }
    let counters = row.evidence.counters;
    let consecutive = format!("{} failing, {} passing", counters.failures, counters.passes);
    parts.push(part("Consecutive runs", "", consecutive));
    parts.push(part("Evidence", "", evidence.sentence.clone()));
    if let Some(found) = explanation.candidate_evidence() {
        parts.push(part("New configuration", "", found.sentence));
    }
    let waits = match &row.mute {
        Some(mute) => format!("A message waits, by {}.", mute.by),
        None => "No message waits.".to_owned(),
    };
    let changes = explanation.situation.status_changes(row, present.now).len();
    let allowed = explanation.situation.policy.map_or_else(String::new, |policy| {
        let window = duration_text(policy.flap_window);
        format!(
            " {} in {window}, {} are allowed.",
            counted(changes, "status change"),
            policy.flap_flips
        )
    });
    let notified = Look::of(row.notified, None);
    let tone = notified.tone();
    parts.push(Part { tone, ..part("Last notified", row.notified.as_str(), waits + &allowed) });
    let at = row.next_run_at.map(|at| present.exact(at));
    parts.push(Part { at, ..part("Next run", "", explanation.reason(present.now)) });
    parts
}

/// Returns the looks that count, oldest first.
fn looks(explanation: &Explanation, viewer: &Viewer) -> Vec<LookItem> {
    let evidence = explanation.evidence();
    evidence.looks.iter().map(|look| LookItem::of(look, viewer)).collect()
}

/// Returns the leaves of each configuration; every secret is replaced.
fn configurations(row: &IntegrationRow) -> Vec<(&'static str, Vec<(String, String)>)> {
    let mut all = vec![("Configuration", leaves(&config(row)))];
    if let Some(candidate) = &row.candidate {
        all.insert(0, ("New configuration", leaves(&parsed(&candidate.config_shown))));
    }
    all
}
