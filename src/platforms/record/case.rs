//! Format of a recorded run: that of the folders `testcases/<case>/` of the platforms.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Map, Value as Json, json};

use crate::domain::{
    Class, Finding, Outcome, Redactor, Report, TestResult, Timestamp, ValidationResults,
};
use crate::platforms::{LogIns, Mode, Platform, RunContext, find, is_question};

/// First line of each recorded answer: where it comes from.
const SOURCE: &str = concat!("# recorded by revalidated ", env!("CARGO_PKG_VERSION"));
/// Status of an answer that was not waited for any longer.
const SILENCE: &str = "silence";
/// Status of an exchange without a whole answer, before its class.
const NO_ANSWER: &str = "no-answer ";
/// Statuses of answers of database servers.
const OF_SQL: [(&str, Said); 4] = [
    ("logged-in", Said::LoggedIn),
    ("redirected", Said::Redirected),
    ("rows", Said::Rows),
    ("error", Said::Error),
];
/// End of the name of a file with an answer over HTTP.
const OF_HTTP_FILE: &str = ".http";
/// End of the name of a file with an answer of a database server.
const OF_SQL_FILE: &str = ".sql";

/// Recorded run: each file by its name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Case {
    /// `integration.json`: configuration and circumstances of the run.
    pub(crate) integration: Json,
    /// Answers by operation, in their order.
    pub(crate) replies: BTreeMap<String, Vec<Reply>>,
    /// `expected.json`: report and requests.
    pub(crate) expected: Json,
}

/// Answer to one request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Reply {
    /// Beginning of the answer.
    pub(crate) said: Said,
    /// Headers with their values.
    pub(crate) headers: Vec<(String, String)>,
    /// Body, or the reason why there was no answer.
    pub(crate) body: String,
}

/// Beginning of an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Said {
    /// Status code of an answer.
    Status(u16),
    /// No answer while the run waited for it.
    Silence,
    /// No whole answer, of this class.
    NoAnswer(Class),
    /// A database server logged the user in.
    LoggedIn,
    /// A database server continues the log-in elsewhere.
    Redirected,
    /// A database server found a row, or none.
    Rows,
    /// A database server refused.
    Error,
}

impl Reply {
    /// Returns an answer without headers.
    pub(super) const fn of(said: Said, body: String) -> Self {
        Self { said, headers: Vec::new(), body }
    }

    /// Reads the text of a file.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (_source, text) = text.split_once('\n').filter(|(first, _)| first.starts_with("# "))?;
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let status = lines.next()?.trim();
        let said = match status.strip_prefix(NO_ANSWER) {
            Some(class) => {
                Said::NoAnswer(*Class::ALL.iter().find(|known| known.as_str() == class)?)
            }
            None if status == SILENCE => Said::Silence,
            None => match OF_SQL.iter().find(|(name, _)| *name == status) {
                Some((_, said)) => *said,
                None => Said::Status(status.parse().ok()?),
            },
        };
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_owned(), value.to_owned()))
        });
        Some(Self { said, headers: headers.collect::<Option<_>>()?, body: body.to_owned() })
    }

    /// Returns the value of the header `name`.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the text of the file.
    fn text(&self) -> String {
        let status = match self.said {
            Said::Status(code) => code.to_string(),
            Said::Silence => SILENCE.to_owned(),
            Said::NoAnswer(class) => format!("{NO_ANSWER}{}", class.as_str()),
            Said::LoggedIn | Said::Redirected | Said::Rows | Said::Error => {
                let found = OF_SQL.iter().find(|(_, said)| *said == self.said);
                found.map_or("", |(name, _)| name).to_owned()
            }
        };
        let headers = self.headers.iter().map(|(name, value)| format!("{name}: {value}\n"));
        let headers = headers.collect::<Vec<_>>().concat();
        format!("{SOURCE}\n{status}\n{headers}\n{}", self.body)
    }
}

impl Case {
    /// Returns each file with its text, by its name.
    pub(crate) fn files(&self) -> BTreeMap<String, String> {
        let Self { integration, replies, expected } = self;
        let document = |json: &Json| format!("{json:#}\n");
        let mut files = BTreeMap::from([
            ("integration.json".to_owned(), document(integration)),
            ("expected.json".to_owned(), document(expected)),
        ]);
        let platform = self.platform().ok();
        for (operation, replies) in replies {
            let is_of_sql =
                platform.is_some_and(|platform| is_question(platform.operations, operation));
            let end = if is_of_sql { OF_SQL_FILE } else { OF_HTTP_FILE };
            for (reply, number) in replies.iter().zip(1..) {
                let name = match replies.len() {
                    1 => format!("{operation}{end}"),
                    _ => format!("{operation}.{number}{end}"),
                };
                files.insert(name, reply.text());
            }
        }
        files
    }

