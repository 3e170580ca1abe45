//! Access to the HTTP server: addresses to listen at, scopes of callers, and the means by which they prove themselves.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use strum::IntoStaticStr;

use super::SecretRef;

/// Longest path of a Unix socket that the kernel takes, in bytes.
const SOCKET_PATH_MAX: usize = 107;

/// Scope of a caller: the permissions that it has, in rising order.
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, IntoStaticStr, Ord, PartialEq, PartialOrd, strum::Display,
)]
#[strum(serialize_all = "lowercase")]
pub(crate) enum Scope {
    /// Nothing proved: health, and the parts that are public.
    #[default]
    Anonymous,
    /// Reads of the metrics alone.
    Metrics,
    /// Reads of everything there is.
    Read,
    /// Reads of everything, and actions.
    Act,
}

/// Parts that are shown to callers without a token.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Public {
    /// True for the page, without names of hosts, configuration and evidence.
    pub(crate) page: bool,
    /// True for badges of integrations.
    pub(crate) badges: bool,
    /// True for the feed of status changes.
    pub(crate) feed: bool,
}

/// Address at which the HTTP server listens.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Listen {
    /// Address and port of this machine.
    Tcp(SocketAddr),
    /// Unix socket that the daemon makes.
    Unix(PathBuf),
    /// Unix socket that systemd passes; all its callers have this scope.
    Systemd(Scope),
}

impl Listen {
    /// Reads `unix:/path`, `systemd:read`, `systemd:act`, or an address and a port.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if let Some(path) = text.strip_prefix("unix:") {
            return if !path.starts_with('/') || path.ends_with('/') || path.contains('\0') {
                Err("expected the full path of a socket such as \"unix:/run/revalidated/api.sock\"")
            } else if SOCKET_PATH_MAX < path.len() {
                Err("is longer than a socket's path can be, 107 bytes")
            } else {
                Ok(Self::Unix(PathBuf::from(path)))
            };
        }
        match text {
            "systemd:read" => return Ok(Self::Systemd(Scope::Read)),
            "systemd:act" => return Ok(Self::Systemd(Scope::Act)),
            _ => {}
        }
        text.parse().map(Self::Tcp).map_err(|_error| {
            "expected an address and a port such as \"127.0.0.1:9465\", \"unix:/path\", \
             \"systemd:read\" or \"systemd:act\""
        })
    }

    /// Returns the address when other machines can reach it.
    pub(crate) fn remote(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address).filter(|address| !address.ip().is_loopback()),
            Self::Unix(_) | Self::Systemd(_) => None,
        }
    }

    /// Returns true when this and a server at `address` would take connections from each other.
    pub(crate) fn collides(&self, address: SocketAddr) -> bool {
        let Self::Tcp(own) = self else { return false };
        let (one, other) = (own.ip(), address.ip());
        let overlap = one == other || one.is_unspecified() || other.is_unspecified();
        own.port() != 0 && own.port() == address.port() && overlap
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Systemd(scope) => write!(f, "systemd:{scope}"),
        }
    }
}

/// Token of the configuration: callers that prove to have it get its scope.
#[derive(Clone, Debug)]
pub(crate) struct HttpToken {
    /// Unique name, noted with each action.
    pub(crate) name: String,
    /// Scope of its callers.
    pub(crate) scope: Scope,
    /// Labels that an integration must have to be seen; empty for all.
    pub(crate) labels: BTreeMap<String, String>,
    /// Digest of the token; none where only a client certificate of its name is accepted.
    pub(crate) hash: Option<SecretRef>,
}

/// Header by which a log-in proxy names the user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct UserHeader {
    /// Name of the header, in lower case.
    pub(crate) name: String,
    /// Addresses of proxies; from all others the header is passed over.
    pub(crate) from: Vec<IpNet>,
}

/// Certificate and key of the server, in PEM form.
#[derive(Clone, Debug)]
pub(crate) struct ServerTls {
    /// Certificate, and those up to its authority.
    pub(crate) certificate: SecretRef,
    /// Private key of the certificate.
    pub(crate) key: SecretRef,
    /// Authorities of client certificates; none where clients are not asked for one.
    pub(crate) client_ca: Option<SecretRef>,
}

