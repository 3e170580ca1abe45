//! Access control: what a request proves (socket, token, certificate), and the caller that follows.
//!
//! A token has 256 random bits, so that one SHA-256 of it can be kept. The rules are replaced as a whole when the
//! configuration is read again; a request is judged by those that it finds.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use axum::http::{HeaderMap, HeaderName, Uri, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::process::geteuid;
use secrecy::zeroize::Zeroizing;
use tracing::error;

use super::caller::Caller;
use super::peer::Peer;
use crate::domain::{
    HttpSettings, HttpToken, Public, Scope, UserHeader, is_unseen, one_line, token_digest,
};
use crate::secrets;

/// Length limit of a user that a log-in proxy names, in characters.
const USER_MAX: usize = 128;
/// Headers by which proxies say that a request has come through them.
const FORWARDED: [HeaderName; 4] = [
    header::FORWARDED,
    header::VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-real-ip"),
];

/// Handle by which the rules in force are read and replaced. Clone it freely.
#[derive(Clone, Debug)]
pub(crate) struct Access(Arc<RwLock<Arc<Rules>>>);

/// Rules by which requests are judged.
#[derive(Debug)]
pub(super) struct Rules {
    tokens: Vec<Token>,
    user_header: Option<UserHeader>,
    hosts: Vec<String>,
    public: Public,
    behind_proxy: bool,
    /// Scope of every caller, whatever it proves; none where each proves its own.
    everyone: Option<Scope>,
    own_uid: u32,
}

/// Token as it is compared.
#[derive(Debug)]
struct Token {
    name: String,
    scope: Scope,
    labels: BTreeMap<String, String>,
    digest: Option<[u8; 32]>,
}

/// Means of proof that a request has in its headers.
enum Presented {
    Nothing,
    Token(Zeroizing<Vec<u8>>),
    Unreadable,
}

/// Error of a request with a token that is none of the configured ones.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct WrongToken;

impl Access {
    /// Reads the hashes of the tokens, and returns the rules of `settings`.
    pub(crate) async fn of(settings: &HttpSettings) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(Rules::of(settings).await))))
    }

    /// Returns rules by which every caller has this scope.
    pub(super) fn everyone(scope: Scope) -> Self {
        let rules = Rules { everyone: Some(scope), ..Rules::default() };
        Self(Arc::new(RwLock::new(Arc::new(rules))))
    }

    /// Puts the rules of `settings` in force, with hashes that are read anew.
    pub(crate) async fn replace(&self, settings: &HttpSettings) {
        let rules = Arc::new(Rules::of(settings).await);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    /// Returns the rules in force.
    pub(super) fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            tokens: Vec::new(),
            user_header: None,
            hosts: Vec::new(),
            public: Public::default(),
            behind_proxy: false,
            everyone: None,
            own_uid: geteuid().as_raw(),
        }
    }
}

impl Rules {
    async fn of(settings: &HttpSettings) -> Self {
        let mut tokens = Vec::with_capacity(settings.tokens.len());
        for token in &settings.tokens {
            tokens.push(Token::read(token).await);
        }
        let url: Option<Uri> = settings.url.as_ref().and_then(|url| url.parse().ok());
        let own = url.as_ref().and_then(Uri::host).map(str::to_ascii_lowercase);
        Self {
            tokens,
            user_header: settings.user_header.clone(),
            hosts: settings.hosts.iter().cloned().chain(own).collect(),
            public: settings.public,
            behind_proxy: settings.behind_proxy,
            ..Self::default()
        }
    }

