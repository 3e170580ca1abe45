//! Which addresses an outgoing connection may reach.
//!
//! Public addresses are open. Everything else must be named in `allow`, and link-local and cloud
//! metadata addresses must be named one by one. The rule is applied to what a name resolves to, in
//! the resolver itself, so nothing is resolved again between the check and the connection; a
//! written-out address never reaches a resolver and is checked with [`host_permitted`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The longest host name, in bytes.
const HOST_BYTES_MAX: usize = 253;
/// The longest label of a host name, in bytes.
const LABEL_BYTES_MAX: usize = 63;

/// Where machines are told who they are and what keys they hold: opened one address at a time.
const METADATA: [(IpNet, &str); 8] = [
    (v4([169, 254, 0, 0], 16), "a link-local address"),
    (v4([100, 100, 100, 200], 32), "a cloud metadata address"),
    (v4([168, 63, 129, 16], 32), "a cloud metadata address"),
    (v4([192, 0, 0, 192], 32), "a cloud metadata address"),
    (v6(0xfe80 << 112, 10), "a link-local address"),
    (v6(0xfd00_0ec2 << 96, 32), "a cloud metadata address"),
    (v6((0xfd20_00ce << 96) | 0x254, 128), "a cloud metadata address"),
    (v6((0xfd00_0042 << 96) | 0x42, 128), "a cloud metadata address"),
];

/// What is not the public Internet (the special-purpose registries of IANA).
const SPECIAL: [(IpNet, &str); 25] = [
    (v4([0, 0, 0, 0], 8), "an unspecified address"),
    (v4([10, 0, 0, 0], 8), "a private address"),
    (v4([100, 64, 0, 0], 10), "a carrier's private address"),
    (v4([127, 0, 0, 0], 8), "a loopback address"),
    (v4([172, 16, 0, 0], 12), "a private address"),
    (v4([192, 0, 0, 0], 24), "a reserved address"),
    (v4([192, 0, 2, 0], 24), "an address for documentation"),
    (v4([192, 88, 99, 0], 24), "a relay address"),
    (v4([192, 168, 0, 0], 16), "a private address"),
    (v4([198, 18, 0, 0], 15), "an address for benchmarks"),
    (v4([198, 51, 100, 0], 24), "an address for documentation"),
    (v4([203, 0, 113, 0], 24), "an address for documentation"),
    (v4([224, 0, 0, 0], 4), "a multicast address"),
    (v4([240, 0, 0, 0], 4), "a reserved address"),
    (v6(0, 128), "an unspecified address"),
    (v6(1, 128), "a loopback address"),
    (NAT64_LOCAL, "a local translation address"),
    (v6(0x2001_0002 << 96, 48), "an address for benchmarks"),
    (v6(0x2001_0010 << 96, 28), "a reserved address"),
    (v6(0x2001_0020 << 96, 28), "a reserved address"),
    (v6(0x2001_0db8 << 96, 32), "an address for documentation"),
    (v6(0x3fff << 112, 20), "an address for documentation"),
    (v6(0xfc00 << 112, 7), "a private address"),
    (v6(0xfec0 << 112, 10), "a site-local address"),
    (v6(0xff00 << 112, 8), "a multicast address"),
];

/// All that is handed out of IPv6 so far.
const GLOBAL_V6: IpNet = v6(0x2000 << 112, 3);
/// Translation of the whole of IPv4: as open as what it leads to.
const NAT64: IpNet = v6(0x0064_ff9b << 96, 96);
/// Translation within one network.
const NAT64_LOCAL: IpNet = v6(0x0064_ff9b_0001 << 80, 48);
/// IPv6 over IPv4, routed by the IPv4 address within.
const SIX_TO_FOUR: IpNet = v6(0x2002 << 112, 16);
/// IPv6 over UDP, with its server's and its client's IPv4 address within.
const TEREDO: IpNet = v6(0x2001_0000 << 96, 32);

const fn v4([a, b, c, d]: [u8; 4], length: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length))
}

const fn v6(bits: u128, length: u8) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::from_bits(bits), length))
}