/// Settings of the HTTP server.
#[derive(Clone, Debug, Default)]
pub(crate) struct HttpSettings {
    /// Addresses to listen at, in the order of the file.
    pub(crate) listen: Vec<Listen>,
    /// True when the configuration lists them; else they are a default.
    pub(crate) is_listed: bool,
    /// Certificate for TCP addresses; none for plain HTTP.
    pub(crate) tls: Option<ServerTls>,
    /// True when a proxy in front ends TLS.
    pub(crate) behind_proxy: bool,
    /// Names that requests may be sent to, in lower case.
    pub(crate) hosts: Vec<String>,
    /// Permission bits of the Unix socket.
    pub(crate) socket_mode: u32,
    /// Address by which people reach it, without a slash at its end.
    pub(crate) url: Option<String>,
    /// True when the page is served.
    pub(crate) page: bool,
    /// Parts that are shown without a token.
    pub(crate) public: Public,
    /// Header by which a log-in proxy names the user.
    pub(crate) user_header: Option<UserHeader>,
    /// Tokens in the order of the file.
    pub(crate) tokens: Vec<HttpToken>,
}

/// Reads the text of a digest, `sha256:` and 64 hexadecimal digits.
pub(crate) fn token_digest(text: &str) -> Option<[u8; 32]> {
    let digits = text.strip_prefix("sha256:")?;
    if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut digest = [0; 32];
    for (byte, pair) in digest.iter_mut().zip(digits.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_is_read_back_from_its_text() {
        for text in ["127.0.0.1:9465", "[::1]:1", "unix:/run/a.sock", "systemd:read", "systemd:act"]
        {
            assert_eq!(Listen::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_text_is_refused_with_an_example() {
        let long = format!("unix:/{}", "x".repeat(SOCKET_PATH_MAX));
        let table = [
            ("", "such as \"127.0.0.1:9465\""),
            ("localhost:9465", "such as \"127.0.0.1:9465\""),
            (":9465", "such as \"127.0.0.1:9465\""),
            ("127.0.0.1", "such as \"127.0.0.1:9465\""),
            ("systemd:metrics", "\"systemd:act\""),
            ("systemd:Read", "\"systemd:act\""),
            ("unix:api.sock", "full path of a socket"),
            ("unix:/run/", "full path of a socket"),
            ("unix:/a\0b", "full path of a socket"),
            (long.as_str(), "107 bytes"),
        ];
        for (text, expected) in table {
            let problem = Listen::parse(text).unwrap_err();
            assert!(problem.contains(expected), "{text}: {problem}");
        }
        assert!(Listen::parse(&long[..long.len() - 1]).is_ok());
    }

    #[test]
    fn only_tcp_addresses_beside_loopback_are_remote() {
        let table = [
            ("127.0.0.1:1", false),
            ("127.8.8.8:1", false),
            ("[::1]:1", false),
            ("unix:/a", false),
            ("systemd:act", false),
            ("0.0.0.0:1", true),
            ("[::]:1", true),
            ("10.0.0.5:1", true),
        ];
        for (text, expected) in table {
            assert_eq!(Listen::parse(text).unwrap().remote().is_some(), expected, "{text}");
        }
    }

    #[test]
    fn addresses_collide_at_one_port_where_they_overlap() {
        let table = [
            ("127.0.0.1:9464", "127.0.0.1:9464", true),
            ("127.0.0.1:9464", "0.0.0.0:9464", true),
            ("[::]:9464", "127.0.0.1:9464", true),
            ("127.0.0.1:9464", "127.0.0.2:9464", false),
            ("127.0.0.1:9464", "127.0.0.1:9465", false),
            ("127.0.0.1:0", "127.0.0.1:0", false),
            ("unix:/a", "127.0.0.1:9464", false),
        ];
        for (text, other, expected) in table {
            let found = Listen::parse(text).unwrap().collides(other.parse().unwrap());
            assert_eq!(found, expected, "{text} {other}");
        }
    }

    #[test]
    fn scopes_rise_and_have_their_names() {
        let scopes = [Scope::Anonymous, Scope::Metrics, Scope::Read, Scope::Act];
        assert!(scopes.is_sorted() && scopes[0] == Scope::default());
        assert_eq!(scopes.map(<&str>::from), ["anonymous", "metrics", "read", "act"]);
    }

    #[test]
    fn digest_is_64_hexadecimal_digits_after_its_name() {
        let digits = "0123456789abcdefABCDEF".repeat(3);
        let digest = token_digest(&format!("sha256:{}", &digits[..64])).unwrap();
        assert_eq!(digest[..4], [0x01, 0x23, 0x45, 0x67]);
        for text in [
            digits[..64].to_owned(),
            format!("sha256:{}", &digits[..63]),
            format!("sha256:{}", &digits[..65]),
            format!("sha256:{}g", &digits[..63]),
            format!("sha256:{}é", &digits[..62]),
            format!("sha256:+{}", &digits[..63]),
            format!("sha512:{}", &digits[..64]),
            "sha256:".to_owned(),
        ] {
            assert_eq!(token_digest(&text), None, "{text}");
        }
    }
}