    /// Returns the caller of a request from `peer` with these headers.
    ///
    /// # Errors
    ///
    /// Fails for a token that is none of the configured ones.
    pub(super) fn judge(&self, peer: &Peer, headers: &HeaderMap) -> Result<Caller, WrongToken> {
        let mut caller = if let Some(scope) = self.everyone {
            Caller { scope, by: peer.name(), ..Caller::default() }
        } else {
            match presented(headers) {
                Presented::Nothing => self.by_peer(peer, headers),
                Presented::Token(token) => self.by_token(&token).ok_or(WrongToken)?,
                Presented::Unreadable => return Err(WrongToken),
            }
        };
        if let Some(user) = self.user(peer, headers) {
            caller.by = user;
        }
        caller.public = self.public;
        Ok(caller)
    }

    /// Returns true for a name that requests may be sent to, so that a page of others whose name leads here
    /// (DNS rebinding) is refused.
    pub(super) fn is_own_host(&self, peer: &Peer, host: &str) -> bool {
        let Peer::Tcp { local, .. } = peer else { return true };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        if self.everyone.is_some() || self.hosts.contains(&host) || host == "localhost" {
            return true;
        }
        let ip = host.parse().map(|ip: IpAddr| ip.to_canonical());
        ip.is_ok_and(|ip| ip.is_loopback() || ip == local.to_canonical())
    }

    /// Returns the caller by the certificate, socket or address alone.
    fn by_peer(&self, peer: &Peer, headers: &HeaderMap) -> Caller {
        if let Peer::Tcp { certificate: Some(name), .. } = peer
            && let Some(token) = self.tokens.iter().find(|token| token.name == *name)
        {
            return token.caller();
        }
        // A proxy on this machine is not the one who asks, unless people log in at it.
        let is_logged_in = self.user(peer, headers).is_some();
        let scope = if !is_logged_in && self.is_forwarded(peer, headers) {
            Scope::Anonymous
        } else {
            peer.scope(self.own_uid)
        };
        Caller { scope, by: peer.name(), ..Caller::default() }
    }

    fn is_forwarded(&self, peer: &Peer, headers: &HeaderMap) -> bool {
        self.behind_proxy && matches!(peer, Peer::Tcp { .. })
            || self.is_proxy(peer).is_some()
            || FORWARDED.iter().any(|name| headers.contains_key(name))
    }

    /// Returns the header of users when `peer` is a proxy that may name them.
    fn is_proxy(&self, peer: &Peer) -> Option<&UserHeader> {
        let Peer::Tcp { ip, .. } = peer else { return None };
        let ip = ip.to_canonical();
        let header = self.user_header.as_ref()?;
        header.from.iter().any(|net| net.contains(&ip)).then_some(header)
    }

    /// Returns the user that a log-in proxy names.
    fn user(&self, peer: &Peer, headers: &HeaderMap) -> Option<String> {
        let header = self.is_proxy(peer)?;
        let user = headers.get(&header.name)?.to_str().ok()?.trim();
        (!user.is_empty() && !user.chars().any(is_unseen)).then(|| one_line(user, USER_MAX))
    }

    /// Returns the caller with this token. All are compared, so that the time says nothing of the place.
    fn by_token(&self, token: &[u8]) -> Option<Caller> {
        let given = digest(&SHA256, token);
        let mut found = None;
        for token in &self.tokens {
            let Some(own) = token.digest else { continue };
            if verify_slices_are_equal(given.as_ref(), &own).is_ok() {
                found = Some(token);
            }
        }
        found.map(Token::caller)
    }
}

/// Returns the tokens whose hash can be read and is malformed, each with its key.
pub(super) async fn malformed(tokens: &[HttpToken]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let Some(hash) = &token.hash else { continue };
        if let Ok(text) = secrets::resolve(hash).await
            && token_digest(text.expose().trim()).is_none()
        {
            let problem = "it is not `sha256:` and 64 hexadecimal digits";
            found.push((format!("http.token[{index}].hash"), problem.to_owned()));
        }
    }
    found
}

