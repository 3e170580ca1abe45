//! Checks of the filters of receivers and maintenance windows against the integrations.

use std::collections::BTreeMap;

use super::integration::Assembled;
use crate::domain::{About, Selection};
use crate::input::{Reader, nearest};

/// A filter that names an unknown platform is a fault; one that fits no integration is worth a
/// warning, to which `idle` adds the consequence.
pub(super) fn check_filters(
    selection: &Selection,
    idle: &str,
    reader: &Reader<'_>,
    known: &[&str],
    integrations: &BTreeMap<String, Assembled>,
) {
    for kind in selection.types.iter().filter(|kind| !known.contains(&kind.as_str())) {
        let hint = nearest(kind, known.iter().copied());
        let hint = hint.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        reader.fault("types", format!("no platform is called {kind:?}{hint}"));
    }
    let fits = |(name, one): (&String, &Assembled)| {
        selection.fits(About { name, kind: one.platform.kind, labels: &one.wanted.labels })
    };
    let filters = ["integrations", "types", "labels"];
    let given = [
        !selection.integrations.is_empty(),
        !selection.types.is_empty(),
        !selection.labels.is_empty(),
    ];
    let given = filters.into_iter().zip(given).find_map(|(key, given)| given.then_some(key));
    if let Some(key) = given
        && !integrations.is_empty()
        && !integrations.iter().any(fits)
    {
        reader.warn(key, format!("no integration fits, {idle}"));
    }
}