/// A connection that is not made.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum Refused {
    /// The address is not public, and no entry names it.
    #[error("{addr} is {kind}; name it or its range in `allow` if it is meant")]
    Unnamed {
        /// Which address.
        addr: IpAddr,
        /// What it is.
        kind: &'static str,
    },
    /// The address is one of those that a range does not open, and no entry is exactly it.
    #[error("{addr} is {kind}; only an entry in `allow` that is exactly this address opens it")]
    Unexact {
        /// Which address.
        addr: IpAddr,
        /// What it is.
        kind: &'static str,
    },
    /// The name leads nowhere.
    #[error("{0} has no address")]
    NoAddress(String),
}

/// An entry of `allow` that cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum AllowError {
    /// It is written like a range and is none.
    #[error("`{0}` is not a range of addresses such as `10.0.0.0/8`")]
    Range(String),
    /// Its address does not begin its range.
    #[error("`{entry}` does not begin its range; write `{range}`, or `{addr}` for one address")]
    Beginning {
        /// As written.
        entry: String,
        /// The whole range.
        range: IpNet,
        /// The one address.
        addr: IpAddr,
    },
    /// It is no host name either.
    #[error("`{0}` is neither an address, a range of addresses nor a host name")]
    Host(String),
}

/// What is open besides the public Internet: ranges of addresses, and host names wherever they lead.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Allow {
    ranges: Vec<IpNet>,
    hosts: Vec<String>,
}

impl Allow {
    /// Opens `entry`: an address, a range such as `10.0.0.0/8`, or a host name.
    ///
    /// # Errors
    ///
    /// Says why the entry cannot be used; nothing is opened then.
    pub(crate) fn add(&mut self, entry: &str) -> Result<(), AllowError> {
        if let Ok(addr) = entry.parse::<IpAddr>() {
            self.ranges.push(addr.to_canonical().into());
        } else if entry.contains('/') {
            let not_a_range = |_fault| AllowError::Range(entry.to_owned());
            let range: IpNet = entry.parse().map_err(not_a_range)?;
            if range.trunc() != range {
                let (entry, addr) = (entry.to_owned(), range.addr());
                return Err(AllowError::Beginning { entry, range: range.trunc(), addr });
            }
            self.ranges.push(range);
        } else if is_host(entry) {
            self.hosts.push(entry.to_ascii_lowercase());
        } else {
            return Err(AllowError::Host(entry.to_owned()));
        }
        Ok(())
    }

    /// True when an entry names `host`, be it a name or an address, as it stands in a URL.
    pub(crate) fn names(&self, host: &str) -> bool {
        match literal(host) {
            Some(addr) => self.covers(addr),
            None => self.names_host(host),
        }
    }

    fn names_host(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        self.hosts.iter().any(|name| name.eq_ignore_ascii_case(host))
    }

    fn covers(&self, addr: IpAddr) -> bool {
        let addr = addr.to_canonical();
        self.ranges.iter().any(|range| range.contains(&addr))
    }

    fn is_exactly(&self, addr: IpAddr) -> bool {
        let only = IpNet::from(addr.to_canonical());
        self.ranges.contains(&only)
    }
}

/// Whether a connection to `addr`, which `host` led to, may be made.
///
/// # Errors
///
/// Says what kind of address it is and what would open it.
pub(crate) fn permitted(addr: IpAddr, host: &str, allow: &Allow) -> Result<(), Refused> {
    match closed(addr.to_canonical()) {
        Some(Closed::UnlessExact(kind)) if !allow.is_exactly(addr) => {
            Err(Refused::Unexact { addr, kind })
        }
        Some(Closed::UnlessNamed(kind)) if !allow.covers(addr) && !allow.names_host(host) => {
            Err(Refused::Unnamed { addr, kind })
        }
        Some(Closed::UnlessExact(_) | Closed::UnlessNamed(_)) | None => Ok(()),
    }
}

/// The same for a host as it stands in a URL: a name passes, since its addresses are checked when
/// it is resolved.
///
/// # Errors
///
/// Says what kind of address it is and what would open it.
pub(crate) fn host_permitted(host: &str, allow: &Allow) -> Result<(), Refused> {
    literal(host).map_or(Ok(()), |addr| permitted(addr, host, allow))
}

/// Resolves names as the operating system does.
struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let addrs: Addrs = Box::new(found.into_iter());
            Ok(addrs)
        })
    }
}

/// Resolves names and keeps only the permitted addresses: what it answers is connected to, and
/// nobody is asked again.
#[derive(Clone)]
pub(crate) struct GuardedResolver {
    allow: Arc<Allow>,
    asked: Arc<dyn Resolve>,
}

