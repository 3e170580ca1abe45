//! One integration: from its configuration to a validator.

use std::sync::Arc;

use super::redact::{References, redact};
use crate::config::{Integration, Plan};
use crate::domain::{CommonChecks, Policy};
use crate::input::{Faults, Kind, Reader, join, nearest, quoted};
use crate::platforms::{AutoBootstrap, Identity, Peer, Platform, Validator};
use crate::store::Wanted;

/// An integration that can be validated.
#[derive(Clone, Debug)]
pub(crate) struct Assembled {
    /// Form in which the store keeps it.
    pub(crate) wanted: Wanted,
    /// Platform that it belongs to.
    pub(crate) platform: &'static Platform,
    /// Identity by which it is compared, with the host that limits count.
    pub(crate) identity: Identity,
    /// Policy by which its runs are judged.
    pub(crate) policy: Policy,
    /// Checks that all platforms have in common.
    pub(crate) checks: CommonChecks,
    /// Validator that runs the tests.
    pub(crate) validator: Arc<dyn Validator>,
}

impl Assembled {
    /// Returns the integration as others are compared with it, without its id.
    pub(in crate::daemon) fn peer(&self) -> Peer {
        let (name, identity) = (self.wanted.name.clone(), self.identity.clone());
        Peer { id: None, name, kind: self.platform.kind, identity }
    }
}

/// Assembles one integration; none when it has a fault.
pub(super) fn integration(
    one: Integration,
    platforms: &'static [Platform],
    faults: &Faults,
) -> Option<Assembled> {
    let Integration { entry, kind, auto_bootstrap, plan } = one;
    let kind = kind.as_deref()?;
    let reader = entry.reader(faults)?;
    let Some(platform) = find(platforms, kind) else {
        let known: Vec<_> = platforms.iter().map(|platform| platform.kind).collect();
        let hint = nearest(kind, known.iter().copied()).map_or_else(
            || format!("expected one of `{}`", known.join("`, `")),
            |near| format!("did you mean `{near}`?"),
        );
        reader.fault("type", format!("unknown platform {}; {hint}", quoted(kind)));
        return None;
    };
    check_bootstrap(platform, auto_bootstrap, &reader);
    let config = entry.value.entry("config").filter(|config| !matches!(config.kind, Kind::Null))?;
    let path = join(&entry.path, "config");
    let own = Faults::default();
    let given = auto_bootstrap.unwrap_or_default();
    let validator = Reader::new(config, path.clone(), &own);
    let validator = validator.and_then(|reader| (platform.parse)(reader, given));
    if validator.is_none() && own.count() == 0 {
        reader.fault("config", format!("cannot be used with `{}`", platform.kind));
    }
    let secrets = own.secret_paths();
    faults.absorb(own);
    let Plan { name, formerly, id, disabled, schedule, policy, checks, labels, run_on } = plan?;
    let validator = validator?;
    let identity = validator.identity();
    let redacted = |references| redact(config, &path, &secrets, references).to_string();
    let wanted = Wanted {
        name,
        formerly,
        id,
        kind: platform.kind.to_owned(),
        auto_bootstrap,
        labels,
        disabled,
        schedule,
        config: redacted(References::Keep),
        config_shown: redacted(References::Hide),
        catalog_version: platform.version,
        factors: identity.factors(),
        run_on,
    };
    let validator: Arc<dyn Validator> = validator.into();
    Some(Assembled { wanted, platform, identity, policy, checks, validator })
}

fn check_bootstrap(platform: &Platform, given: Option<bool>, reader: &Reader<'_>) {
    let problem = match (platform.auto_bootstrap, given) {
        (AutoBootstrap::MustBeFalse, Some(true)) => "must be false",
        (AutoBootstrap::Absent, Some(_)) => "must not be given",
        (AutoBootstrap::Any | AutoBootstrap::MustBeFalse | AutoBootstrap::Absent, _) => return,
    };
    reader.fault("autoBootstrap", format!("{problem} for `{}`", platform.kind));
}

/// Returns the platform of this name.
pub(in crate::daemon) fn find(
    platforms: &'static [Platform],
    kind: &str,
) -> Option<&'static Platform> {
    platforms.iter().find(|platform| platform.kind == kind)
}
