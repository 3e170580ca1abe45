//! Asking the running daemon over its Unix socket: for the figures that its store does not know, and for what a command
//! prints as JSON where the database cannot be opened.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::args::Source;
use super::error::CommandError;
use super::print::{Answer, End, escaped_json};
use crate::config::Settings;
use crate::domain::{Listen, Scope, percent_encoded};
use crate::net::http::Local;
use crate::store::{StoreError, View};
use crate::view::Live;

/// Socket of the packaged service.
const PACKAGED: &str = "/run/revalidated/api.sock";
/// Sockets of the units that systemd listens at for it.
const OF_READERS: &str = "/run/revalidated-read.sock";
const OF_ACTORS: &str = "/run/revalidated-act.sock";
/// Longest wait for figures: without them a command goes on.
const FIGURES_MAX: Duration = Duration::from_secs(2);
/// Bytes of figures at most.
const FIGURES_BYTES_MAX: usize = 64 * 1024;
/// Longest wait for an answer in place of the store's.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// Bytes of such an answer at most.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Sockets at which the daemon may answer, in the order in which they are tried.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Sockets(Vec<PathBuf>);

impl Sockets {
    /// Sockets that the configuration names, else the packaged one; none for a database that the command line names,
    /// which may be any.
    pub(super) fn of(source: &Source, settings: Option<&Settings>) -> Self {
        if source.store.is_some() {
            return Self(Vec::new());
        }
        let http = settings.map(|settings| &settings.http);
        let listed = http.filter(|http| http.is_listed || !http.listen.is_empty());
        let path = |listen: &Listen| match listen {
            Listen::Unix(path) => Some(path.clone()),
            Listen::Systemd(Scope::Act) => Some(PathBuf::from(OF_ACTORS)),
            Listen::Systemd(Scope::Anonymous | Scope::Metrics | Scope::Read) => {
                Some(PathBuf::from(OF_READERS))
            }
            Listen::Tcp(_) => None,
        };
        match listed {
            Some(http) => Self(http.listen.iter().filter_map(path).collect()),
            None => Self(vec![PathBuf::from(PACKAGED)]),
        }
    }

    /// Returns the daemon at the first socket that answers for the database of `view`, with its figures.
    pub(super) async fn daemon(&self, view: &View) -> Option<(Figures, Live)> {
        let epoch = view.epoch().await.ok()?;
        for socket in &self.0 {
            let Some(figures) = Figures::at(socket) else { continue };
            if let Some(live) = figures.read().await.filter(|live| live.epoch == epoch) {
                return Some((figures, live));
            }
        }
        None
    }

    /// Returns the figures of the daemon that serves the database of `view`, where one answers.
    pub(super) async fn live(&self, view: &View) -> Option<Live> {
        Some(self.daemon(view).await?.1)
    }

    /// Returns the answer of the daemon, as the command prints it, in place of that of a store which cannot be opened
    /// because of `error`.
    ///
    /// # Errors
    ///
    /// Fails with `error` when no daemon answers, or when text is wanted, which only the store gives.
    pub(super) async fn instead(
        &self,
        target: &str,
        is_json: bool,
        error: StoreError,
    ) -> Result<Answer, CommandError> {
        let Some((_, (status, body))) = self.first(target).await else {
            return Err(unopened(error, "opening the store"));
        };
        if !is_json {
            return Err(unopened(error, HINT));
        }
        answered(status, &body)
    }

    /// Returns the items of all pages of a list in the same way; `target` has a query.
    ///
    /// # Errors
    ///
    /// Fails like [`Sockets::instead`].
    pub(super) async fn list_instead(
        &self,
        target: &str,
        is_json: bool,
        error: StoreError,
    ) -> Result<Answer, CommandError> {
        let Some((local, (mut status, mut body))) = self.first(target).await else {
            return Err(unopened(error, "opening the store"));
        };
        if !is_json {
            return Err(unopened(error, HINT));
        }
        let mut items = Vec::new();
        while status == 200 {
            let page: Items<'_> =
                serde_json::from_slice(&body).context("reading the answer of the daemon")?;
            let inner = page.items.get().trim_start_matches('[').trim_end_matches(']');
            items.extend((!inner.is_empty()).then(|| inner.to_owned()));
            let Some(next) = page.next else {
                return answered(200, format!("[{}]", items.join(",")).as_bytes());
            };
            let read = local.get(&format!("{target}&after={next}"), ANSWER_BYTES_MAX).await;
            (status, body) = read.context("the daemon does not answer any more")?;
        }
        answered(status, &body)
    }

