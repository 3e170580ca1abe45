//! Answers that the vendors' own programs retry, replayed through whole runs: none may flip an integration.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::{Mode, Server, Subject, cases, config, context};
use crate::domain::ReportStatus;

/// Number of runs at the same time; more would run into each other's time limits.
const TURNS: usize = 16;

/// Answer to one operation, given whenever it is asked for.
pub(in crate::platforms) struct Retried {
    /// Operation, as the files of a case name it.
    pub(in crate::platforms) operation: &'static str,
    /// Status code of the answer.
    pub(in crate::platforms) status: u16,
    /// Type of the body.
    pub(in crate::platforms) content_type: &'static str,
    /// Body of the answer.
    pub(in crate::platforms) body: String,
}

impl Retried {
    /// Returns the page of a gateway, as in front of every platform.
    pub(in crate::platforms) fn page(operation: &'static str, status: u16) -> Self {
        let body = format!("<html><head><title>{status}</title></head></html>");
        Self { operation, status, content_type: "text/html", body }
    }
}

/// Runs the platform once for each of `answers`, everything else being well.
pub(in crate::platforms) async fn none_is_definitive(subject: Subject, answers: Vec<Retried>) {
    assert!(!answers.is_empty());
    let turns = Arc::new(Semaphore::new(TURNS));
    let running: Vec<_> = answers
        .into_iter()
        .map(|answer| {
            let turns = Arc::clone(&turns);
            tokio::spawn(async move {
                let _turn = turns.acquire().await.unwrap();
                run(subject, answer).await
            })
        })
        .collect();
    let mut wrong = Vec::new();
    for one in running {
        wrong.extend(one.await.unwrap().err());
    }
    assert!(wrong.is_empty(), "{} answers flip\n{}", wrong.len(), wrong.join("\n"));
}

async fn run(subject: Subject, answer: Retried) -> Result<(), String> {
    let Retried { operation, status, content_type, body } = answer;
    let case = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(cases(subject.folder).join("all-well")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), case.path().join(file.file_name())).unwrap();
    }
    for number in 1..=9 {
        let _none = std::fs::remove_file(case.path().join(format!("{operation}.{number}.http")));
    }
    let text =
        format!("# {operation}\n{status}\ncontent-type: {content_type}\nretry-after: 0\n\n{body}");
    std::fs::write(case.path().join(format!("{operation}.http")), text).unwrap();
    let given = std::fs::read_to_string(case.path().join("integration.json"));
    let given = serde_json::from_str(&given.unwrap()).unwrap();
    let server = Server::start(&subject, case.path(), None).await;
    let validator = (subject.validator)(&config(&given, &server, case.path()));
    let report = validator.validate(&context(Mode::Recurring)).await.report;
    let class = report.class();
    let asked = server
        .seen()
        .iter()
        .any(|seen| (subject.operation)(seen).is_some_and(|asked| asked.starts_with(operation)));
    let is_right = match class {
        Some(class) => report.status() == ReportStatus::Failed && !class.is_definitive(),
        // It can be a warning that something could not be looked at.
        None => report.status() != ReportStatus::Failed,
    };
    if is_right && asked {
        return Ok(());
    }
    Err(format!("{operation} {status} {body}: {class:?}, asked {asked}: {report:?}"))
}