    /// Reads the files of a case.
    ///
    /// # Errors
    ///
    /// Names the file that is missing or is not what it should be.
    pub(crate) fn read(files: &BTreeMap<String, String>) -> Result<Self, String> {
        let document = |name: &str| -> Result<Json, String> {
            let text = files.get(name).ok_or_else(|| format!("{name} is missing"))?;
            serde_json::from_str(text).map_err(|error| format!("{name} is not JSON: {error}"))
        };
        let (integration, expected) = (document("integration.json")?, document("expected.json")?);
        let mut numbered: BTreeMap<String, BTreeMap<u32, Reply>> = BTreeMap::new();
        for (name, text) in files {
            let stem = name.strip_suffix(OF_HTTP_FILE).or_else(|| name.strip_suffix(OF_SQL_FILE));
            let Some(stem) = stem else { continue };
            let (operation, number) = match stem.rsplit_once('.') {
                Some((operation, number)) => (operation, number.parse().ok()),
                None => (stem, Some(1)),
            };
            let reply = Reply::read(text).zip(number);
            let (reply, number) =
                reply.ok_or_else(|| format!("{name} is not a recorded answer"))?;
            numbered.entry(operation.to_owned()).or_default().insert(number, reply);
        }
        let in_order = |(operation, replies): (String, BTreeMap<u32, Reply>)| {
            (operation, replies.into_values().collect())
        };
        let replies = numbered.into_iter().map(in_order).collect();
        Ok(Self { integration, replies, expected })
    }

    /// Returns the platform of the case.
    ///
    /// # Errors
    ///
    /// Fails for a platform that this program does not have.
    pub(crate) fn platform(&self) -> Result<&'static Platform, String> {
        let kind = self.integration.get("type").and_then(Json::as_str).unwrap_or_default();
        find(kind).ok_or_else(|| {
            "integration.json does not name a platform of this program as its `type`; only what `--record` \
             wrote can be replayed"
                .to_owned()
        })
    }

    /// Returns the circumstances of the run.
    ///
    /// # Errors
    ///
    /// Names the key that is missing or is not what it should be.
    pub(crate) fn context(&self) -> Result<RunContext, String> {
        let text = |key: &str| {
            let text = self.integration.get(key).and_then(Json::as_str);
            text.ok_or_else(|| format!("integration.json: `{key}` is missing"))
        };
        let wrong = |key: &str| format!("integration.json: `{key}` cannot be read");
        let limit = |key: &str| -> Result<Duration, String> {
            let limit: SignedDuration = text(key)?.parse().map_err(|_invalid| wrong(key))?;
            Ok(limit.unsigned_abs())
        };
        let mode = match text("mode")? {
            "recurring" => Mode::Recurring,
            "preflight" => Mode::Preflight,
            _ => return Err(wrong("mode")),
        };
        Ok(RunContext {
            name: text("name")?.to_owned(),
            mode,
            everyone: std::sync::Arc::default(),
            test_limit: limit("testLimit")?,
            run_limit: limit("runLimit")?,
            now: text("now")?.parse::<Timestamp>().map_err(|_invalid| wrong("now"))?,
            redactor: Redactor::default(),
            log_ins: LogIns::default(),
        })
    }

    /// Returns the environment variables of the run.
    pub(crate) fn variables(&self) -> std::collections::HashMap<String, String> {
        let entries = self.integration.get("environment").and_then(Json::as_object);
        let text = |(key, value): (&String, &Json)| Some((key.clone(), value.as_str()?.to_owned()));
        entries.into_iter().flatten().filter_map(text).collect()
    }
}

/// Returns the circumstances of a run as `integration.json` has them.
pub(super) fn circumstances(platform: &Platform, context: &RunContext) -> Map<String, Json> {
    let mode = match context.mode {
        Mode::Recurring => "recurring",
        Mode::Preflight => "preflight",
    };
    let limit = |limit: Duration| format!("PT{}S", limit.as_secs_f64());
    let entries = [
        ("type", json!(platform.kind)),
        ("mode", json!(mode)),
        ("now", json!(context.now.to_string())),
        ("testLimit", json!(limit(context.test_limit))),
        ("runLimit", json!(limit(context.run_limit))),
    ];
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Returns a report as `expected.json` has it.
pub(crate) fn shown(report: &Report, requests: &[String]) -> Json {
    let mut findings = Map::new();
    for TestResult { test, outcome } in &report.tests {
        if let Some(Finding { class, remediation, evidence, .. }) = outcome.finding() {
            let mut finding =
                json!({ "class": class, "remediation": remediation, "evidence": evidence });
            if let (true, Some(finding)) = (is_asked_again(outcome), finding.as_object_mut()) {
                finding.insert("doubtful".to_owned(), Json::from(true));
            }
            findings.insert(test.name.to_owned(), finding);
        }
    }
    json!({
        "class": report.class(),
        "validationResults": ValidationResults::from(report),
        "findings": findings,
        "requests": requests,
    })
}

/// Returns true for a definitive failure that may be another's answer, so that it is asked for once more.
fn is_asked_again(outcome: &Outcome) -> bool {
    let Outcome::Failed(Finding { class, is_certain, refuses_log_in, .. }) = outcome else {
        return false;
    };
    class.is_definitive() && !is_certain && !refuses_log_in
}
