//! Native S3.
use super::{AutoBootstrap, Platform};
pub(super) const PLATFORM: Platform = Platform {
    kind: "Native S3",
    version: 1,
    catalog: &[],
    auto_bootstrap: AutoBootstrap::Any,
    sample: "",
    parse: |_| None,
};
