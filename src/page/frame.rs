//! Frame of every page: head, navigation, state of the stream, footer.

use super::address::Pairs;
use super::assets::{CSS, JS};
use super::moment::Moment;
use super::text::{grouped, shortened};
use super::viewer::Viewer;
use crate::net::exchange::percent_encoded;

/// Characters of a title at most; the name of the program follows it, and search results show seventy.
const TITLE_MAX: usize = 56;
/// Pages of the navigation: key, path, word.
const PAGES: [(&str, &str, &str); 8] = [
    ("integrations", "/", "Integrations"),
    ("events", "/events", "Events"),
    ("runs", "/runs", "Runs"),
    ("deliveries", "/deliveries", "Deliveries"),
    ("receivers", "/receivers", "Receivers"),
    ("silences", "/silences", "Silences"),
    ("expiry", "/expiry", "Expiry"),
    ("report", "/report", "Report"),
];

/// Milliseconds between two renewals of a page for which much is read, as the script takes them.
const SELDOM: &str = "10000";

/// Renewal of a page that stays open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Renewal {
    /// Rows and head are renewed each by itself.
    Rows,
    /// The page is renewed as a whole.
    Whole,
    /// The page is renewed as a whole, every ten seconds at most, since much is read for it.
    Seldom,
}

/// Numbers beside the words of the navigation.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// Number of integrations that are shown.
    pub(crate) integrations: Option<usize>,
    /// Number of integrations that fail, for the symbol of the tab.
    pub(crate) failing: usize,
    /// Number of pending messages.
    pub(crate) pending: Option<usize>,
    /// Number of receivers that are shown.
    pub(crate) receivers: Option<usize>,
    /// Number of expiries within ninety days.
    pub(crate) expiries: Option<usize>,
}

/// Link of the navigation.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// Address of the page.
    pub(crate) href: String,
    /// Word of the link.
    pub(crate) word: &'static str,
    /// Number beside the word; empty for none.
    pub(crate) count: String,
    /// True on the page itself.
    pub(crate) is_current: bool,
}

/// Frame of a page.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// Title of the tab.
    pub(crate) title: String,
    /// Symbol of the tab as an address that holds it.
    pub(crate) icon: String,
    /// Links of the navigation.
    pub(crate) links: Vec<Link>,
    /// Link to the overview.
    pub(crate) home: String,
    /// Word by which the script renews the page; empty for not at all.
    pub(crate) mode: &'static str,
    /// Name of the integration that the page is about; empty for several.
    pub(crate) name: String,
    /// Zone of the address; empty for UTC.
    pub(crate) zone: String,
    /// Colours of the address; empty for those of the system.
    pub(crate) theme: String,
    /// Colours to choose from: link, word, and whether it is chosen.
    pub(crate) themes: Vec<(String, &'static str, bool)>,
    /// Instant at which the page was made.
    pub(crate) made: Moment,
    /// Name of the zone in which times are shown.
    pub(crate) zone_name: String,
    /// Result of an action; empty for none.
    pub(crate) note: Note,
    /// Path of the style sheet.
    pub(crate) css: &'static str,
    /// Path of the script.
    pub(crate) js: &'static str,
    /// True where names of hosts and the like are left out.
    pub(crate) is_public: bool,
}

/// Note above a page.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Note {
    /// Text of the note; empty for none.
    pub(crate) text: String,
    /// Letter of its tone.
    pub(crate) tone: &'static str,
}

impl Frame {
    /// Frame of a page; `key` names it in the navigation.
    pub(crate) fn new(
        viewer: &Viewer,
        key: &str,
        title: impl Into<String>,
        counts: Counts,
    ) -> Self {
        let pages = PAGES.iter().filter(|(page, ..)| match *page {
            "integrations" => true,
            "receivers" => !viewer.is_public() && !viewer.is_limited,
            _ => !viewer.is_public(),
        });
        let link = |(page, path, word): &(&str, &'static str, &'static str)| Link {
            href: viewer.link(path),
            word,
            count: counts.of(page).map_or_else(String::new, grouped),
            is_current: *page == key,
        };
        let zone = viewer.pairs.get("tz").unwrap_or_default().to_owned();
        Self {
            title: shortened(&title.into(), TITLE_MAX),
            icon: icon(counts.failing),
            links: pages.map(link).collect(),
            home: viewer.link("/"),
            mode: "",
            name: String::new(),
            zone_name: if zone.is_empty() { "UTC".to_owned() } else { zone.clone() },
            zone,
            theme: viewer.pairs.get("theme").unwrap_or_default().to_owned(),
            themes: Vec::new(),
            made: viewer.present.exact(viewer.present.now),
            note: Note::default(),
            css: &CSS.path,
            js: &JS.path,
            is_public: viewer.is_public(),
        }
    }

