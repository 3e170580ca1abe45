//! Redshift.
use super::{AutoBootstrap, Platform};
pub(super) const PLATFORM: Platform = Platform {
    kind: "Redshift",
    version: 1,
    catalog: &[],
    auto_bootstrap: AutoBootstrap::Any,
    sample: "",
    parse: |_| None,
};
