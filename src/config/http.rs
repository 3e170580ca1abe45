//! Settings of the HTTP server: addresses, TLS, tokens, and what needs none.
//!
//! Rules about several keys are applied only where all of them are known: a layer may leave some to another.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ::http::{HeaderName, Uri, header};
use ipnet::IpNet;

use crate::domain::{
    HttpSettings, HttpToken, Listen, Public, Scope, SecretRef, ServerTls, UserHeader, token_digest,
};
use crate::input::{Fault, Faults, Kind, Reader, Value, labels, name_problem, nearest, quoted};

/// Number of addresses to listen at.
const LISTEN_MAX: usize = 16;
/// Number of tokens that can be used at the same time.
const TOKENS_MAX: usize = 256;
/// Scopes that a token can have.
const SCOPES: [(&str, Scope); 3] =
    [("metrics", Scope::Metrics), ("read", Scope::Read), ("act", Scope::Act)];
/// Parts that can be public.
const PARTS: [&str; 3] = ["page", "badges", "feed"];

/// Table as one layer gives it, or all of them merged.
struct Given {
    is_listed: bool,
    listen: Option<Vec<Listen>>,
    tls: Option<GivenTls>,
    behind_proxy: Option<bool>,
    hosts: Option<Vec<String>>,
    socket_mode: Option<u32>,
    url: Option<String>,
    page: Option<bool>,
    public: Option<Public>,
    user_header: Option<GivenHeader>,
    tokens: Option<Vec<HttpToken>>,
}

/// Keys of `tls` that are given.
struct GivenTls {
    certificate: Option<SecretRef>,
    key: Option<SecretRef>,
    client_ca: Option<SecretRef>,
}

/// Keys of `user_header` that are given.
struct GivenHeader {
    name: Option<String>,
    from: Option<Vec<IpNet>>,
}

/// Reads the table; none when a key is missing or wrong.
pub(super) fn read(reader: &mut Reader<'_>, faults: &Faults) -> Option<HttpSettings> {
    let given = Given {
        is_listed: reader.has("listen"),
        listen: listen(reader),
        tls: reader.table("tls").map(tls),
        behind_proxy: reader.boolean("behind_proxy"),
        hosts: hosts(reader),
        socket_mode: socket_mode(reader),
        url: url(reader),
        page: reader.boolean("page"),
        public: public(reader),
        user_header: reader.table("user_header").map(user_header),
        tokens: tokens(reader, faults),
    };
    let settings = given.complete(reader)?;
    check_reach(&settings, reader);
    check_hashes(&settings, reader.raw("token"), faults);
    Some(settings)
}

impl Given {
    /// Returns the settings when all keys are known; two keys that need each other are a fault then.
    fn complete(self, reader: &Reader<'_>) -> Option<HttpSettings> {
        let (tls, user_header) = (self.tls?, self.user_header?);
        let tls = match (tls.certificate, tls.key) {
            (Some(certificate), Some(key)) => {
                Some(ServerTls { certificate, key, client_ca: tls.client_ca })
            }
            (None, None) if tls.client_ca.is_none() => None,
            (_, _) => {
                reader.fault("tls", "needs both `certificate` and `key`");
                None
            }
        };
        let user_header = match (user_header.name, user_header.from) {
            (Some(name), Some(from)) => Some(UserHeader { name, from }),
            (None, None) => None,
            (_, _) => {
                reader.fault("user_header", "needs both `name` and `from`");
                None
            }
        };
        Some(HttpSettings {
            is_listed: self.is_listed,
            listen: if self.is_listed { self.listen? } else { Vec::new() },
            tls,
            behind_proxy: self.behind_proxy?,
            hosts: self.hosts?,
            socket_mode: self.socket_mode?,
            url: self.url.map(|url| Some(url).filter(|url| !url.is_empty()))?,
            page: self.page?,
            public: self.public?,
            user_header,
            tokens: self.tokens?,
        })
    }
}

fn listen(reader: &mut Reader<'_>) -> Option<Vec<Listen>> {
    let texts = reader.strings("listen")?;
    if LISTEN_MAX < texts.len() {
        let problem = format!("has {} entries; {LISTEN_MAX} are allowed", texts.len());
        reader.fault("listen", problem);
    }
    let mut found = Vec::with_capacity(texts.len());
    for text in &texts {
        match Listen::parse(text) {
            Ok(one) if found.contains(&one) => {
                reader.fault("listen", format!("{} is listed twice", quoted(text)));
            }
            Ok(one) => found.push(one),
            Err(problem) => reader.fault("listen", format!("{}: {problem}", quoted(text))),
        }
    }
    Some(found)
}

