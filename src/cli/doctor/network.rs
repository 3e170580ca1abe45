//! Facts about the machine and its network.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::Duration;

use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, timeout};

use super::disk;
use super::facts::{Machine, Name};
use crate::daemon::Assembly;
use crate::domain::{Listen, Timestamp};
use crate::net::tcp;
use crate::webhook::Receiver;

/// Most names that are resolved.
const NAMES_MAX: usize = 64;
/// Longest wait for a name or a canary.
const WAIT: Duration = Duration::from_secs(4);
/// Longest time for what the kernel and systemd say.
const PART_MAX: Duration = Duration::from_secs(5);
/// Files of certificate authorities of the systems that have one, the first that exists is used.
const AUTHORITIES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// Variable that names another file of certificate authorities.
const AUTHORITIES_VARIABLE: &str = "SSL_CERT_FILE";
/// Socket of the API in the runtime directory of the service.
const SOCKET: &str = "/run/revalidated/api.sock";
/// State of a socket that listens, in the tables of the kernel.
const LISTENING: &str = "0A";

/// Returns the facts about the machine, for the hosts that the configuration names.
pub(super) async fn machine(
    assembly: Option<&Assembly>,
    environment: &BTreeMap<String, String>,
) -> Machine {
    let variable = environment.get(AUTHORITIES_VARIABLE).cloned();
    let sockets: BTreeSet<_> = assembly.map(sockets).unwrap_or_default();
    let canaries = assembly.map(|one| one.settings.own.canaries.clone()).unwrap_or_default();
    let hosts: BTreeSet<_> = assembly.map(hosts).unwrap_or_default();
    let local = timeout(PART_MAX, spawn_blocking(move || local(variable, sockets)));
    let (local, names, canaries) = tokio::join!(local, resolved(hosts), answering(canaries));
    let local = local.ok().and_then(Result::ok).unwrap_or_default();
    Machine { names, canaries, ..local }
}

/// Returns what files and commands of this machine say.
fn local(variable: Option<String>, sockets: BTreeSet<PathBuf>) -> Machine {
    let mut files = variable.map(PathBuf::from).into_iter().chain(AUTHORITIES.map(PathBuf::from));
    let changed = |path: PathBuf| {
        let found = fs::metadata(&path).ok()?;
        Some((path, Timestamp(found.mtime().saturating_mul(1000))))
    };
    let routes = fs::read_to_string("/proc/net/ipv6_route").unwrap_or_default();
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).ok());
    let is_seen = tables.iter().any(Option::is_some);
    let listening = tables.iter().flatten().flat_map(|table| listening(table)).collect();
    Machine {
        is_synchronised: disk::is_synchronised(),
        has_ipv6: has_default_route(&routes),
        authorities: files.find_map(changed),
        listening: is_seen.then_some(listening),
        sockets: disk::modes(sockets.into_iter().collect()),
        ..Machine::default()
    }
}

fn sockets(assembly: &Assembly) -> BTreeSet<PathBuf> {
    let listed = assembly.settings.http.listen.iter().filter_map(|one| match one {
        Listen::Unix(path) => Some(path.clone()),
        Listen::Tcp(_) | Listen::Systemd(_) => None,
    });
    listed.chain([PathBuf::from(SOCKET)]).collect()
}

/// Returns the names of hosts that runs and messages connect to.
fn hosts(assembly: &Assembly) -> BTreeSet<String> {
    let enabled = assembly.integrations.values().filter(|one| !one.wanted.disabled);
    let integrations = enabled.map(|one| one.identity.host.as_str());
    let receivers = assembly.receivers.iter().filter_map(Receiver::origin);
    let receivers: Vec<_> = receivers.collect();
    let all = integrations.chain(receivers.iter().map(|origin| authority(origin)));
    let hosts = all.map(without_port).filter(|host| {
        !host.is_empty() && host.trim_matches(['[', ']']).parse::<IpAddr>().is_err()
    });
    hosts.take(NAMES_MAX).map(str::to_owned).collect()
}

fn authority(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, rest)| rest)
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    }
}

async fn resolved(hosts: BTreeSet<String>) -> Vec<Name> {
    let mut lookups = JoinSet::new();
    for host in hosts {
        lookups.spawn(async move {
            let began = Instant::now();
            let addresses = addresses(&host).await;
            Name { took: began.elapsed(), addresses, host }
        });
    }
    let mut names = lookups.join_all().await;
    names.sort_by(|one, other| one.host.cmp(&other.host));
    names
}

async fn addresses(host: &str) -> Result<Vec<IpAddr>, String> {
    match timeout(WAIT, tokio::net::lookup_host((host, 0))).await {
        Ok(Ok(found)) => Ok(found.map(|address| address.ip()).collect()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_elapsed) => Err(format!("no answer within {} s", WAIT.as_secs())),
    }
}

/// Returns the canaries, true where they accept a connection.
async fn answering(canaries: Vec<String>) -> Vec<(String, bool)> {
    let mut attempts = JoinSet::new();
    for canary in canaries {
        attempts.spawn(async move {
            let (host, port) = canary.rsplit_once(':').unwrap_or((&canary, "443"));
            let connected =
                tcp::connect(host.trim_matches(['[', ']']), port.parse().unwrap_or(443));
            let accepts = timeout(WAIT, connected).await.is_ok_and(|found| found.is_ok());
            (canary, accepts)
        });
    }
    let mut found = attempts.join_all().await;
    found.sort();
    found
}

