//! Outage: the factor that integrations share, since when, and those that belong to it.

use crate::domain::{OutageMember, SharedCause};
use crate::page::look::Look;
use crate::page::moment::Moment;
use crate::page::text::counted;
use crate::page::viewer::Viewer;
use crate::page::words;
use crate::store::OutageRow;

/// Outage as it is shown.
#[derive(Clone, Debug)]
pub(crate) struct OutageItem {
    /// Id of the outage.
    pub(crate) id: String,
    /// Factor of the outage in words.
    pub(crate) factor: String,
    /// Kind of the failure in words.
    pub(crate) cause: &'static str,
    /// Begin of the outage.
    pub(crate) since: Moment,
    /// End of the outage; none while it lasts.
    pub(crate) ended: Option<Moment>,
    /// Time for which it lasts, or lasted.
    pub(crate) lasting: Option<Moment>,
    /// Number of integrations in words.
    pub(crate) number: String,
    /// Integrations with their looks: name, link, look, status.
    pub(crate) members: Vec<(String, String, Look, &'static str)>,
}

impl OutageItem {
    /// Entry of an outage with its members, if they were read.
    pub(crate) fn new(row: &OutageRow, members: &[OutageMember], viewer: &Viewer) -> Self {
        let cause = match row.cause {
            SharedCause::Unreached => "it does not serve",
            SharedCause::Refused => "it is refused",
            SharedCause::Expired => "a credential or certificate has expired",
        };
        let member = |one: &OutageMember| {
            let name = one.integration.name.clone();
            let href = viewer.to("/i", &name);
            (name, href, Look::of(one.status, None), one.status.as_str())
        };
        let present = &viewer.present;
        Self {
            id: row.id.clone(),
            factor: words::factor(&row.factor, viewer.is_public()),
            cause,
            since: present.clock(row.since),
            ended: row.ended_at.map(|at| present.clock(at)),
            lasting: row.ended_at.is_none().then(|| present.lasting(row.since)),
            number: counted(usize::try_from(row.members).unwrap_or(usize::MAX), "integration"),
            members: members.iter().map(member).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::viewer::Access;
    use crate::page::viewer::samples::viewer;
    use crate::view::samples;

    #[test]
    fn outage_says_factor_cause_and_duration() {
        let row = samples::troubled().1.outage.unwrap();
        let item = OutageItem::new(&row, &[], &viewer(Access::Read));
        assert_eq!((item.factor.as_str(), item.cause), ("the host db\u{1b}", "it does not serve"));
        assert_eq!((item.since.text.as_str(), item.number.as_str()), ("08:00", "4 integrations"));
        assert_eq!(item.lasting.map(|at| at.text), Some("2h".to_owned()));
        let over = OutageRow { ended_at: Some(samples::now()), ..row };
        let item = OutageItem::new(&over, &[], &viewer(Access::Read));
        assert_eq!(item.ended.map(|at| at.text), Some("10:00".to_owned()));
        assert!(item.lasting.is_none());
    }
}