fn tls(mut reader: Reader<'_>) -> GivenTls {
    let (certificate, key) = (reader.pem("certificate"), reader.pem("key"));
    let client_ca = reader.pem("client_ca");
    reader.finish();
    GivenTls { certificate, key, client_ca }
}

fn hosts(reader: &mut Reader<'_>) -> Option<Vec<String>> {
    let hosts = reader.strings("hosts")?;
    let is_name = |char: char| char.is_ascii_alphanumeric() || "-._".contains(char);
    for host in &hosts {
        let is_address = host.parse::<IpAddr>().is_ok();
        if host.is_empty() || !is_address && !host.chars().all(is_name) {
            let wanted = "is not a name such as \"status.example.com\", without scheme and port";
            reader.fault("hosts", format!("{} {wanted}", quoted(host)));
        }
    }
    Some(hosts.iter().map(|host| host.to_ascii_lowercase()).collect())
}

fn socket_mode(reader: &mut Reader<'_>) -> Option<u32> {
    let text = reader.string("socket_mode")?;
    let is_octal = (3..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let mode = u32::from_str_radix(&text, 8).ok().filter(|mode| is_octal && *mode <= 0o777);
    if mode.is_none() {
        reader.refuse("socket_mode", "expected permission bits such as \"0660\"");
    }
    mode
}

/// Reads the address by which people reach the server; empty for none.
fn url(reader: &mut Reader<'_>) -> Option<String> {
    let text = reader.string("url")?;
    if text.is_empty() {
        return Some(text);
    }
    let uri: Option<Uri> = text.parse().ok();
    let is_web = uri.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
    });
    if !is_web || text.contains(['?', '#', '@']) {
        let wanted = "expected an address such as \"https://status.example.com\", without a query";
        reader.refuse("url", wanted);
        return None;
    }
    Some(text.trim_end_matches('/').to_owned())
}

fn public(reader: &mut Reader<'_>) -> Option<Public> {
    let parts = reader.strings("public")?;
    for part in parts.iter().filter(|part| !PARTS.contains(&part.as_str())) {
        let hint = nearest(part, PARTS.into_iter());
        let hint = hint.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        let wanted = "is no part that can be public, which are `page`, `badges` and `feed`";
        reader.fault("public", format!("{} {wanted}{hint}", quoted(part)));
    }
    let has = |name: &str| parts.iter().any(|part| part == name);
    Some(Public { page: has("page"), badges: has("badges"), feed: has("feed") })
}

fn user_header(mut reader: Reader<'_>) -> GivenHeader {
    let name = reader.string("name").and_then(|name| {
        let parsed = HeaderName::try_from(&name).ok();
        let parsed = parsed.filter(|name| *name != header::AUTHORIZATION && *name != header::HOST);
        if parsed.is_none() {
            reader.fault("name", format!("{} cannot be the header of a user", quoted(&name)));
        }
        parsed.map(|name| name.as_str().to_owned())
    });
    let from = reader.strings("from").map(|texts| {
        if texts.is_empty() {
            reader.fault("from", "must name the addresses of the log-in proxy");
        }
        let read = texts.iter().filter_map(|text| {
            let found = text.parse().ok().or_else(|| text.parse().map(IpAddr::into).ok());
            if found.is_none() {
                let wanted = "is not an address such as \"10.0.0.5\", or a network";
                reader.fault("from", format!("{} {wanted}", quoted(text)));
            }
            found
        });
        read.collect()
    });
    reader.finish();
    GivenHeader { name, from }
}

fn tokens(reader: &mut Reader<'_>, faults: &Faults) -> Option<Vec<HttpToken>> {
    let Some(value) = reader.raw("token") else { return Some(Vec::new()) };
    let Kind::Array(items) = &value.kind else {
        let found = value.describe();
        reader.fault(
            "token",
            format!("expected a list of tables, found {found}; write [[http.token]]"),
        );
        return None;
    };
    if TOKENS_MAX < items.len() {
        reader.fault("token", format!("has {} entries; {TOKENS_MAX} are allowed", items.len()));
    }
    let mut found = Vec::new();
    let mut seen = BTreeMap::new();
    for (index, item) in items.iter().enumerate() {
        let path = format!("{}[{index}]", reader.path_of("token"));
        let Some(token) = Reader::new(item, path, faults).and_then(|one| token(one, &mut seen))
        else {
            continue;
        };
        found.push(token);
    }
    (found.len() == items.len()).then_some(found)
}

