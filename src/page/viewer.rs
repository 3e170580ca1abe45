//! Viewer of a page: the permission behind the request, and what the address chooses (zone, colours).

use jiff::tz::TimeZone;

use super::address::{self, Pairs};
use super::moment::Present;
use crate::domain::Timestamp;
use crate::http::{Caller, Scope};

/// Part of the page that a caller may see.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Access {
    /// Statuses alone, without names of hosts, evidence and the like.
    Public,
    /// Everything that is shown.
    Read,
    /// Everything, and the buttons.
    Act,
}

impl Access {
    /// Returns the access of a caller; none when it may see nothing.
    pub(crate) fn of(caller: &Caller) -> Option<Self> {
        match caller.scope {
            Scope::Act => Some(Self::Act),
            Scope::Read => Some(Self::Read),
            Scope::Anonymous | Scope::Metrics => caller.public.page.then_some(Self::Public),
        }
    }
}

/// Viewer of a page.
#[derive(Clone, Debug)]
pub(crate) struct Viewer {
    /// Present with the zone of the address.
    pub(crate) present: Present,
    /// Choices that every link keeps.
    pub(crate) pairs: Pairs,
    /// Part of the page that is shown.
    pub(crate) access: Access,
    /// True when only integrations with certain labels are shown.
    pub(crate) is_limited: bool,
}

impl Viewer {
    /// Viewer with the query of a request; a zone or a colour that is not known is left out.
    pub(crate) fn new(caller: &Caller, access: Access, query: &str, now: Timestamp) -> Self {
        let mut pairs = Pairs::parse(query).kept();
        let zone = pairs.get("tz").and_then(|name| TimeZone::get(name).ok());
        if zone.is_none() {
            pairs = pairs.without("tz");
        }
        if !matches!(pairs.get("theme"), Some("light" | "dark")) {
            pairs = pairs.without("theme");
        }
        let is_limited = !caller.labels.is_empty();
        Self { present: Present { now, zone }, pairs, access, is_limited }
    }

    /// Returns true when names of hosts, evidence and the like are left out.
    pub(crate) fn is_public(&self) -> bool {
        self.access == Access::Public
    }

    /// Returns true when buttons are shown.
    pub(crate) fn acts(&self) -> bool {
        self.access == Access::Act
    }

    /// Returns a link that keeps the choices.
    pub(crate) fn link(&self, path: &str) -> String {
        self.pairs.at(path)
    }

    /// Returns a link to something that has a name.
    pub(crate) fn to(&self, folder: &str, name: &str) -> String {
        self.link(&address::named(folder, name))
    }

    /// Returns the link to an integration's page.
    pub(crate) fn integration(&self, name: &str, id: i64) -> String {
        self.link(&address::integration(name, id))
    }

    /// Returns a link to a list with one parameter.
    pub(crate) fn list(&self, path: &str, key: &str, value: &str) -> String {
        self.pairs.with(key, value).at(path)
    }
}

#[cfg(test)]
pub(crate) mod samples {
    use super::*;
    use crate::view::samples::now;

    /// Viewer of the samples with an access.
    pub(crate) fn viewer(access: Access) -> Viewer {
        Viewer::new(&Caller::default(), access, "", now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Public;
    use crate::view::samples::now;

    #[test]
    fn access_follows_the_scope_and_what_is_public() {
        let table = [
            (Scope::Anonymous, false, None),
            (Scope::Metrics, false, None),
            (Scope::Anonymous, true, Some(Access::Public)),
            (Scope::Metrics, true, Some(Access::Public)),
            (Scope::Read, true, Some(Access::Read)),
            (Scope::Act, false, Some(Access::Act)),
        ];
        for (scope, page, expected) in table {
            let public = Public { page, ..Public::default() };
            let caller = Caller { scope, public, ..Caller::default() };
            assert_eq!(Access::of(&caller), expected, "{scope:?} {page}");
        }
    }

    #[test]
    fn choices_that_are_not_known_are_left_out_of_links() {
        let link = |query: &str| {
            Viewer::new(&Caller::default(), Access::Read, query, now()).integration("a/b", 1)
        };
        assert_eq!(
            link("tz=Europe/Berlin&theme=dark&q=x"),
            "/i/a%2Fb?tz=Europe%2FBerlin&theme=dark"
        );
        assert_eq!(link("tz=Europe/Berlim&theme=%22%3E"), "/i/a%2Fb");
        let viewer = samples::viewer(Access::Read);
        assert_eq!(viewer.list("/runs", "integration", "a&b"), "/runs?integration=a%26b");
        assert_eq!(viewer.to("/receivers", "on call"), "/receivers/on%20call");
    }
}