/// Returns true when the kernel's table of routes has a default route of IPv6 that leaves the machine.
fn has_default_route(table: &str) -> bool {
    table.lines().any(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let is_default = fields.first().is_some_and(|to| to.bytes().all(|byte| byte == b'0'))
            && fields.get(1) == Some(&"00");
        is_default && fields.last().is_some_and(|device| *device != "lo")
    })
}

/// Returns the addresses that listen in a table of the kernel.
fn listening(table: &str) -> Vec<SocketAddr> {
    let addresses = table.lines().skip(1).filter_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let address = fields.next()?;
        let is_listening = fields.nth(1)? == LISTENING;
        let (ip, port) = address.split_once(':')?;
        let port = u16::from_str_radix(port, 16).ok()?;
        is_listening.then_some(SocketAddr::new(ip_of(ip)?, port))
    });
    addresses.collect()
}

/// Returns an address of the kernel's tables: words of 32 bits in the order of this machine.
fn ip_of(hex: &str) -> Option<IpAddr> {
    let words = hex.as_bytes().chunks(8).map(|word| {
        let word = std::str::from_utf8(word).ok()?;
        Some(u32::from_str_radix(word, 16).ok()?.to_ne_bytes())
    });
    let words = words.collect::<Option<Vec<_>>>()?.concat();
    if let Ok(bytes) = <[u8; 4]>::try_from(words.as_slice()) {
        return Some(IpAddr::V4(Ipv4Addr::from(bytes)));
    }
    let bytes = <[u8; 16]>::try_from(words.as_slice()).ok()?;
    Some(IpAddr::V6(Ipv6Addr::from(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_listen_are_read_from_the_kernels_table() {
        let table = "  sl  local_address rem_address   st tx_queue\n\
             0: 0100007F:24E8 00000000:0000 0A 00000000:00000000\n\
             1: 0100007F:0050 0200007F:1234 01 00000000:00000000\n\
             2: 00000000000000000000000001000000:0016 00000000000000000000000000000000:0000 0A 0\n\
             bad\n";
        let found: Vec<_> = listening(table).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["127.0.0.1:9448", "[::1]:22"]);
    }

    #[test]
    fn default_route_of_ipv6_leaves_the_machine() {
        let zeros = "0".repeat(32);
        let line = |device: &str| {
            format!("{zeros} 00 {zeros} 00 {zeros} 00000400 1 0 00000003 {device}\n")
        };
        assert!(has_default_route(&line("eth0")));
        assert!(!has_default_route(&line("lo")));
        let of_link = format!("fe80{} 40 {zeros} 00 {zeros} 0 1 0 1 eth0\n", "0".repeat(28));
        assert!(!has_default_route(&of_link));
    }

    #[test]
    fn hosts_are_cut_from_their_ports() {
        let table = [("db.example.com:5439", "db.example.com"), ("db", "db"), ("[::1]:5", "[::1]")];
        for (host, expected) in table {
            assert_eq!(without_port(host), expected);
        }
        assert_eq!(without_port(authority("https://hooks.example.com:8443")), "hooks.example.com");
    }

    #[test]
    fn hosts_and_sockets_are_those_of_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("main.toml");
        let integration = |name: &str, host: &str, more: &str| {
            format!(
                "[[integration]]\nname = \"{name}\"\ntype = \"Trino\"\n{more}[integration.config]\nhost = \"{host}\"\n\
                 authenticationType = \"userPassword\"\nusername = \"u\"\npassword = {{ file = \"/nowhere\" }}\n"
            )
        };
        let main = [
            "[http]\nlisten = [\"unix:/run/x/api.sock\", \"127.0.0.1:8080\"]\n".to_owned(),
            "[[receiver]]\nname = \"r\"\nurl = \"https://hooks.example.com:8443/x\"\n\
             secrets = [{ credential = \"hook\" }]\n"
                .to_owned(),
            integration("a", "a.example.com", ""),
            integration("b", "192.0.2.7", ""),
            integration("c", "c.example.com", "disabled = true\n"),
        ];
        fs::write(&path, main.concat()).unwrap();
        let assembly = crate::daemon::open(Some(&path));
        let assembly = assembly.unwrap_or_else(|faulty| panic!("{:?}", faulty.faults));
        let found: Vec<_> = hosts(&assembly).into_iter().collect();
        assert_eq!(found, ["a.example.com", "hooks.example.com"]);
        let expected = ["/run/revalidated/api.sock", "/run/x/api.sock"];
        assert_eq!(sockets(&assembly), expected.map(PathBuf::from).into());
    }

    #[tokio::test]
    async fn canaries_and_names_are_asked() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap().to_string();
        let found = answering(vec!["127.0.0.1:1".to_owned(), open.clone()]).await;
        assert_eq!(found, [("127.0.0.1:1".to_owned(), false), (open, true)]);
        let names = resolved(["localhost".to_owned(), "nowhere.invalid".to_owned()].into()).await;
        assert!(names[0].addresses.as_ref().is_ok_and(|found| !found.is_empty()), "{names:?}");
        assert!(names[1].addresses.is_err(), "{names:?}");
    }
}
