//! Choice of a report: the fields of its form, links to the months beside it, and the command that says the same.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::Selection;
use crate::http::Query;
use crate::page::address::Pairs;
use crate::view::Month;

/// Path of the page.
pub(crate) const PATH: &str = "/report";

/// Choice of a month and of integrations.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// Month that is shown.
    pub(crate) month: String,
    /// Latest month that can be chosen.
    pub(crate) latest: String,
    /// Months with their links, the one that is shown among them.
    pub(crate) months: Vec<(String, String, bool)>,
    /// Labels that are chosen, as lines.
    pub(crate) labels: String,
    /// Platforms to choose from, with whether each is chosen.
    pub(crate) types: Vec<(String, bool)>,
    /// Link to the report of all integrations, where a part is chosen.
    pub(crate) all: Option<String>,
    /// Command that prints the same report for a spreadsheet.
    pub(crate) command: String,
}

/// Months around a report, as far as there is something to show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Months {
    /// Month before, when an integration is as old.
    pub(crate) previous: Option<Month>,
    /// Month that is shown.
    pub(crate) shown: Month,
    /// Month after, when it has begun.
    pub(crate) following: Option<Month>,
    /// Month of the present.
    pub(crate) latest: Month,
}

impl Choice {
    /// Choice of a query, with the platforms that there are and the zone that months begin in.
    pub(crate) fn new(
        months: Months,
        query: &Query,
        pairs: &Pairs,
        platforms: &BTreeSet<&str>,
        zone: &str,
    ) -> Self {
        let pairs = pairs.without("after");
        let around = [months.previous, Some(months.shown), months.following];
        let link = |month: Month| {
            let word = month.to_string();
            let href = pairs.with("month", &word).at(PATH);
            (word, href, month == months.shown)
        };
        let is_narrowed = ["label", "type"].iter().any(|key| query.text(key).is_some());
        Self {
            month: months.shown.to_string(),
            latest: months.latest.to_string(),
            months: around.into_iter().flatten().map(link).collect(),
            labels: query.all("label").collect::<Vec<_>>().join("\n"),
            types: types(query, platforms),
            all: is_narrowed.then(|| pairs.without("label").without("type").at(PATH)),
            command: command(months.shown, query, zone),
        }
    }
}

/// Returns the selection of a query.
pub(crate) fn selection(query: &Query) -> Selection {
    Selection {
        types: query.all("type").map(str::to_owned).collect(),
        labels: query.labels("label"),
        ..Selection::default()
    }
}

/// Returns the platforms that there are, and those that are chosen, with whether each is.
fn types(query: &Query, platforms: &BTreeSet<&str>) -> Vec<(String, bool)> {
    let chosen: BTreeSet<_> = query.all("type").collect();
    platforms.union(&chosen).map(|word| ((*word).to_owned(), chosen.contains(word))).collect()
}

/// Returns the command with the same choice. Of a label that is given twice the last value counts, as above.
fn command(month: Month, query: &Query, zone: &str) -> String {
    let mut text = format!("revalidated report --month {month}");
    let labels: BTreeMap<_, _> = query.labels("label");
    let labels = labels.iter().map(|(key, value)| ("label", format!("{key}={value}")));
    let types = query.all("type").map(|kind| ("type", kind.to_owned()));
    let zone = (zone != "UTC").then(|| ("zone", zone.to_owned()));
    for (option, value) in zone.into_iter().chain(types).chain(labels) {
        text.extend([" --", option, "=", &word(&value)]);
    }
    text + " --format csv"
}

/// Returns a word as a POSIX shell takes it for itself.
fn word(text: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "-_./=:@%+,".contains(char);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
pub(crate) mod samples {
    use super::*;

    /// Choice of the sample month for a query, with the month before it.
    pub(crate) fn choice(text: &str, zone: &str) -> Choice {
        let shown: Month = "2026-11".parse().unwrap();
        let months = Months { previous: shown.previous(), shown, following: None, latest: shown };
        let query = Query::read(text, crate::page::report::REPORT).unwrap();
        let platforms = BTreeSet::from(["Native S3", "Trino"]);
        Choice::new(months, &query, &Pairs::parse(text), &platforms, zone)
    }
}

#[cfg(test)]
mod tests {
    use super::samples::choice;

    #[test]
    fn months_are_linked_with_the_choice() {
        let choice = choice("label=team%3Ddata&after=9", "UTC");
        let link = |month: &str, is_shown| {
            (month.to_owned(), format!("/report?label=team%3Ddata&month={month}"), is_shown)
        };
        assert_eq!(choice.months, [link("2026-10", false), link("2026-11", true)]);
        assert_eq!((choice.month.as_str(), choice.latest.as_str()), ("2026-11", "2026-11"));
    }

    #[test]
    fn form_shows_labels_as_lines_and_platforms_with_those_chosen() {
        let fields = |text: &str| {
            let choice = choice(text, "UTC");
            let word = |(word, is_chosen): &(String, bool)| {
                if *is_chosen { format!("[{word}]") } else { word.clone() }
            };
            let types: Vec<_> = choice.types.iter().map(word).collect();
            format!("{}|{}|{}", choice.labels, types.join(","), choice.all.is_some())
        };
        let table = [
            ("", "|Native S3,Trino|false"),
            ("label=a%3Db&label=c%3D*", "a=b\nc=*|Native S3,Trino|true"),
            ("type=Trino&type=Unknown", "|Native S3,[Trino],[Unknown]|true"),
        ];
        for (text, expected) in table {
            assert_eq!(fields(text), expected, "{text}");
        }
    }

    #[test]
    fn command_says_the_same_in_words_that_a_shell_leaves_alone() {
        let table = [
            ("", "UTC", ""),
            ("", "Europe/Berlin", " --zone=Europe/Berlin"),
            ("type=Native+S3&label=team%3Ddata", "UTC", " --type='Native S3' --label=team=data"),
            ("label=a%3D1&label=a%3D2", "UTC", " --label=a=2"),
            ("label=a%3D*", "UTC", " --label='a=*'"),
            ("label=a%3D%27%3B+rm+%24%28x%29+%23", "UTC", r" --label='a='\''; rm $(x) #'"),
        ];
        for (text, zone, options) in table {
            let expected = format!("revalidated report --month 2026-11{options} --format csv");
            assert_eq!(choice(text, zone).command, expected, "{text}");
        }
    }
}