/// Reads one token; `seen` has the names of those before it, each with its place.
fn token(mut reader: Reader<'_>, seen: &mut BTreeMap<String, String>) -> Option<HttpToken> {
    let name = reader.required_string("name").filter(|name| {
        let problem = name_problem(name);
        let report = |problem| reader.fault("name", format!("{problem}, found {}", quoted(name)));
        problem.map(report).is_none()
    });
    if let Some(name) = &name {
        let place = reader.raw("name").map(|value| value.origin.to_string()).unwrap_or_default();
        if let Some(first) = seen.get(name) {
            let problem = format!("duplicate name {}: the token at {first}", quoted(name));
            reader.fault("name", format!("{problem} has it too"));
        }
        seen.entry(name.clone()).or_insert(place);
    }
    let scope = reader.required("scope").and_then(|()| reader.choice("scope", &SCOPES));
    let labels = labels(&mut reader);
    if scope == Some(Scope::Metrics) && !labels.is_empty() {
        reader.fault("labels", "metrics are about all integrations; leave `labels` out");
    }
    let hash = reader.secret("hash");
    if let Some(SecretRef::Literal(text)) = &hash
        && token_digest(text.expose()).is_none()
    {
        reader.fault("hash", HASH);
    }
    reader.finish();
    Some(HttpToken { name: name?, scope: scope?, labels, hash })
}

/// Fault of a hash in another form.
const HASH: &str =
    "expected `sha256:` and 64 hexadecimal digits, as `revalidated token NAME` prints them";

/// Reports addresses at which requests of other machines would be plain, or could prove nothing.
fn check_reach(settings: &HttpSettings, reader: &Reader<'_>) {
    let has_proof = !settings.tokens.is_empty()
        || settings.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
    for address in settings.listen.iter().filter_map(Listen::remote) {
        if settings.tls.is_none() && !settings.behind_proxy {
            let problem = "can be reached from other machines and would be served without TLS; \
                set `tls`, or `behind_proxy = true` where a proxy ends TLS";
            reader.fault("listen", format!("\"{address}\" {problem}"));
        }
        if !has_proof {
            let problem = "can be reached from other machines, which could prove nothing; add \
                an [[http.token]], as `revalidated token NAME` prints it, or `tls.client_ca`";
            reader.fault("listen", format!("\"{address}\" {problem}"));
        }
    }
}

