//! Validation by hand: runs now, notifies no receiver, stores nothing.

use std::sync::Arc;

use super::assemble::Assembly;
use super::clock::Clock;
use super::validate::guarded;
use crate::domain::{CommonChecks, Redactor, Report};
use crate::platforms::{LogIns, Mode, RunContext};

/// Validates the configured integration `name` as it is in the files; `None` when there is
/// none of that name.
pub(crate) async fn validate_once(assembly: &Assembly, name: &str, mode: Mode) -> Option<Report> {
    let one = assembly.integrations.get(name)?;
    let clock = Clock::default().now();
    let pauses = &assembly.settings.refused_pauses;
    let context = RunContext {
        name: name.to_owned(),
        mode,
        everyone: Arc::clone(&assembly.peers),
        test_limit: assembly.settings.limits.test,
        run_limit: assembly.settings.limits.run,
        now: clock,
        redactor: Redactor::default(),
        log_ins: LogIns::of(&assembly.log_ins, pauses, clock).by(name, ""),
    };
    let now = context.now;
    let validator = Arc::clone(&one.validator);
    let (mut report, observed) = guarded(validator, context, one.platform.catalog).await;
    if mode == Mode::Recurring {
        // What was stored is not looked at, so there is nothing to compare with.
        let checks = CommonChecks { drift: false, ..one.checks.clone() };
        checks.complete(&mut report, &observed, None, now);
    }
    Some(report)
}