impl GuardedResolver {
    /// A resolver that asks the operating system and opens what `allow` names.
    pub(crate) fn new(allow: Allow) -> Self {
        Self::asking(Arc::new(System), allow)
    }

    /// The same, asking `asked`.
    pub(crate) fn asking(asked: Arc<dyn Resolve>, allow: Allow) -> Self {
        Self { allow: Arc::new(allow), asked }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow = Arc::clone(&self.allow);
        let host = name.as_str().to_owned();
        let asked = self.asked.resolve(name);
        Box::pin(async move {
            let kept = screened(asked.await?, &host, &allow)?;
            let addrs: Addrs = Box::new(kept.into_iter());
            Ok(addrs)
        })
    }
}

/// The permitted ones among the addresses of `host`, or why the first was refused.
fn screened(
    found: impl Iterator<Item = SocketAddr>,
    host: &str,
    allow: &Allow,
) -> Result<Vec<SocketAddr>, Refused> {
    let (mut kept, mut first) = (Vec::new(), None);
    for addr in found {
        match permitted(addr.ip(), host, allow) {
            Ok(()) => kept.push(addr),
            Err(refused) => first = first.or(Some(refused)),
        }
    }
    if kept.is_empty() {
        return Err(first.unwrap_or_else(|| Refused::NoAddress(host.to_owned())));
    }
    Ok(kept)
}

/// How far an address is closed; the later, the farther.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Closed {
    /// Open to what names its range, or its host.
    UnlessNamed(&'static str),
    /// Open to what names it alone.
    UnlessExact(&'static str),
}

/// How far `addr`, or an IPv4 address within it, is closed.
pub(super) fn closed(addr: IpAddr) -> Option<Closed> {
    let kind_in = |table: &[(IpNet, &'static str)]| {
        table.iter().find(|(range, _)| range.contains(&addr)).map(|(_, kind)| *kind)
    };
    let known = kind_in(&METADATA)
        .map(Closed::UnlessExact)
        .or_else(|| kind_in(&SPECIAL).map(Closed::UnlessNamed));
    let IpAddr::V6(addr_v6) = addr else { return known };
    let is_open = GLOBAL_V6.contains(&addr) || NAT64.contains(&addr);
    let own = known.or((!is_open).then_some(Closed::UnlessNamed("a reserved address")));
    let within = embedded(addr_v6).filter_map(|addr| closed(IpAddr::V4(addr)));
    within.chain(own).max()
}

/// The IPv4 addresses that a translator or tunnel would take from `addr`.
fn embedded(addr: Ipv6Addr) -> impl Iterator<Item = Ipv4Addr> {
    let [_, one, two, three, four, five, six, seven] = addr.segments();
    let joined =
        |high: u16, low: u16| Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low));
    let lies_in = |range: IpNet| range.contains(&IpAddr::V6(addr));
    let found = [
        (lies_in(NAT64) || lies_in(NAT64_LOCAL)).then(|| joined(six, seven)),
        lies_in(NAT64_LOCAL).then(|| joined(three, (four << 8) | (five >> 8))),
        lies_in(SIX_TO_FOUR).then(|| joined(one, two)),
        lies_in(TEREDO).then(|| joined(two, three)),
        lies_in(TEREDO).then(|| joined(!six, !seven)),
    ];
    found.into_iter().flatten()
}

/// The address that `host`, as it stands in a URL, writes out.
pub(super) fn literal(host: &str) -> Option<IpAddr> {
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.unwrap_or(host).parse().ok()
}

/// True when `url` names this machine itself.
pub(crate) fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost"
        || host.ends_with(".localhost")
        || literal(host).is_some_and(|address| address.is_loopback())
}