    /// Has the script renew the page while it is open; without the stream of changes, by polling.
    #[must_use]
    pub(crate) fn renewed(mut self, renewal: Renewal) -> Self {
        self.mode = match renewal {
            Renewal::Rows | Renewal::Whole | Renewal::Seldom if self.is_public => "poll",
            Renewal::Rows => "rows",
            Renewal::Whole => "whole",
            Renewal::Seldom => SELDOM,
        };
        self
    }

    /// Offers other colours for the page at `path` with the pairs of its address.
    #[must_use]
    pub(crate) fn themed(mut self, path: &str, pairs: &Pairs) -> Self {
        let choices = [("", "as the system"), ("light", "light"), ("dark", "dark")];
        let theme = |(value, word): (&'static str, &'static str)| {
            (pairs.with("theme", value).at(path), word, value == self.theme)
        };
        self.themes = choices.map(theme).into();
        self
    }

    /// Returns the frame of a page about one integration.
    #[must_use]
    pub(crate) fn about(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }
}

impl Counts {
    fn of(&self, page: &str) -> Option<usize> {
        match page {
            "integrations" => self.integrations,
            "deliveries" => self.pending.filter(|pending| 0 < *pending),
            "receivers" => self.receivers,
            "expiry" => self.expiries,
            _ => None,
        }
    }
}

/// Returns the symbol of a tab: an octagon with the number of failures, or a disc.
fn icon(failing: usize) -> String {
    let shape = match failing {
        0 => "<circle cx='8' cy='8' r='7' fill='#0b7a6f'/><path d='M4.7 8.3l2.2 2.2 4.4-4.8' fill='none' \
              stroke='#fff' stroke-width='1.8'/>"
            .to_owned(),
        failing => format!(
            "<path d='M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1z' fill='#b9241c'/><text x='8' y='11.5' \
             font-size='9' font-family='sans-serif' text-anchor='middle' fill='#fff'>{}</text>",
            failing.min(99)
        ),
    };
    let svg = format!("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>{shape}</svg>");
    format!("data:image/svg+xml,{}", percent_encoded(&svg))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::viewer::Access;
    use crate::page::viewer::samples::viewer;

    #[test]
    fn public_pages_lead_to_public_pages_only() {
        let words = |access| {
            let frame = Frame::new(&viewer(access), "integrations", "", Counts::default());
            frame.links.iter().map(|link| link.word).collect::<Vec<_>>()
        };
        assert_eq!(words(Access::Public), ["Integrations"]);
        assert_eq!(words(Access::Read).len(), PAGES.len());
        let limited = Viewer { is_limited: true, ..viewer(Access::Read) };
        let frame = Frame::new(&limited, "", "", Counts::default());
        assert!(frame.links.iter().all(|link| link.word != "Receivers"));
    }

    #[test]
    fn page_without_the_stream_of_changes_is_polled() {
        let mode = |access, renewal| {
            Frame::new(&viewer(access), "", "", Counts::default()).renewed(renewal).mode
        };
        assert_eq!(mode(Access::Read, Renewal::Rows), "rows");
        assert_eq!(mode(Access::Act, Renewal::Whole), "whole");
        assert_eq!(mode(Access::Read, Renewal::Seldom), SELDOM);
        assert_eq!(mode(Access::Public, Renewal::Rows), "poll");
        assert_eq!(mode(Access::Public, Renewal::Whole), "poll");
    }

    #[test]
    fn symbol_of_the_tab_counts_failures() {
        assert!(icon(0).starts_with("data:image/svg+xml,%3Csvg"));
        assert!(icon(7).contains("%3E7%3C%2Ftext%3E"));
        assert!(icon(700).contains("%3E99%3C%2Ftext%3E"));
        assert!(!icon(1).contains(['<', '"', '\'', ' ', '#']));
    }

    #[test]
    fn colours_are_kept_in_the_address() {
        let frame = Frame::new(&viewer(Access::Read), "", "", Counts::default());
        let themes = frame.themed("/expiry", &Pairs::parse("theme=dark&within=9d")).themes;
        let links: Vec<_> = themes.iter().map(|(link, ..)| link.as_str()).collect();
        let expected =
            ["/expiry?within=9d", "/expiry?within=9d&theme=light", "/expiry?within=9d&theme=dark"];
        assert_eq!(links, expected);
    }
}
