//! Table of the addresses that are not the public Internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Cloud metadata services, which hand out identities and keys: allowed one address at a time.
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

/// Ranges outside the public Internet (the special-purpose registries of IANA).
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

/// Global unicast addresses of IPv6 that are assigned so far.
const GLOBAL_V6: IpNet = v6(0x2000 << 112, 3);
/// Translation of the whole of IPv4 (RFC 6052): as open as the address within.
const NAT64: IpNet = v6(0x0064_ff9b << 96, 96);
/// Translation within one network (RFC 8215).
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

/// Kind of entry that an address needs to be allowed; the later, the stricter.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(in crate::net) enum Restriction {
    /// An entry that names its range or its host.
    UnlessNamed(&'static str),
    /// An entry that is exactly this address.
    UnlessExact(&'static str),
}

/// Returns the restriction of `addr`, or the stricter one of an IPv4 address within it; none for
/// public addresses.
pub(in crate::net) fn restriction(addr: IpAddr) -> Option<Restriction> {
    let kind_in = |table: &[(IpNet, &'static str)]| {
        table.iter().find(|(range, _)| range.contains(&addr)).map(|(_, kind)| *kind)
    };
    let known = kind_in(&METADATA)
        .map(Restriction::UnlessExact)
        .or_else(|| kind_in(&SPECIAL).map(Restriction::UnlessNamed));
    let IpAddr::V6(addr_v6) = addr else { return known };
    let is_open = GLOBAL_V6.contains(&addr) || NAT64.contains(&addr);
    let own = known.or((!is_open).then_some(Restriction::UnlessNamed("a reserved address")));
    let within = embedded(addr_v6).filter_map(|addr| restriction(IpAddr::V4(addr)));
    within.chain(own).max()
}

/// Returns the IPv4 addresses that a translator or tunnel would take from `addr`.
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

/// Returns the literal address that `host`, as written in a URL, is.
pub(in crate::net) fn literal(host: &str) -> Option<IpAddr> {
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.unwrap_or(host).parse().ok()
}

/// True when the host of `url` is this machine.
pub(crate) fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost"
        || host.ends_with(".localhost")
        || literal(host).is_some_and(|address| address.is_loopback())
}
