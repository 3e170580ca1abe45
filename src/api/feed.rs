//! Feed of status changes (Atom, RFC 4287).

use super::asked::{Asked, unread};
use super::badge::escaped;
use super::route::Handled;
use crate::http::{Answer, Kind, Parameter};
use crate::store::{Attributed, Page, TransitionFilter, TransitionRow};

/// Parameters of the feed.
pub(super) const FEED: &[Parameter] = &[
    Parameter::repeated("type", Kind::Text, "Only integrations of one of these platforms."),
    Parameter::repeated("label", Kind::Label, "Only integrations with all of these labels."),
];
/// Content type of the feed.
pub(super) const ATOM: &str = "application/atom+xml";
/// Entries of the feed at most.
const ENTRIES: usize = 50;
/// Status changes that are looked through for them.
const LOOKED_MAX: u32 = 1000;

/// Handler of `GET /feed.atom`.
pub(super) async fn feed(asked: Asked) -> Handled {
    let page = Page::first(LOOKED_MAX);
    let filter = TransitionFilter::default();
    let rows = asked.api.view.all_transitions(filter, page).await.map_err(unread)?.rows;
    let epoch = asked.api.view.epoch().await.map_err(unread)?;
    let (kinds, labels) =
        (asked.query.all("type").collect::<Vec<_>>(), asked.query.labels("label"));
    let fits = |row: &&Attributed<TransitionRow>| {
        let about = &row.integration;
        let selection = crate::domain::Selection {
            types: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
            labels: labels.clone(),
            ..crate::domain::Selection::default()
        };
        asked.caller.sees(&about.labels) && selection.fits(about.about())
    };
    let shown: Vec<_> = rows.iter().filter(fits).take(ENTRIES).collect();
    Ok(Answer::new(ATOM, text(&shown, &epoch, &asked.api.url)).into())
}

/// Returns the feed as text; `url` is how people reach the page, empty when that is not known.
fn text(rows: &[&Attributed<TransitionRow>], epoch: &str, url: &str) -> String {
    let updated =
        rows.first().map_or("1970-01-01T00:00:00Z".to_owned(), |one| one.row.at.to_string());
    let entries: String = rows.iter().map(|one| entry(one, epoch, url)).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n\
         <id>urn:revalidated:{}</id>\n<title>Integrations: status changes</title>\n\
         <author><name>revalidated</name></author>\n<updated>{updated}</updated>\n{entries}</feed>\n",
        escaped(epoch)
    )
}

fn entry(one: &Attributed<TransitionRow>, epoch: &str, url: &str) -> String {
    let Attributed { integration, row } = one;
    let (name, at, id) = (escaped(&integration.name), row.at, row.id);
    let from = row.from.map_or("nothing", crate::domain::Status::as_str);
    let link = if url.is_empty() {
        String::new()
    } else {
        let path = percent_encoding::utf8_percent_encode(
            &integration.name,
            percent_encoding::NON_ALPHANUMERIC,
        );
        let url = escaped(url.trim_end_matches('/'));
        format!("<link href=\"{url}/i/{path}\"/>")
    };
    format!(
        "<entry><id>urn:revalidated:{}:{id}</id><title>{name}: {from} -&gt; {}</title>\
         <updated>{at}</updated><content type=\"text\">{name} ({}) is {}.</content>{link}</entry>\n",
        escaped(epoch),
        row.to,
        escaped(&integration.kind),
        row.to,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::TargetRow;
    use crate::view::samples;

    #[test]
    fn entries_are_escaped_and_linked() {
        let [row, _] = samples::transitions();
        let integration = TargetRow { name: "<a>/&".to_owned(), ..samples::target() };
        let one = Attributed { integration, row };
        let text = text(&[&one], "e1", "https://r.example/");
        assert!(text.contains("<title>&lt;a&gt;/&amp;: enabled -&gt; recurring"), "{text}");
        assert!(text.contains("<link href=\"https://r.example/i/%3Ca%3E%2F%26\"/>"), "{text}");
        assert!(text.contains("<updated>2026-11-23T09:56:40Z</updated>"), "{text}");
        assert!(!super::text(&[], "e1", "").contains("<entry>"));
    }
}
