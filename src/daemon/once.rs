//! Validation by hand: runs now, notifies no receiver, stores nothing.

use std::sync::Arc;

use tokio::time::timeout;

use super::assemble::{Assembled, Assembly};
use super::clock::Clock;
use super::validate::guarded;
use crate::domain::{Class, CommonChecks, Observed, Redactor, Report, duration_text};
use crate::net::record;
use crate::platforms::record::{Taken, namer};
use crate::platforms::{LogIns, Mode, RunContext, Surplus};

/// Validates the configured integration `name` as it is in the files; `None` when there is
/// none of that name.
pub(crate) async fn validate_once(assembly: &Assembly, name: &str, mode: Mode) -> Option<Report> {
    let one = assembly.integrations.get(name)?;
    Some(observe_once(assembly, one, name, mode).await.0)
}

/// Validates `one`, and returns what was seen besides. A refused log-in is remembered for `reader`: other
/// runs of `assembly` with the same credentials do not send them again.
pub(crate) async fn observe_once(
    assembly: &Assembly,
    one: &Assembled,
    reader: &str,
    mode: Mode,
) -> (Report, Observed) {
    let context = context(assembly, one, reader, mode);
    let now = context.now;
    let validator = Arc::clone(&one.validator);
    let (mut report, observed) = guarded(validator, context, one.platform.catalog).await;
    if mode == Mode::Recurring {
        // What was stored is not looked at, so there is nothing to compare with.
        let checks = CommonChecks { drift: false, ..one.checks.clone() };
        checks.complete(&mut report, &observed, None, now);
    }
    (report, observed)
}

/// Returns the context of a run by hand.
fn context(assembly: &Assembly, one: &Assembled, reader: &str, mode: Mode) -> RunContext {
    let now = Clock::default().now();
    RunContext {
        name: one.wanted.name.clone(),
        mode,
        everyone: Arc::clone(&assembly.peers),
        test_limit: assembly.settings.limits.test,
        run_limit: assembly.settings.limits.run,
        now,
        redactor: Redactor::default(),
        log_ins: LogIns::of(&assembly.log_ins, &assembly.settings.refused_pauses, now)
            .by(reader, ""),
    }
}

/// Returns what the principal of `one` has beyond the needs of its tests, after a run that ended in `report` and
/// saw `observed`. Nothing is asked after a run that did not log in: credentials that were refused are not sent again.
pub(crate) async fn surplus_once(
    assembly: &Assembly,
    one: &Assembled,
    mode: Mode,
    report: &Report,
    observed: &Observed,
) -> Surplus {
    let findings = report.tests.iter().filter_map(|result| result.outcome.finding());
    let is_refused = findings.into_iter().any(|finding| finding.refuses_log_in);
    let is_away = match report.class() {
        Some(Class::Unreachable | Class::Throttled | Class::Unavailable | Class::Local) => true,
        Some(Class::Denied | Class::Missing | Class::Invalid | Class::Expired) | None => false,
    };
    if is_refused || is_away {
        return Surplus::unseen("Nothing was asked, since the run did not get that far.");
    }
    let context = context(assembly, one, &one.wanted.name, mode);
    let limit = context.test_limit;
    let asked = timeout(limit, one.validator.surplus(&context, observed)).await;
    asked.unwrap_or_else(|_elapsed| {
        Surplus::unseen(format!("The platform did not answer within {}.", duration_text(limit)))
    })
}

/// Validates like [`validate_once`], and returns the run with all that was exchanged. The report is of the
/// platform's own tests.
pub(crate) async fn record_once<'a>(
    assembly: &'a Assembly,
    name: &str,
    mode: Mode,
) -> Option<Taken<'a>> {
    let one = assembly.integrations.get(name)?;
    let Assembled { wanted, platform, validator, .. } = one;
    let context = context(assembly, one, name, mode);
    let run = guarded(Arc::clone(validator), context.clone(), platform.catalog);
    let ((report, _observed), recording) = record::recorded(namer(platform), run).await;
    let (config, auto_bootstrap) = (wanted.config.as_str(), wanted.auto_bootstrap);
    Some(Taken { platform, config, auto_bootstrap, context, report, recording })
}
