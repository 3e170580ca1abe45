//! Numbers for which Microsoft's drivers try again, as answers to a log-in: none may flip an integration.

use std::collections::BTreeMap;

use super::*;
use crate::platforms::synapse::transient::{BROKEN, PASSING, PASSING_OF_AZURE, THROTTLED};

/// A database that cannot be opened may be on the move: on the lists of the drivers, and a cause of its own here.
const UNOPENED: u32 = 4060;

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_the_drivers_retry_never_flip() {
    let dir = tempfile::tempdir().unwrap();
    let numbers = [&THROTTLED[..], &BROKEN, &PASSING, &PASSING_OF_AZURE, &[UNOPENED]].concat();
    let mut scenarios = BTreeMap::new();
    for number in numbers {
        let folder = dir.path().join(number.to_string());
        fs::create_dir(&folder).unwrap();
        let error = json!({ "number": number, "severity": 16, "message": "try again" });
        let scenario = json!({
            "source": "the lists of the drivers", "users": { "immuta": "hunter2" },
            "logins": [{ "error": error }], "batches": {},
        });
        let path = folder.join("scenario.json");
        fs::write(&path, scenario.to_string()).unwrap();
        scenarios.insert(number.to_string(), path);
    }
    let paths: Vec<_> = scenarios.values().cloned().collect();
    let server = StandIn::start_with("tds", &paths);
    let mut wrong = Vec::new();
    for number in scenarios.keys() {
        let config = config_of(server.value(number), server.value("ca"), &json!({}));
        let mut run = context(Mode::Recurring);
        // There is no time to try again.
        run.test_limit = Duration::from_secs(3);
        let report = validator(&PLATFORM, &config).validate(&run).await.report;
        let message = report.tests[0].outcome.message().unwrap_or_default();
        let is_right = report.status() == ReportStatus::Failed
            && report.class().is_some_and(|class| !class.is_definitive())
            && message.contains(&format!("[{number}]"));
        wrong.extend((!is_right).then(|| format!("{number}: {:?} {message}", report.class())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
