//! Question of a viewer to the overview: filters that are the interface's, and what only the page knows.

use crate::http::{Kind, Parameter, Problem, Query};
use crate::page::address::Pairs;
use crate::view::{FILTERS, Filter, Order};

/// Parameters of the page beside those of the filter.
const OWN: &[Parameter] = &[
    Parameter::once("show", Kind::Words(&["failing", "attention", "muted"]), "Part of the list."),
    Parameter::repeated("closed", Kind::Text, "Platforms whose rows are folded."),
    Parameter::once("after", Kind::Text, "Integration that the page before ended with."),
    Parameter::once("tz", Kind::Text, "Zone in which times are shown."),
    Parameter::once("theme", Kind::Text, "Colours of the page."),
    Parameter::once("done", Kind::Text, "Action that was just carried out."),
];

/// Parameters that do not narrow the list.
const NOT_NARROWING: [&str; 6] = ["show", "sort", "closed", "after", "tz", "theme"];

/// Part of the integrations that is listed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Show {
    /// All that the filters fit.
    All,
    /// Those whose configuration in force fails.
    Failing,
    /// Those that want a look before they fail.
    Attention,
    /// Those whose messages are muted.
    Muted,
}

impl Show {
    /// Every part in the order of the page.
    pub(crate) const ALL: [Self; 4] = [Self::All, Self::Failing, Self::Attention, Self::Muted];

    /// Returns the value of the parameter.
    pub(crate) const fn value(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Failing => "failing",
            Self::Attention => "attention",
            Self::Muted => "muted",
        }
    }

    /// Returns the word on its button.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Failing => "Failing",
            Self::Attention => "Look at",
            Self::Muted => "Muted",
        }
    }
}

/// Question of a viewer.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Filter of the integrations.
    pub(crate) filter: Filter,
    /// Part that is listed.
    pub(crate) show: Show,
    /// Order of the list; none for groups by platform.
    pub(crate) order: Option<Order>,
    /// Platforms whose rows are folded.
    pub(crate) closed: Vec<String>,
    /// Name of the last row of the page before.
    pub(crate) after: Option<String>,
    /// Pairs of the address, for links.
    pub(crate) pairs: Pairs,
}

impl Asked {
    /// Reads the query of a request; parameters without a value, which forms send, count as absent.
    ///
    /// # Errors
    ///
    /// Fails with everything that is wrong, and names the nearest of what is known.
    pub(crate) fn read(text: &str) -> Result<Self, Problem> {
        let pairs = Pairs::parse(text);
        let known = [FILTERS, OWN].concat();
        let query = Query::read(pairs.at("").trim_start_matches('?'), &known)?;
        let show = query.text("show").unwrap_or_default();
        Ok(Self {
            filter: Filter::of(&query),
            show: Show::ALL.into_iter().find(|one| one.value() == show).unwrap_or(Show::All),
            order: query.text("sort").map(|_| Filter::of(&query).order),
            closed: query.all("closed").map(str::to_owned).collect(),
            after: query.text("after").map(str::to_owned),
            pairs: pairs.without("done"),
        })
    }

    /// Returns true when a filter narrows the list.
    pub(crate) fn is_narrowed(&self) -> bool {
        self.pairs.pairs().any(|(name, _)| !NOT_NARROWING.contains(&name))
    }

    /// Returns the pairs that narrow the list, for people to remove.
    pub(crate) fn narrowing(&self) -> impl Iterator<Item = (&str, &str)> {
        let narrows = |name: &str| name != "q" && !NOT_NARROWING.contains(&name);
        self.pairs.pairs().filter(move |(name, _)| narrows(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_fields_of_a_form_count_as_absent() {
        let asked =
            Asked::read("q=&label=&sort=&show=failing&closed=Trino&closed=Native+S3").unwrap();
        assert_eq!((asked.show, asked.order), (Show::Failing, None));
        assert_eq!(asked.closed, ["Trino", "Native S3"]);
        assert!(!asked.is_narrowed());
        assert_eq!(asked.narrowing().count(), 0);
    }

    #[test]
    fn filters_narrow_and_can_be_removed_one_by_one() {
        let asked = Asked::read("q=x&type=Trino&label=team%3Ddata&sort=expires&tz=UTC").unwrap();
        assert!(asked.is_narrowed());
        let pairs: Vec<_> = asked.narrowing().collect();
        assert_eq!(pairs, [("type", "Trino"), ("label", "team=data")]);
        assert_eq!(asked.order, Some(Order::Expires));
    }

    #[test]
    fn unknown_parameters_name_the_nearest() {
        let problem = Asked::read("typ=Trino").unwrap_err().detail();
        assert!(problem.contains("`type`"), "{problem}");
        assert!(Asked::read("show=everything").is_err());
    }
}