    /// Returns status and body of the first daemon that answers.
    pub(super) async fn reply(&self, target: &str) -> Option<(u16, Vec<u8>)> {
        Some(self.first(target).await?.1)
    }

    /// Returns the first daemon that answers, with its answer.
    async fn first(&self, target: &str) -> Option<(Local, (u16, Vec<u8>))> {
        for socket in &self.0 {
            let Some(local) = Local::at(socket, ANSWER_MAX) else { continue };
            if let Some(answer) = local.get(target, ANSWER_BYTES_MAX).await {
                return Some((local, answer));
            }
        }
        None
    }
}

#[cfg(test)]
impl Sockets {
    /// Sockets at these paths.
    pub(super) const fn at(paths: Vec<PathBuf>) -> Self {
        Self(paths)
    }
}

/// Context of an error where the daemon could be asked.
const HINT: &str = "opening the store; with --json the running daemon is asked instead";

/// Returns the error of a store that cannot be opened.
fn unopened(error: StoreError, context: &'static str) -> CommandError {
    anyhow::Error::new(error).context(context).into()
}

/// Page of a list.
#[derive(Deserialize)]
struct Items<'a> {
    #[serde(borrow)]
    items: &'a RawValue,
    next: Option<String>,
}

/// Returns the path under which the interface shows an integration.
pub(super) fn integration(name: &str) -> String {
    format!("/api/v1/integrations/{}", percent_encoded(name))
}

/// Source of the figures of a daemon.
#[derive(Clone, Debug)]
pub(super) struct Figures(Local);

impl Figures {
    fn at(socket: &Path) -> Option<Self> {
        Local::at(socket, FIGURES_MAX).map(Self)
    }

    /// Returns the figures of the moment, when the daemon answers.
    pub(super) async fn read(&self) -> Option<Live> {
        let (status, body) = self.0.get("/api/v1/live", FIGURES_BYTES_MAX).await?;
        (status == 200).then(|| serde_json::from_slice(&body).ok())?
    }
}

/// Answer or problem of the interface, as far as a command goes by it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Answered {
    is_well: Option<bool>,
    detail: String,
}

/// Returns the output of a command for an answer of the interface.
fn answered(status: u16, body: &[u8]) -> Result<Answer, CommandError> {
    let text = std::str::from_utf8(body).context("reading the answer of the daemon")?;
    let Answered { is_well, detail } = serde_json::from_str(text).unwrap_or_default();
    match status {
        200 => {
            let end = End::success_if(is_well != Some(false));
            let text = escaped_json(&indented(text)) + "\n";
            Ok(Answer { is_json: true, end, ..Answer::good(text) })
        }
        404 => Err(CommandError::Usage(detail)),
        status => Err(anyhow::anyhow!("the daemon answered {status}: {detail}").into()),
    }
}

