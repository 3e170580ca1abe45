//! Names and texts that others write: escaped once, and linked to by one encoding.

use super::fleet::Fleet;
use super::{integration_page, overview_page, report_page, troubled, viewer};
use crate::domain::{IntegrationId, Status};
use crate::page::viewer::Access;
use crate::store::{TargetRow, TimelineRow};
use crate::view::samples::{target, timeline};

/// Names that break out of what is not escaped, with their forms in text and in addresses.
fn names() -> Vec<(String, String, String)> {
    let long = "\u{1f30a}".repeat(128);
    let table = [
        (
            "<script>alert(1)</script>",
            "&lt;script&gt;alert(1)&lt;/script&gt;",
            "/i/%3Cscript%3Ealert%281%29%3C%2Fscript%3E",
        ),
        (
            "\"><img src=x onerror=y>",
            "&quot;&gt;&lt;img src=x onerror=y&gt;",
            "/i/%22%3E%3Cimg%20src%3Dx%20onerror%3Dy%3E",
        ),
        ("%2f%3Cb%3E", "%2f%3Cb%3E", "/i/%252f%253Cb%253E"),
        ("a/../b", "a/../b", "/i/a%2F..%2Fb"),
        ("..", "..", "/i/99"),
        ("é & ñ", "é &amp; ñ", "/i/%C3%A9%20%26%20%C3%B1"),
        ("&amp;", "&amp;amp;", "/i/%26amp%3B"),
        ("a\u{202e}b", "a\\u{202e}b", "/i/a%E2%80%AEb"),
    ];
    let own = |(name, text, path): (&str, &str, &str)| {
        (name.to_owned(), text.to_owned(), path.to_owned())
    };
    let encoded = format!("/i/{}", "%F0%9F%8C%8A".repeat(128));
    table.map(own).into_iter().chain([(long.clone(), long, encoded)]).collect()
}

#[test]
fn hostile_names_are_escaped_once_and_linked_by_one_encoding() {
    for (name, text, path) in names() {
        let mut fleet = Fleet::of_forty();
        let failing = fleet.rows.iter_mut().find(|row| row.name == "uc-finance").unwrap();
        failing.id = IntegrationId(99);
        failing.name.clone_from(&name);
        let mut rows = troubled();
        rows.explanation.row.id = IntegrationId(99);
        rows.explanation.row.name.clone_from(&name);
        let overview = overview_page(&fleet, &viewer(Access::Act), "");
        let page = integration_page(rows, &viewer(Access::Act));
        let integration = TargetRow { id: IntegrationId(99), name: name.clone(), ..target() };
        let otherwise = Some(Status::Enabled);
        let report = TimelineRow { integration, otherwise, ..timeline() };
        let report = report_page(&[report], &viewer(Access::Act), "");
        for (shown, of) in [(overview, "overview"), (page, "integration"), (report, "report")] {
            assert!(shown.contains(&format!(">{text}<")), "{of} of {name}");
            assert!(shown.contains(&path), "{of} of {name}: {path}");
            let raw = name.contains(['<', '"']) && shown.contains(&name);
            assert!(!raw, "{of} has {name} as it is");
            assert!(!shown.contains('\u{202e}'), "{of} of {name}");
        }
    }
}

#[test]
fn labels_and_expiries_of_a_report_are_escaped() {
    let hostile = "<script>\u{1b}\"'&";
    let labels = [("k".to_owned(), hostile.to_owned())].into();
    let row = TimelineRow {
        integration: TargetRow { kind: hostile.to_owned(), labels, ..target() },
        otherwise: Some(Status::Enabled),
        expires: Some((crate::view::samples::now(), hostile.to_owned())),
        ..timeline()
    };
    let query = "label=k%3D%3Cscript%3E%22%27%26&type=%3Cscript%3E%22";
    let page = report_page(&[row], &viewer(Access::Read), query);
    let escaped = "&lt;script&gt;\\u{1b}&quot;&#39;&amp;";
    for part in [
        format!(">k={escaped}<"),
        format!("</time> {escaped}</td>"),
        ">k=&lt;script&gt;&quot;&#39;&amp;</textarea>".to_owned(),
        "<option selected>&lt;script&gt;&quot;</option>".to_owned(),
        "--type=&#39;&lt;script&gt;&quot;&#39;".to_owned(),
    ] {
        assert!(page.contains(&part), "{part} is not in:\n{page}");
    }
    assert!(!page.contains("<script>") && !page.contains('\u{1b}'), "{page}");
}

#[test]
fn text_of_platforms_is_escaped_wherever_it_is_shown() {
    let hostile = "<script>\u{1b}[31m\"'&";
    let mut rows = troubled();
    let run = rows.explanation.row.last_run.as_mut().unwrap();
    run.rule = hostile.to_owned();
    for test in &mut run.report.tests {
        test.name = hostile.to_owned();
        test.message = Some(hostile.to_owned());
        test.remediation = Some(hostile.to_owned());
        test.evidence = Some(hostile.to_owned());
    }
    for drift in &mut run.drift {
        drift.of = hostile.to_owned();
        drift.lost = vec![hostile.to_owned()];
    }
    rows.explanation.row.labels = [(hostile.to_owned(), hostile.to_owned())].into();
    let pair = serde_json::json!({ hostile: hostile });
    rows.explanation.row.config_shown = pair.to_string();
    let text = integration_page(rows, &viewer(Access::Act));
    let escaped = "&lt;script&gt;\\u{1b}[31m&quot;&#39;&amp;";
    assert!(10 < text.matches(escaped).count(), "{text}");
    assert!(!text.contains("<script>") && !text.contains('\u{1b}'), "{text}");
}
