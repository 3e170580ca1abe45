//! Public view: planted words of hosts, principals, configuration, evidence, receivers and remediation.

use super::fleet::Fleet;
use super::{integration_page, overview, overview_page, pages, troubled, viewer};
use crate::domain::{Drift, FactKind, Factor, FactorKind};
use crate::page::overview::Overview;
use crate::page::viewer::Access;

/// Words that no public page may have.
const PLANTED: [&str; 12] = [
    "planted-host",
    "planted-principal",
    "planted-setting",
    "planted-evidence",
    "planted-message",
    "planted-remediation",
    "planted-rule",
    "planted-receiver",
    "planted-author",
    "planted-comment",
    "planted-fact",
    "planted-expiry",
];

/// Plants a word in every text of an integration that may name what is not public.
fn planted() -> crate::page::integration::Rows {
    let mut rows = troubled();
    let word = |name: &str| format!("planted-{name}");
    let explanation = &mut rows.explanation;
    let run = explanation.row.last_run.as_mut().unwrap();
    run.rule = word("rule");
    for test in &mut run.report.tests {
        test.message = Some(word("message"));
        test.remediation = Some(word("remediation"));
        test.evidence = Some(word("evidence"));
    }
    let (lost, gained) = (vec![word("fact")], vec![word("fact")]);
    for siblings in run.evidence.iter_mut().filter_map(|look| look.siblings.as_mut()) {
        siblings.factor.value = word("host");
    }
    run.drift = vec![Drift { kind: FactKind::Grant, of: word("principal"), lost, gained }];
    explanation.runs = vec![run.clone()];
    explanation.row.config_shown = serde_json::json!({ "key": word("setting") }).to_string();
    if let Some((_, what)) = &mut explanation.row.expires {
        *what = word("expiry");
    }
    let situation = &mut explanation.situation;
    let handled = situation.acknowledgement.as_mut().unwrap();
    (handled.author, handled.comment) = (word("author"), word("comment"));
    for mute in &mut situation.mutes {
        mute.by = format!("maintenance `{}`", word("comment"));
    }
    if let Some(mute) = &mut explanation.row.mute {
        mute.by = word("comment");
    }
    let host = Factor { kind: FactorKind::Host, value: word("host") };
    situation.outage.as_mut().unwrap().factor = host.clone();
    situation.factors = vec![(host.clone(), 3)];
    rows.sharing[0].factor = host;
    rows.sharing[1].factor.value = word("principal");
    for delivery in &mut rows.deliveries {
        delivery.receiver = word("receiver");
        for attempt in &mut delivery.attempts {
            attempt.detail = word("receiver");
        }
    }
    rows
}

fn assert_none(text: &str, of: &str) {
    for word in PLANTED {
        assert!(!text.contains(word), "{of} has {word}");
    }
}

#[test]
fn public_page_of_an_integration_names_nothing_that_is_planted() {
    let whole = integration_page(planted(), &viewer(Access::Read));
    for word in PLANTED {
        assert!(whole.contains(word), "{word} is planted where it is shown to readers");
    }
    assert_none(&integration_page(planted(), &viewer(Access::Public)), "integration");
}

#[test]
fn public_overview_names_nothing_that_is_planted() {
    let mut fleet = Fleet::of_forty();
    for silence in &mut fleet.silences {
        silence.author = "planted-author".to_owned();
        silence.comment = "planted-comment".to_owned();
    }
    for row in &mut fleet.rows {
        if let Some((_, what)) = &mut row.expires {
            *what = "planted-expiry".to_owned();
        }
    }
    let whole = overview_page(&fleet, &viewer(Access::Read), "");
    for word in
        ["planted-author", "planted-comment", "planted-expiry", "Open port 5439.", "db\\u{1b}"]
    {
        assert!(whole.contains(word), "{word}");
    }
    let text = overview_page(&fleet, &viewer(Access::Public), "");
    assert_none(&text, "overview");
    // Remediation, factor, message and receivers of the samples.
    for word in ["Open port 5439.", "db\\u{1b}", "Unable\nto connect", "on-call", "audit"] {
        assert!(!text.contains(word), "{word}");
    }
    let page: Overview = overview(&fleet, &viewer(Access::Public), "");
    assert!(page.receivers.is_none());
}

#[test]
fn public_pages_lead_nowhere_that_is_not_public() {
    for (name, text) in pages(Access::Public) {
        let links =
            text.match_indices("href=\"").map(|(at, word)| text.split_at(at + word.len()).1);
        for link in links.filter_map(|rest| rest.split_once('"').map(|(link, _)| link)) {
            let path = link.split(['?', '#']).next().unwrap_or_default();
            let is_public = ["", "/"].contains(&path)
                || ["/i/", "/assets/", "data:"].iter().any(|start| link.starts_with(start));
            assert!(is_public, "{name}: {link}");
        }
    }
}
