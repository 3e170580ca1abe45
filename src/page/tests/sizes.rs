//! Sizes of the overview with ten thousand integrations.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::fleet::Fleet;
use super::{overview, overview_page, report_page, viewer};
use crate::page::viewer::Access;
use crate::store::{TargetRow, TimelineRow};
use crate::view::samples::{target, timelines};

fn gzipped(text: &str) -> usize {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap().len()
}

#[test]
fn overview_of_thousands_stays_small() {
    for failing in [0, 212, 1428] {
        let text = overview_page(&Fleet::of_thousands(failing), &viewer(Access::Act), "");
        assert!(text.len() < 160_000, "{} bytes with {failing} failing", text.len());
        let packed = gzipped(&text);
        assert!(packed < 25_000, "{packed} bytes packed with {failing} failing");
    }
}

#[test]
fn report_of_thousands_stays_small() {
    let [like, ..] = &timelines()[..] else { panic!("no sample") };
    let row = |number: usize| {
        let labels = [("owner".to_owned(), format!("person-{number}"))].into();
        let name = format!("warehouse-{number:05}");
        TimelineRow { integration: TargetRow { name, labels, ..target() }, ..like.clone() }
    };
    let rows: Vec<_> = (0..10_000).map(row).collect();
    let text = report_page(&rows, &viewer(Access::Read), "");
    assert!(text.len() < 600_000, "{} bytes", text.len());
    let packed = gzipped(&text);
    assert!(packed < 40_000, "{packed} bytes packed");
}

#[test]
fn headline_counts_all_and_the_table_has_a_hundred_rows() {
    let page = overview(&Fleet::of_thousands(212), &viewer(Access::Read), "");
    assert_eq!(page.headline.first, "224 of 10,000 integrations are failing");
    assert!(page.headline.second.starts_with("212 of them fail by one cause."));
    let rows: usize = page.groups.iter().map(|group| group.rows.len()).sum();
    assert_eq!((rows, page.next.is_some()), (100, true));
    assert_eq!(page.causes.len(), 8);
    assert_eq!(page.more.as_deref(), Some("5 causes more, 5 integrations"));
    assert!(page.tiles.iter().all(|tile| !tile.bar.is_empty()));
}

#[test]
fn overview_of_forty_is_a_third_of_that() {
    let text = overview_page(&Fleet::of_forty(), &viewer(Access::Read), "");
    assert!(text.len() < 70_000, "{}", text.len());
}