/// Returns JSON without spaces between its parts as commands indent it; numbers and the order of members stay.
fn indented(text: &str) -> String {
    let (mut out, mut depth) = (String::with_capacity(text.len() * 2), 0_usize);
    let mut signs = text.chars().peekable();
    let (mut in_text, mut is_escaped) = (false, false);
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    while let Some(sign) = signs.next() {
        if in_text {
            in_text = is_escaped || sign != '"';
            is_escaped = !is_escaped && sign == '\\';
            out.push(sign);
            continue;
        }
        match sign {
            '[' | '{' => {
                out.push(sign);
                if let Some(end) = signs.next_if(|next| matches!(next, ']' | '}')) {
                    out.push(end);
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            ']' | '}' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(sign);
            }
            ',' => {
                out.push(sign);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ => {
                in_text = sign == '"';
                out.push(sign);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};
    use serde_json::Value as Json;

    use super::super::stand_in::Place;
    use super::*;
    use crate::store::Store;

    /// Returns the error of opening a database that is not there.
    async fn closed(place: &Place) -> StoreError {
        View::open(&place.path("none.db").into()).await.unwrap_err()
    }

    fn json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            "[\\\\\"{}\\[\\],: a\u{e4}]{0,6}".prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 30, 4, |inner| {
            let object = prop::collection::btree_map("[a\"\\\\:]{0,3}", inner.clone(), 0..4);
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(Json::from),
                object.prop_map(|all| Json::Object(all.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn json_is_indented_as_commands_do(value in json()) {
            let compact = serde_json::to_string(&value).unwrap();
            prop_assert_eq!(indented(&compact), serde_json::to_string_pretty(&value).unwrap());
        }
    }

    #[test]
    fn answer_decides_about_the_exit_status() {
        let good = answered(200, br#"{"a":[1]}"#).unwrap();
        assert_eq!(
            (good.text.as_str(), good.end),
            ("{\n  \"a\": [\n    1\n  ]\n}\n", End::Success)
        );
        assert_eq!(answered(200, br#"{"isWell":false}"#).unwrap().end, End::Failure);
        let unknown = answered(404, br#"{"detail":"no integration is named \"x\""}"#).unwrap_err();
        assert_eq!(unknown.to_string(), "no integration is named \"x\"");
        let busy = answered(503, br#"{"detail":"too many"}"#).unwrap_err();
        assert_eq!(busy.to_string(), "the daemon answered 503: too many");
    }

    #[tokio::test]
    async fn first_daemon_that_answers_does_so_in_place_of_the_store() {
        let place = Place::new();
        place.serve("a.sock", &[("/x", 200, r#"{"isWell":false,"at":1}"#)]);
        place.serve("b.sock", &[("/x", 200, "2"), ("/y", 200, "3")]);
        let both = place.sockets(&["none.sock", "a.sock", "b.sock"]);
        let answer = both.instead("/x", true, closed(&place).await).await.unwrap();
        assert_eq!(
            (answer.text.as_str(), answer.end),
            ("{\n  \"isWell\": false,\n  \"at\": 1\n}\n", End::Failure)
        );
        assert!(answer.is_json);
        let unknown = both.instead("/y", true, closed(&place).await).await.unwrap_err();
        assert_eq!(
            unknown.text(),
            "revalidated: unknown\n",
            "the daemon that answers is asked, and no other"
        );
        let error = format!("{:#}", anyhow::Error::new(closed(&place).await));
        let none = place.sockets(&["none.sock"]);
        for (sockets, is_json, context) in [
            (&none, true, "opening the store"),
            (&none, false, "opening the store"),
            (&Sockets(Vec::new()), true, "opening the store"),
            (&both, false, HINT),
        ] {
            let expected = format!("revalidated: {context}: {error}\n");
            let failed = sockets.instead("/x", is_json, closed(&place).await).await.unwrap_err();
            assert_eq!(failed.text(), expected, "{sockets:?}");
            let failed =
                sockets.list_instead("/x?", is_json, closed(&place).await).await.unwrap_err();
            assert_eq!(failed.text(), expected, "{sockets:?}");
        }
    }

    #[tokio::test]
    async fn list_is_put_together_from_its_pages() {
        let place = Place::new();
        place.serve(
            "a.sock",
            &[
                ("/l?v=1", 200, r#"{"items":[{"b":1,"a":[2]},{}],"next":"c1"}"#),
                ("/l?v=1&after=c1", 200, r#"{"items":[],"next":"c2"}"#),
                ("/l?v=1&after=c2", 200, r#"{"items":[3.50],"next":null}"#),
                ("/none?v=1", 200, r#"{"items":[],"next":null}"#),
                ("/gone?v=1", 200, r#"{"items":[1],"next":"c1"}"#),
                ("/gone?v=1&after=c1", 410, r#"{"detail":"of another database"}"#),
                ("/odd?v=1", 200, r#"{"rows":[]}"#),
            ],
        );
        let sockets = place.sockets(&["a.sock"]);
        let list = async |target| {
            let listed = sockets.list_instead(target, true, closed(&place).await).await;
            listed.map(|answer| answer.text).map_err(|error| error.text())
        };
        let whole = "[\n  {\n    \"b\": 1,\n    \"a\": [\n      2\n    ]\n  },\n  {},\n  3.50\n]\n";
        assert_eq!(
            list("/l?v=1").await.as_deref(),
            Ok(whole),
            "members and numbers stay as they are"
        );
        assert_eq!(list("/none?v=1").await.as_deref(), Ok("[]\n"));
        let gone = "revalidated: the daemon answered 410: of another database\n";
        assert_eq!(list("/gone?v=1").await.unwrap_err(), gone);
        let odd = list("/odd?v=1").await.unwrap_err();
        assert!(
            odd.starts_with("revalidated: reading the answer of the daemon: missing field"),
            "{odd}"
        );
    }

    #[tokio::test]
    async fn figures_are_those_of_the_daemon_of_this_database() {
        let place = Place::new();
        let location = place.path("state.db").into();
        let _store = Store::open(&location).await.unwrap();
        let view = View::open(&location).await.unwrap();
        let epoch = view.epoch().await.unwrap();
        let figures = |epoch: &str| {
            serde_json::to_string(&Live { epoch: epoch.to_owned(), ..Live::sample() }).unwrap()
        };
        for (name, status, body) in [
            ("other.sock", 200, figures("other")),
            ("refused.sock", 403, figures(&epoch)),
            ("odd.sock", 200, r#"{"epoch":7}"#.to_owned()),
            ("long.sock", 200, figures(&epoch) + &" ".repeat(FIGURES_BYTES_MAX)),
            ("own.sock", 200, figures(&epoch)),
        ] {
            place.serve(name, &[("/api/v1/live", status, &body)]);
        }
        let without = ["none.sock", "other.sock", "refused.sock", "odd.sock", "long.sock"];
        assert_eq!(place.sockets(&without).live(&view).await, None);
        let with = place.sockets(&[&without[..], &["own.sock"]].concat());
        let expected = Live { epoch, ..Live::sample() };
        assert_eq!(with.live(&view).await.as_ref(), Some(&expected));
        let (asked, first) = with.daemon(&view).await.unwrap();
        assert_eq!((first, asked.read().await), (expected.clone(), Some(expected)));
    }

    #[test]
    fn path_of_an_integration_escapes_its_name() {
        let table = [("lake", "lake"), ("a/b %?", "a%2Fb%20%25%3F"), ("\u{e9}#", "%C3%A9%23")];
        for (name, expected) in table {
            assert_eq!(integration(name), format!("/api/v1/integrations/{expected}"));
        }
    }

    #[test]
    fn sockets_are_those_of_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("r.toml");
        let found = |text: &str| {
            std::fs::write(&config, text).unwrap();
            let assembly = crate::daemon::open(Some(&config)).unwrap();
            let paths = Sockets::of(&Source { store: None }, Some(&assembly.settings)).0;
            paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(found(""), [PACKAGED]);
        let listed = "[http]\nlisten = [\"127.0.0.1:9465\", \"unix:/a.sock\", \"systemd:read\"]\n";
        assert_eq!(found(listed), ["/a.sock", OF_READERS]);
        assert_eq!(found("[http]\nlisten = [\"systemd:act\"]\n"), [OF_ACTORS]);
        assert_eq!(found("[http]\nlisten = []\n"), [""; 0]);
        let given = Source { store: Some("other.db".into()) };
        assert_eq!(Sockets::of(&given, None), Sockets(Vec::new()));
        assert_eq!(Sockets::of(&Source { store: None }, None).0, [Path::new(PACKAGED)]);
    }
}
