//! Allow-list: which addresses besides public ones an outgoing connection may reach.
//!
//! Public addresses are allowed. Everything else must be named in `allow`, and link-local and cloud
//! metadata addresses must be named one by one. A literal address never reaches a resolver and is
//! checked with [`host_permitted`]; a name is checked when it is resolved.

use std::net::IpAddr;

use ipnet::IpNet;

use super::refusal::RefusedAddress;
use super::table::{Restriction, literal, restriction};

/// Longest host name, in bytes.
const HOST_BYTES_MAX: usize = 253;
/// Longest label of a host name, in bytes.
const LABEL_BYTES_MAX: usize = 63;

/// Reasons why an entry of `allow` cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum AllowError {
    /// An entry with a slash that is not a range.
    #[error("`{0}` is not a range of addresses such as `10.0.0.0/8`")]
    Range(String),
    /// A range whose address has bits set behind its prefix.
    #[error("`{entry}` does not begin its range; write `{range}`, or `{addr}` for one address")]
    Beginning {
        /// Entry as it is written.
        entry: String,
        /// Range that contains the address.
        range: IpNet,
        /// Address of the entry, without the prefix length.
        addr: IpAddr,
    },
    /// An entry that is not a host name either.
    #[error("`{0}` is neither an address, a range of addresses nor a host name")]
    Host(String),
}

/// Allow-list: ranges of addresses, and host names whatever they resolve to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Allow {
    ranges: Vec<IpNet>,
    hosts: Vec<String>,
}

impl Allow {
    /// Adds `entry`: an address, a range such as `10.0.0.0/8`, or a host name.
    ///
    /// # Errors
    ///
    /// Fails for an entry that cannot be used; nothing is added then.
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

    /// True when an entry matches `host`, a name or an address as written in a URL.
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

/// Checks that a connection to `addr`, which `host` resolved to, is allowed.
///
/// # Errors
///
/// Names the kind of address, and the entry that would allow it.
pub(crate) fn permitted(addr: IpAddr, host: &str, allow: &Allow) -> Result<(), RefusedAddress> {
    match restriction(addr.to_canonical()) {
        Some(Restriction::UnlessExact(kind)) if !allow.is_exactly(addr) => {
            Err(RefusedAddress::Unexact { addr, kind })
        }
        Some(Restriction::UnlessNamed(kind)) if !allow.covers(addr) && !allow.names_host(host) => {
            Err(RefusedAddress::Unnamed { addr, kind })
        }
        Some(Restriction::UnlessExact(_) | Restriction::UnlessNamed(_)) | None => Ok(()),
    }
}

/// Checks that a connection to `host`, as written in a URL, is allowed. A name passes, since its
/// addresses are checked when it is resolved.
///
/// # Errors
///
/// Names the kind of address, and the entry that would allow it.
pub(crate) fn host_permitted(host: &str, allow: &Allow) -> Result<(), RefusedAddress> {
    literal(host).map_or(Ok(()), |addr| permitted(addr, host, allow))
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

    /// Entry that an address needs.
    #[derive(Clone, Copy, Debug, Eq, PartialEq)]
    enum Needs {
        Nothing,
        Name,
        Exactness,
    }
    use Needs::{Exactness, Name as Naming, Nothing};

    /// Hosts as written in URLs, unusual spellings included.
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
    fn literal_address_needs_the_entry_of_its_kind() {
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
            let is_allowed = |allow| host_permitted(host, allow).is_ok();
            assert_eq!(is_allowed(&nothing), needs == Nothing, "{host}");
            assert_eq!(is_allowed(&wide), needs != Exactness, "{host} by range");
            assert!(is_allowed(&exact), "{host} by itself");
            let resolved = permitted(addr, "hooks.corp.example", &by_host);
            assert_eq!(resolved.is_ok(), needs != Exactness, "{host} by host name");
            assert_eq!(permitted(addr, "other.example", &by_host).is_ok(), needs == Nothing);
        }
    }

    #[test]
    fn refusal_names_the_entry_that_allows_the_address() {
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
    fn entry_matches_hosts_and_addresses_as_urls_write_them() {
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
    fn malformed_entry_is_refused() {
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