/// True for a host name in ASCII that no URL parser takes for an address.
fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        let within = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=LABEL_BYTES_MAX).contains(&label.len()) && label.bytes().all(within)
    };
    let last_is_name = text.rsplit('.').next().is_some_and(|label| {
        let is_hex = label.starts_with("0x") || label.starts_with("0X");
        !is_hex && label.bytes().any(|byte| !byte.is_ascii_digit())
    });
    text.len() <= HOST_BYTES_MAX && last_is_name && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What decides about an address.
    #[derive(Clone, Copy, Debug, Eq, PartialEq)]
    enum Needs {
        Nothing,
        Name,
        Exactness,
    }
    use Needs::{Exactness, Name as Naming, Nothing};

    /// As in URLs, tricks included.
    const HOSTS: [(&str, Needs); 102] = [
        // Public.
        ("1.1.1.1", Nothing),
        ("8.8.8.8", Nothing),
        ("9.255.255.255", Nothing),
        ("11.0.0.0", Nothing),
        ("100.63.255.255", Nothing),
        ("100.128.0.0", Nothing),
        ("126.255.255.255", Nothing),
        ("128.0.0.0", Nothing),
        ("169.253.255.255", Nothing),
        ("169.255.0.0", Nothing),
        ("172.15.255.255", Nothing),
        ("172.32.0.0", Nothing),
        ("192.0.1.0", Nothing),
        ("192.167.255.255", Nothing),
        ("192.169.0.0", Nothing),
        ("198.17.255.255", Nothing),
        ("198.20.0.0", Nothing),
        ("223.255.255.255", Nothing),
        ("134744072", Nothing),
        ("[2606:4700:4700::1111]", Nothing),
        ("[2a00:1450:4001::200e]", Nothing),
        ("[2001:4860:4860::8888]", Nothing),
        ("[::ffff:8.8.8.8]", Nothing),
        ("[64:ff9b::8.8.8.8]", Nothing),
        ("[2002:808:808::1]", Nothing),
        // Server 65.54.227.120, client 8.8.8.8.
        ("[2001:0:4136:e378:8000:63bf:f7f7:f7f7]", Nothing),
        // Not public, IPv4.
        ("0.0.0.0", Naming),
        ("0.1.2.3", Naming),
        ("10.0.0.0", Naming),
        ("10.255.255.255", Naming),
        ("100.64.0.0", Naming),
        ("100.127.255.255", Naming),
        ("127.0.0.1", Naming),
        ("127.255.255.254", Naming),
        ("172.16.0.1", Naming),
        ("172.31.255.255", Naming),
        ("192.0.0.1", Naming),
        ("192.0.2.1", Naming),
        ("192.88.99.1", Naming),
        ("192.168.0.1", Naming),
        ("192.168.255.255", Naming),
        ("198.18.0.1", Naming),
        ("198.19.255.255", Naming),
        ("198.51.100.1", Naming),
        ("203.0.113.1", Naming),
        ("224.0.0.1", Naming),
        ("239.255.255.250", Naming),
        ("240.0.0.1", Naming),
        ("255.255.255.255", Naming),
        // The same, as URL parsers read it.
        ("0", Naming),
        ("127.1", Naming),
        ("127.0.1", Naming),
        ("127.0.0.1.", Naming),
        ("2130706433", Naming),
        ("017700000001", Naming),
        ("0x7f000001", Naming),
        ("0x7f.0.0.1", Naming),
        ("0177.0.0.1", Naming),
        ("0xA.0.0.1", Naming),
        ("%31%32%37.0.0.1", Naming),
        ("①②⑦.⓪.⓪.①", Naming),
        ("127。0。0。1", Naming),
        // Not public, IPv6.
        ("[::]", Naming),
        ("[::1]", Naming),
        ("[0:0:0:0:0:0:0:1]", Naming),
        ("[::127.0.0.1]", Naming),
        ("[::8.8.8.8]", Naming),
        ("[::ffff:0:8.8.8.8]", Naming),
        ("[100::1]", Naming),
        ("[2001:db8::1]", Naming),
        ("[2001:2::1]", Naming),
        ("[2001:10::1]", Naming),
        ("[2001:20::1]", Naming),
        ("[3fff::1]", Naming),
        ("[4000::1]", Naming),
        ("[5f00::1]", Naming),
        ("[fc00::1]", Naming),
        ("[fd12:3456:789a::1]", Naming),
        ("[fec0::1]", Naming),
        ("[ff02::1]", Naming),
        // IPv4 within IPv6.
        ("[::ffff:127.0.0.1]", Naming),
        ("[::ffff:7f00:1]", Naming),
        ("[::ffff:10.0.0.1]", Naming),
        ("[64:ff9b::10.0.0.1]", Naming),
        ("[64:ff9b:1::8.8.8.8]", Naming),
        ("[2002:7f00:1::1]", Naming),
        ("[2002:c0a8:101::1]", Naming),
        // Teredo with a private server, then with the client 10.0.0.1.
        ("[2001:0:a00:1::f7f7:f7f7]", Naming),
        ("[2001:0:4136:e378:8000:63bf:f5ff:fffe]", Naming),
        // Where machines keep their keys.
        ("169.254.0.1", Exactness),
        ("169.254.169.254", Exactness),
        ("2852039166", Exactness),
        ("100.100.100.200", Exactness),
        ("168.63.129.16", Exactness),
        ("192.0.0.192", Exactness),
        ("[fe80::1]", Exactness),
        ("[fd00:ec2::254]", Exactness),
        ("[fd20:ce::254]", Exactness),
        ("[::ffff:169.254.169.254]", Exactness),
        ("[64:ff9b::169.254.169.254]", Exactness),
        ("[64:ff9b:1:a9fe:a9:fe00::]", Exactness),
        ("[2002:a9fe:a9fe::1]", Exactness),
    ];

    fn allow(entries: &[&str]) -> Allow {
        let mut allow = Allow::default();
        for entry in entries {
            allow.add(entry).unwrap();
        }
        allow
    }

    #[test]
    fn every_written_out_address_needs_what_its_kind_needs() {
        let nothing = Allow::default();
        let wide = allow(&["0.0.0.0/0", "::/0", "169.254.0.0/16", "fe80::/10"]);
        for (host, needs) in HOSTS {
            let url: reqwest::Url = format!("https://{host}/").parse().unwrap();
            let host = url.host_str().unwrap();
            let addr = literal(host).unwrap_or_else(|| panic!("{host} is an address"));
            let exact = allow(&[&addr.to_string()]);
            let by_host = {
                let mut by_host = Allow::default();
                by_host.hosts.push("hooks.corp.example".to_owned());
                by_host
            };
            let passes = |allow| host_permitted(host, allow).is_ok();
            assert_eq!(passes(&nothing), needs == Nothing, "{host}");
            assert_eq!(passes(&wide), needs != Exactness, "{host} by range");
            assert!(passes(&exact), "{host} by itself");
            let resolved = permitted(addr, "hooks.corp.example", &by_host);
            assert_eq!(resolved.is_ok(), needs != Exactness, "{host} by host name");
            assert_eq!(permitted(addr, "other.example", &by_host).is_ok(), needs == Nothing);
        }
    }

    #[test]
    fn refusals_say_what_opens_the_address() {
        let text = |host| host_permitted(host, &Allow::default()).unwrap_err().to_string();
        assert_eq!(
            text("10.0.0.5"),
            "10.0.0.5 is a private address; name it or its range in `allow` if it is meant"
        );
        assert_eq!(
            text("[::ffff:169.254.169.254]"),
            "::ffff:169.254.169.254 is a link-local address; only an entry in `allow` that is \
             exactly this address opens it"
        );
    }

    #[test]
    fn only_permitted_addresses_of_a_name_remain() {
        let addrs = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)).collect()
        };
        let screen = |found: &[&str], allow: &Allow| {
            screened(addrs(found).into_iter(), "hooks.corp.example", allow)
        };
        let none = Allow::default();
        let mixed = ["10.0.0.5", "8.8.8.8", "::1", "169.254.169.254", "2a00::1"];
        assert_eq!(screen(&mixed, &none), Ok(addrs(&["8.8.8.8", "2a00::1"])));
        let named = allow(&["10.0.0.0/8", "localhost"]);
        assert_eq!(screen(&mixed, &named), Ok(addrs(&["10.0.0.5", "8.8.8.8", "2a00::1"])));
        let by_host = allow(&["Hooks.Corp.example"]);
        assert_eq!(screen(&mixed, &by_host), Ok(addrs(&["10.0.0.5", "8.8.8.8", "::1", "2a00::1"])));
        let refused = screen(&["127.0.0.1", "10.0.0.5"], &none).unwrap_err();
        assert!(matches!(refused, Refused::Unnamed { addr, .. } if addr.is_loopback()));
        let nowhere = screen(&[], &none).unwrap_err().to_string();
        assert_eq!(nowhere, "hooks.corp.example has no address");
    }

    #[tokio::test]
    async fn the_resolver_refuses_a_name_that_leads_inside() {
        let resolve = async |allow: Allow, host: &str| {
            GuardedResolver::new(allow).resolve(host.parse().unwrap()).await
        };
        for host in ["localhost", "LOCALHOST"] {
            let refused = resolve(Allow::default(), host).await.err().unwrap();
            assert!(refused.is::<Refused>(), "{host}: {refused}");
            let found = resolve(allow(&["localhost"]), host).await.unwrap();
            assert!(found.map(|addr| addr.ip()).all(|addr| addr.is_loopback()), "{host}");
        }
        assert!(resolve(allow(&["127.0.0.0/8", "::1"]), "localhost").await.is_ok());
    }

    /// Gives one answer after the other.
    struct Changing(std::sync::Mutex<std::vec::IntoIter<Vec<&'static str>>>);

    impl Resolve for Changing {
        fn resolve(&self, _name: Name) -> Resolving {
            let texts = self.0.lock().unwrap().next().unwrap();
            let found = texts.into_iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0));
            let found: Addrs = Box::new(found);
            Box::pin(std::future::ready(Ok(found)))
        }
    }

    #[tokio::test]
    async fn every_answer_about_a_name_is_screened_whatever_the_one_before_was() {
        let table = [
            (vec!["8.8.8.8"], vec!["8.8.8.8"]),
            (vec!["127.0.0.1"], vec![]),
            (vec!["169.254.169.254"], vec![]),
            (vec!["8.8.8.8", "169.254.169.254"], vec!["8.8.8.8"]),
            (vec!["::ffff:127.0.0.1", "64:ff9b::a00:1"], vec![]),
            (vec!["fd00:ec2::254", "2606:4700::1111"], vec!["2606:4700::1111"]),
            (vec!["8.8.8.8"], vec!["8.8.8.8"]),
        ];
        let answers: Vec<_> = table.iter().map(|(found, _)| found.clone()).collect();
        let changing = Changing(std::sync::Mutex::new(answers.into_iter()));
        let resolver = GuardedResolver::asking(Arc::new(changing), Allow::default());
        for (found, wanted) in table {
            let kept = resolver.resolve("rebinds.example".parse().unwrap()).await;
            let kept: Vec<_> = kept
                .map(|kept| kept.map(|addr| addr.ip().to_string()).collect())
                .unwrap_or_default();
            assert_eq!(kept, wanted, "of {found:?}");
        }
    }

    #[test]
    fn entries_name_hosts_and_addresses_as_urls_write_them() {
        let allow = allow(&["10.0.0.0/8", "::ffff:192.168.0.7", "fd12::1", "Hooks.Corp.example"]);
        for host in ["10.9.8.7", "[::ffff:10.0.0.1]", "192.168.0.7", "[fd12::1]"] {
            assert!(allow.names(host), "{host}");
        }
        for host in ["hooks.corp.example", "HOOKS.corp.example", "hooks.corp.example."] {
            assert!(allow.names(host), "{host}");
        }
        let others =
            ["11.0.0.1", "192.168.0.8", "[fd12::2]", "corp.example", "a.hooks.corp.example", ""];
        for host in others {
            assert!(!allow.names(host), "{host}");
        }
    }

    #[test]
    fn entries_of_another_form_are_refused() {
        let fault = |entry: &str| Allow::default().add(entry).unwrap_err().to_string();
        for entry in ["10.0.0.0/33", "10.0.0/8", "10.0.0.0/", "/8", "https://a.example/", "a/b"] {
            assert!(fault(entry).contains("is not a range"), "{entry}: {}", fault(entry));
        }
        assert_eq!(
            fault("10.0.0.5/8"),
            "`10.0.0.5/8` does not begin its range; write `10.0.0.0/8`, or `10.0.0.5` for one address"
        );
        let long = "a.".repeat(130) + "example";
        let odd = ["", ".", "*", "*.corp.example", "a..b", ".a", "a.", "a b", "a:80", "ä.example"];
        let numeric = ["127.1", "2130706433", "0x7f", "a.0X7f", "[::1]", "fe80::1%eth0", "10.0.0"];
        for entry in odd.into_iter().chain(numeric).chain([long.as_str(), &"a".repeat(64)]) {
            assert!(fault(entry).contains("neither an address"), "{entry}: {}", fault(entry));
        }
    }
}