impl Token {
    /// Reads the hash; a token whose hash cannot be read opens nothing.
    async fn read(token: &HttpToken) -> Self {
        let HttpToken { name, scope, labels, hash } = token.clone();
        let mut digest = None;
        if let Some(hash) = &hash {
            match secrets::resolve(hash).await {
                Ok(text) => {
                    digest = token_digest(text.expose().trim());
                    if digest.is_none() {
                        error!(token = name, "token {name} opens nothing: its hash is malformed");
                    }
                }
                Err(error) => error!(token = name, "token {name} opens nothing: {error}"),
            }
        }
        Self { name, scope, labels, digest }
    }

    fn caller(&self) -> Caller {
        let (by, labels) = (self.name.clone(), self.labels.clone());
        Caller { scope: self.scope, by, labels, public: Public::default() }
    }
}

/// Returns the token in `Authorization`: after `Bearer`, as the password of `Basic`, or as it is.
fn presented(headers: &HeaderMap) -> Presented {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Presented::Nothing };
    if values.next().is_some() {
        return Presented::Unreadable;
    }
    let value = value.as_bytes().trim_ascii();
    let after = |scheme: &str| {
        let (word, rest) = value.split_at_checked(scheme.len())?;
        let is_scheme = word.eq_ignore_ascii_case(scheme.as_bytes()) && rest.starts_with(b" ");
        is_scheme.then(|| rest.trim_ascii())
    };
    if let Some(encoded) = after("Basic") {
        let decoded = STANDARD.decode(encoded).map(Zeroizing::new);
        let password = decoded.ok().and_then(|decoded| {
            let colon = decoded.iter().position(|byte| *byte == b':')?;
            decoded.get(colon + 1..).map(|password| Zeroizing::new(password.to_vec()))
        });
        return password.map_or(Presented::Unreadable, Presented::Token);
    }
    Presented::Token(Zeroizing::new(after("Bearer").unwrap_or(value).to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Secret, SecretRef};

    fn hash(token: &str) -> String {
        let digest = digest(&SHA256, token.as_bytes());
        let hex = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
        format!("sha256:{}", hex.collect::<String>())
    }

    fn token(name: &str, scope: Scope) -> HttpToken {
        let hash = Some(SecretRef::Literal(Secret::new(hash(&format!("rvt_{name}")))));
        HttpToken { name: name.to_owned(), scope, labels: BTreeMap::new(), hash }
    }

    fn settings() -> HttpSettings {
        let tokens = [("prom", Scope::Metrics), ("graf", Scope::Read), ("anna", Scope::Act)];
        HttpSettings {
            tokens: tokens.map(|(name, scope)| token(name, scope)).into(),
            ..HttpSettings::default()
        }
    }

    fn tcp(ip: &str) -> Peer {
        let local = "10.0.0.1".parse().unwrap();
        Peer::Tcp { ip: ip.parse().unwrap(), local, certificate: None }
    }

    fn certified(name: &str) -> Peer {
        let ip = "10.0.0.7".parse().unwrap();
        Peer::Tcp { ip, local: ip, certificate: Some(name.to_owned()) }
    }

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let name: HeaderName = name.parse().unwrap();
            (name, value.parse().unwrap())
        });
        pairs.collect()
    }

    /// Returns scope and name of a caller, or `wrong token`.
    async fn judged(settings: &HttpSettings, peer: &Peer, pairs: &[(&str, &str)]) -> String {
        let mut map = HeaderMap::new();
        for (name, value) in &headers(pairs) {
            map.append(name, value.clone());
        }
        let rules = Access::of(settings).await.rules();
        rules
            .judge(peer, &map)
            .map_or("wrong token".to_owned(), |caller| format!("{} {}", caller.scope, caller.by))
    }

    #[tokio::test]
    async fn each_proof_by_each_way_gives_its_scope() {
        let socket = |uid| Peer::Socket { uid: Some(uid) };
        let systemd = |scope| Peer::Systemd { scope, uid: Some(65_534) };
        let peers = [
            (tcp("10.0.0.7"), "anonymous 10.0.0.7"),
            (tcp("127.0.0.1"), "read 127.0.0.1"),
            (certified("anna"), "act anna"),
            (certified("stranger"), "anonymous 10.0.0.7"),
            (socket(0), "act uid:0"),
            (socket(4242), "read uid:4242"),
            (systemd(Scope::Read), "read revalidated-read"),
            (systemd(Scope::Act), "act revalidated-act"),
        ];
        let tokens = [
            ("rvt_prom", "metrics prom"),
            ("rvt_graf", "read graf"),
            ("rvt_anna", "act anna"),
            ("rvt_none", "wrong token"),
            ("", "wrong token"),
            ("anna", "wrong token"),
        ];
        for (peer, without) in peers {
            assert_eq!(judged(&settings(), &peer, &[]).await, without, "{peer:?}");
            for (token, expected) in tokens {
                let basic = |user: &str| STANDARD.encode(format!("{user}:{token}"));
                for value in [
                    token.to_owned(),
                    format!("Bearer {token}"),
                    format!("bearer   {token} "),
                    format!("Basic {}", basic("any")),
                    format!("BASIC {}", basic("")),
                ] {
                    let found = judged(&settings(), &peer, &[("authorization", &value)]).await;
                    assert_eq!(found, expected, "{peer:?} {value}");
                }
            }
        }
    }

    #[tokio::test]
    async fn malformed_proofs_are_wrong_tokens() {
        for value in [
            "Bearer",
            "Basic",
            "Basic !!!",
            "Basic cnZ0X2FubmE=",
            "Digest rvt_anna",
            "Bearerrvt_anna",
            "rvt_anna, rvt_anna",
        ] {
            let found = judged(&settings(), &tcp("127.0.0.1"), &[("authorization", value)]).await;
            assert_eq!(found, "wrong token", "{value}");
        }
        let rules = Access::of(&settings()).await.rules();
        let mut twice = headers(&[("authorization", "rvt_anna")]);
        twice.append("authorization", "rvt_anna".parse().unwrap());
        assert_eq!(rules.judge(&tcp("127.0.0.1"), &twice), Err(WrongToken));
    }

    #[tokio::test]
    async fn address_and_socket_prove_nothing_for_a_proxy() {
        let local = tcp("127.0.0.1");
        for name in ["forwarded", "via", "x-forwarded-for", "X-Real-IP"] {
            let found = judged(&settings(), &local, &[(name, "10.9.9.9")]).await;
            assert_eq!(found, "anonymous 127.0.0.1", "{name}");
            let socket = Peer::Socket { uid: Some(0) };
            let found = judged(&settings(), &socket, &[(name, "10.9.9.9")]).await;
            assert_eq!(found, "anonymous uid:0", "{name}");
        }
        let behind = HttpSettings { behind_proxy: true, ..settings() };
        assert_eq!(judged(&behind, &local, &[]).await, "anonymous 127.0.0.1");
        assert_eq!(judged(&behind, &Peer::Socket { uid: Some(0) }, &[]).await, "act uid:0");
        let token = [("authorization", "rvt_graf"), ("via", "1.1 a")];
        assert_eq!(judged(&behind, &local, &token).await, "read graf");
    }

    #[tokio::test]
    async fn only_a_named_proxy_names_the_user_who_acts() {
        let from = vec!["10.0.0.5".parse().map(IpAddr::into).unwrap()];
        let user_header = Some(UserHeader { name: "x-user".to_owned(), from });
        let settings = HttpSettings { user_header, ..settings() };
        let of = async |ip: &str, user: &str| {
            let pairs = [("authorization", "rvt_anna"), ("x-user", user)];
            judged(&settings, &tcp(ip), &pairs).await
        };
        assert_eq!(of("10.0.0.5", "bob@example.com").await, "act bob@example.com");
        assert_eq!(of("::ffff:10.0.0.5", " bob ").await, "act bob");
        assert_eq!(of("10.0.0.6", "bob").await, "act anna");
        assert_eq!(of("10.0.0.5", "").await, "act anna");
        let alone = judged(&settings, &tcp("10.0.0.5"), &[("x-user", "bob")]).await;
        assert_eq!(alone, "anonymous bob", "it is no proof");
    }

    #[tokio::test]
    async fn user_who_logged_in_at_a_proxy_of_this_machine_reads() {
        let from = vec!["127.0.0.0/8".parse().unwrap()];
        let user_header = Some(UserHeader { name: "x-user".to_owned(), from });
        for behind_proxy in [false, true] {
            let header = user_header.clone();
            let settings = HttpSettings { user_header: header, behind_proxy, ..settings() };
            let of =
                async |pairs: &[(&str, &str)]| judged(&settings, &tcp("127.0.0.1"), pairs).await;
            assert_eq!(of(&[("x-user", "bob"), ("via", "1.1 a")]).await, "read bob");
            assert_eq!(of(&[("x-user", "")]).await, "anonymous 127.0.0.1");
            assert_eq!(of(&[("via", "1.1 a")]).await, "anonymous 127.0.0.1");
            let token = [("x-user", "bob"), ("authorization", "rvt_anna")];
            assert_eq!(of(&token).await, "act bob");
        }
    }

    #[tokio::test]
    async fn replaced_rules_judge_the_next_request() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hash");
        let mut one = token("anna", Scope::Act);
        one.hash = Some(SecretRef::File(path.clone()));
        let settings = HttpSettings { tokens: vec![one], ..HttpSettings::default() };
        let access = Access::of(&settings).await;
        let opens = |token: &str| {
            let headers = headers(&[("authorization", token)]);
            access.rules().judge(&tcp("10.0.0.7"), &headers).is_ok()
        };
        assert!(!opens("rvt_anna"), "its hash cannot be read");
        std::fs::write(&path, format!("{}\n", hash("rvt_anna"))).unwrap();
        access.replace(&settings).await;
        assert!(opens("rvt_anna"));
        std::fs::write(&path, hash("rvt_next")).unwrap();
        assert!(opens("rvt_anna"), "nothing is read between");
        access.replace(&settings).await;
        assert!(!opens("rvt_anna") && opens("rvt_next"));
        std::fs::write(&path, "rvt_next").unwrap();
        access.replace(&settings).await;
        assert!(!opens("rvt_next"), "its hash is malformed");
    }

    #[tokio::test]
    async fn other_names_are_refused_at_ports_alone() {
        let url = Some("https://Status.example.com/up".to_owned());
        let hosts = vec!["reval.example.com".to_owned()];
        let rules = Access::of(&HttpSettings { hosts, url, ..HttpSettings::default() }).await;
        let rules = rules.rules();
        for (host, expected) in [
            ("localhost", true),
            ("LOCALHOST", true),
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("[::1]", true),
            ("[::ffff:127.0.0.1]", true),
            ("10.0.0.1", true),
            ("10.0.0.2", false),
            ("reval.example.com", true),
            ("Reval.Example.COM", true),
            ("status.example.com", true),
            ("evil.example.com", false),
            ("localhost.evil.example.com", false),
            ("127.0.0.1.nip.io", false),
            ("", false),
        ] {
            assert_eq!(rules.is_own_host(&tcp("127.0.0.1"), host), expected, "{host}");
            assert!(rules.is_own_host(&Peer::Socket { uid: None }, host), "{host}");
        }
    }

    #[test]
    fn everyone_has_the_scope_of_a_server_for_metrics() {
        let rules = Access::everyone(Scope::Metrics).rules();
        let caller = rules.judge(&tcp("10.0.0.7"), &headers(&[("authorization", "x")])).unwrap();
        assert_eq!((caller.scope, caller.by.as_str()), (Scope::Metrics, "10.0.0.7"));
        assert!(rules.is_own_host(&tcp("10.0.0.7"), "any.example.com"));
    }
}