/// Reports tokens without a hash where no client certificate can take its place.
fn check_hashes(settings: &HttpSettings, tokens: Option<&Value>, faults: &Faults) {
    if settings.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some()) {
        return;
    }
    let Some(Kind::Array(items)) = tokens.map(|tokens| &tokens.kind) else { return };
    let missing = settings.tokens.iter().zip(items).enumerate();
    for (index, (_, item)) in missing.filter(|(_, (token, _))| token.hash.is_none()) {
        faults.push(Fault {
            origin: item.origin.to_string(),
            path: format!("http.token[{index}].hash"),
            message: "missing; add `hash`, as `revalidated token NAME` prints it".to_owned(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::format::Format;
    use super::super::schedules::Schedules;
    use super::super::settings::Settings;
    use super::*;
    use crate::domain::Timestamp;

    const HASH_LINE: &str =
        "hash = \"sha256:0000000000000000000000000000000000000000000000000000000000000000\"\n";

    /// Returns the table with these lines over the defaults, and the faults.
    fn read(lines: &str) -> (Option<HttpSettings>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, lines).unwrap();
        let now = Timestamp(0);
        let loaded = super::super::load_from(Some(&path), std::iter::empty(), now).unwrap();
        let settings = (loaded.faults.count() == 0).then(|| loaded.settings.http.clone());
        let place = format!("{}/", folder.path().display());
        let faults = loaded.faults.into_parts().0.into_iter();
        (settings, faults.map(|fault| fault.to_string().replace(&place, "")).collect())
    }

    fn token(name: &str) -> String {
        format!("[[http.token]]\nname = \"{name}\"\nscope = \"read\"\n{HASH_LINE}")
    }

    #[test]
    fn defaults_listen_nowhere_and_show_nothing() {
        let (settings, faults) = read("");
        assert_eq!(faults, [""; 0]);
        let settings = settings.unwrap();
        assert!(settings.listen.is_empty() && !settings.is_listed && settings.page);
        assert!(!settings.behind_proxy && settings.tls.is_none() && settings.url.is_none());
        assert!(settings.tokens.is_empty() && settings.user_header.is_none());
        assert_eq!((settings.socket_mode, settings.public), (0o660, Public::default()));
    }

    #[test]
    fn every_key_is_read() {
        let (settings, faults) = read(&format!(
            "[http]\nlisten = [\"0.0.0.0:443\", \"unix:/run/a.sock\", \"systemd:act\"]\n\
             tls = {{ certificate = \"/c.pem\", key = {{ credential = \"k\" }}, client_ca = \"/ca.pem\" }}\n\
             behind_proxy = true\nhosts = [\"Status.Example.com\", \"10.0.0.5\", \"::1\"]\n\
             socket_mode = \"600\"\nurl = \"https://status.example.com/up/\"\npage = false\n\
             public = [\"page\", \"feed\"]\n\
             user_header = {{ name = \"X-User\", from = [\"10.0.0.5\", \"10.1.0.0/16\"] }}\n\
             {}labels = {{ team = \"data\" }}\n[[http.token]]\nname = \"anna\"\nscope = \"act\"\n",
            token("grafana")
        ));
        assert_eq!(faults, [""; 0]);
        let settings = settings.unwrap();
        let listen: Vec<_> = settings.listen.iter().map(ToString::to_string).collect();
        assert_eq!(listen, ["0.0.0.0:443", "unix:/run/a.sock", "systemd:act"]);
        assert!(settings.tls.is_some_and(|tls| tls.client_ca.is_some()));
        assert_eq!(settings.hosts, ["status.example.com", "10.0.0.5", "::1"]);
        assert_eq!(settings.url.as_deref(), Some("https://status.example.com/up"));
        let public = Public { page: true, badges: false, feed: true };
        assert_eq!((settings.socket_mode, settings.public), (0o600, public));
        let header = settings.user_header.unwrap();
        assert_eq!((header.name.as_str(), header.from.len()), ("x-user", 2));
        let tokens = settings.tokens.iter();
        let tokens: Vec<_> = tokens.map(|one| (one.name.as_str(), one.scope)).collect();
        assert_eq!(tokens, [("grafana", Scope::Read), ("anna", Scope::Act)]);
        assert_eq!(settings.tokens[0].labels["team"], "data");
        assert!(settings.tokens[1].hash.is_none(), "the certificate is its proof");
    }

    #[test]
    fn address_that_others_reach_needs_tls_and_a_proof() {
        let listen = |address: &str, more: &str| {
            let (_, faults) = read(&format!("[http]\nlisten = [\"{address}\"]\n{more}"));
            let kinds = [("without TLS", 't'), ("could prove nothing", 'p')];
            let kind = |fault: &String| {
                assert!(fault.starts_with("f:2: http.listen: "), "{fault}");
                let found = kinds.iter().find(|(text, _)| fault.contains(text));
                found.map_or('?', |(_, kind)| *kind)
            };
            faults.iter().map(kind).collect::<String>()
        };
        let tls = "tls = { certificate = \"/c\", key = \"/k\" }\n";
        let mutual = "tls = { certificate = \"/c\", key = \"/k\", client_ca = \"/ca\" }\n";
        let proxy = "behind_proxy = true\n";
        let token = token("a");
        let table = [
            ("10.0.0.5:80", String::new(), "tp"),
            ("[::]:80", String::new(), "tp"),
            ("10.0.0.5:80", tls.to_owned(), "p"),
            ("10.0.0.5:80", proxy.to_owned(), "p"),
            ("10.0.0.5:80", token.clone(), "t"),
            ("10.0.0.5:80", format!("{tls}{token}"), ""),
            ("10.0.0.5:80", format!("{proxy}{token}"), ""),
            ("10.0.0.5:80", mutual.to_owned(), ""),
            ("127.0.0.1:80", String::new(), ""),
            ("unix:/a.sock", String::new(), ""),
            ("systemd:act", String::new(), ""),
        ];
        for (address, more, expected) in table {
            assert_eq!(listen(address, &more), expected, "{address} {more}");
        }
    }

    #[test]
    fn wrong_value_is_a_fault_with_its_place_and_remediation() {
        let no_hash = "[[http.token]]\nname = \"a\"\nscope = \"read\"\n";
        let twice = format!("[http]\n{}{}", token("a"), token("a"));
        let bad_hash = format!("{no_hash}hash = \"hunter2\"\n");
        let table = [
            ("[http]\nlisten = [\"localhost:1\"]", "f:2: http.listen: \"localhost:1\": expected"),
            ("[http]\nlisten = \"127.0.0.1:1\"", "f:2: http.listen: expected a list of texts"),
            ("[http]\nlisten = [\"unix:/a\", \"unix:/a\"]", "\"unix:/a\" is listed twice"),
            ("[http]\ntls = { certificate = \"/c\" }", "http.tls: needs both `certificate`"),
            ("[http]\ntls = { client_ca = \"/c\" }", "f:2: http.tls: needs both `certificate`"),
            ("[http]\ntls = { cert = \"/c\" }", "http.tls.cert: unknown key"),
            ("[http]\nbehind_proxy = 1", "http.behind_proxy: expected true or false"),
            ("[http]\nhosts = [\"https://a\"]", "http.hosts: \"https://a\" is not a name"),
            ("[http]\nhosts = [\"a:80\"]", "without scheme and port"),
            ("[http]\nsocket_mode = \"rw\"", "http.socket_mode: expected permission bits"),
            ("[http]\nsocket_mode = \"1777\"", "expected permission bits such as \"0660\""),
            ("[http]\nsocket_mode = \"+60\"", "expected permission bits such as \"0660\""),
            ("[http]\nurl = \"status.example.com\"", "http.url: expected an address"),
            ("[http]\nurl = \"ftp://a\"", "http.url: expected an address"),
            ("[http]\nurl = \"https://u:hunter2@a\"", "http.url: expected an address"),
            ("[http]\npublic = [\"pages\"]", "did you mean `page`?"),
            ("[http]\nuser_header = { name = \"X\" }", "needs both `name` and `from`"),
            ("[http]\nuser_header = { name = \"a b\", from = [\"::1\"] }", "http.user_header.name"),
            ("[http]\nuser_header = { name = \"Authorization\", from = [\"::1\"] }", "cannot be"),
            ("[http]\nuser_header = { name = \"X\", from = [\"proxy\"] }", "is not an address"),
            ("[http]\nuser_header = { name = \"X\", from = [] }", "must name the addresses"),
            ("[http]\ntoken = \"a\"", "f:2: http.token: expected a list of tables"),
            (no_hash, "f:1: http.token[0].hash: missing; add `hash`, as `revalidated token NAME`"),
            (&bad_hash, "f:4: http.token[0].hash: expected `sha256:` and 64 hexadecimal digits"),
            (&twice, "f:7: http.token[1].name: duplicate name \"a\": the token at f:3 has it too"),
            ("[[http.token]]\nscope = \"read\"", "f:1: http.token[0].name: missing; add `name`"),
            ("[[http.token]]\nname = \"a\"", "f:1: http.token[0].scope: missing; add `scope`"),
            (
                "[[http.token]]\nname = \"a\"\nscope = \"reed\"",
                "f:3: http.token[0].scope: expected one of `metrics`, `read`, `act`",
            ),
            (
                "[[http.token]]\nname = \"a\"\nscope = \"metrics\"\nlabels = { a = \"b\" }",
                "f:4: http.token[0].labels: metrics are about all integrations",
            ),
            (
                "[metrics]\nlisten = \"127.0.0.1:9464\"\n[http]\nlisten = [\"127.0.0.1:9464\"]",
                "f:4: http.listen: \"127.0.0.1:9464\" collides with \"127.0.0.1:9464\" of `metrics.",
            ),
        ];
        for (lines, expected) in table {
            let (_, faults) = read(&format!("{lines}\n"));
            assert_eq!(faults.len(), 1, "{lines}: {faults:?}");
            assert!(faults[0].contains(expected), "{lines}: {faults:?}");
            assert!(!faults[0].contains("hunter2"), "{faults:?}");
        }
    }

    #[test]
    fn layer_alone_leaves_what_keys_say_together_to_the_others() {
        for layer in [
            "[http]\nlisten = [\"10.0.0.5:80\"]\n",
            "[http]\ntls = { certificate = \"/c\" }\n",
            "[[http.token]]\nname = \"a\"\nscope = \"read\"\n",
        ] {
            let value = Format::Toml.parse(layer, "f").unwrap();
            let faults = Faults::default();
            Settings::read(&value, &mut Schedules::new(Timestamp(0)), &faults);
            assert_eq!(faults.count(), 0, "{layer}");
        }
    }

    #[test]
    fn secrets_are_referred_to_once_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let lines = "[http]\ntls = { certificate = \"/c.pem\", key = { credential = \"k\" } }\n";
        std::fs::write(&path, format!("{lines}{}", token("a"))).unwrap();
        let now = Timestamp(0);
        let loaded = super::super::load_from(Some(&path), std::iter::empty(), now).unwrap();
        let references: Vec<_> =
            loaded.faults.references().into_iter().map(|one| one.path).collect();
        assert_eq!(references, ["http.tls.certificate", "http.tls.key"]);
        assert!(!format!("{:?}", loaded.settings.http).contains("sha256"));
        let warnings = loaded.close().unwrap();
        assert_eq!(warnings.iter().filter(|one| one.path == "http.token[0].hash").count(), 1);
    }
}
