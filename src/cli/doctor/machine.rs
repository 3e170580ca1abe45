//! Checks of the machine: clock, names, certificate authorities, proxies, canaries and sockets.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use super::check::{Check, Found, Look, Looked, named};
use super::facts::Facts;
use super::unit::Unit;
use crate::domain::{Listen, OwnFault};
use crate::view::Liveness;

/// Longest time in which a name should be resolved.
const RESOLVED_MAX: Duration = Duration::from_secs(1);
/// Age from which on certificate authorities are old.
const AUTHORITIES_MAX: Duration = Duration::from_hours(2 * 365 * 24);
/// Variables of proxies, which are passed over.
const PROXIES: [&str; 3] = ["http_proxy", "https_proxy", "all_proxy"];
/// Permission bits by which users beside owner and group can use a socket.
const OTHERS: u32 = 0o006;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "clock",
        finds: "The clock is not synchronised, or servers say that it is wrong.",
        why: "Signatures of requests are refused, certificates look expired, and runs come at wrong times.",
        line: "timedatectl set-ntp true",
        look: Look::Where(clock),
    },
    Check {
        name: "names",
        finds: "A host of an integration or a receiver is not resolved within a second, or has only IPv6 addresses on a \
                machine without an IPv6 route.",
        why: "Each run and each message waits for it, and then fails.",
        line: "resolvectl query HOST",
        look: Look::Always(names),
    },
    Check {
        name: "authorities",
        finds: "There is no file of certificate authorities, or it is older than two years.",
        why: "Connections fail when a server's certificate is of an authority that the file does not have.",
        line: "apt-get install --only-upgrade ca-certificates",
        look: Look::Always(authorities),
    },
    Check {
        name: "ignored-proxies",
        finds: "A variable names a proxy.",
        why: "It is ignored: an integration or a receiver uses a proxy only by its own key `proxy`.",
        line: "systemctl edit revalidated",
        look: Look::Always(proxies),
    },
    Check {
        name: "canaries",
        finds: "A canary does not accept a connection.",
        why: "A canary that never answers does not distinguish a network fault of this machine from one of a platform.",
        line: "revalidated check",
        look: Look::Always(canaries),
    },
    Check {
        name: "listeners",
        finds: "Another process listens at an address of the daemon, or everyone on the machine can use its socket.",
        why: "The daemon does not start, or every local user can act on it.",
        line: "ss -ltnxp",
        look: Look::Where(listeners),
    },
];

fn clock(facts: &Facts) -> Looked {
    let faults = facts.rows.iter().flat_map(|rows| &rows.faults);
    let faults = faults.filter(|fault| fault.fault == OwnFault::Clock);
    let mut found: Vec<_> = faults.map(|fault| Found::new(format!("{}.", fault.message))).collect();
    match facts.machine.is_synchronised {
        Some(false) => found.push(Found::new("The clock is not synchronised.")),
        None if found.is_empty() => {
            return Err("this machine does not say whether its clock is synchronised");
        }
        Some(true) | None => {}
    }
    Ok(found)
}

fn names(facts: &Facts) -> Vec<Found> {
    let mut found = Vec::new();
    for name in &facts.machine.names {
        let host = &name.host;
        let what = match &name.addresses {
            Err(why) => format!("{host} is not resolved: {why}."),
            Ok(addresses) if addresses.is_empty() => format!("{host} has no address."),
            Ok(addresses) if !facts.machine.has_ipv6 && addresses.iter().all(IpAddr::is_ipv6) => {
                format!("{host} has only IPv6 addresses, and this machine has no IPv6 route.")
            }
            Ok(_) if RESOLVED_MAX < name.took => {
                format!("{host} was resolved after {} ms.", name.took.as_millis())
            }
            Ok(_) => continue,
        };
        found.push(Found::new(what).type_in(format!("resolvectl query {host}")));
    }
    found
}

fn authorities(facts: &Facts) -> Vec<Found> {
    let Some((path, changed)) = &facts.machine.authorities else {
        let found = Found::new("There is no file of certificate authorities.");
        return vec![found.type_in("apt-get install ca-certificates")];
    };
    let age = facts.now.since(*changed);
    if age <= AUTHORITIES_MAX {
        return Vec::new();
    }
    vec![Found::new(format!("{} was last changed at {changed}.", path.display()))]
}

fn proxies(facts: &Facts) -> Vec<Found> {
    let of_unit = facts.service.unit.iter().flat_map(Unit::environment);
    let of_unit = of_unit.map(|(name, _, _)| name);
    let names: BTreeSet<_> = facts.environment.keys().cloned().chain(of_unit).collect();
    let is_proxy = |name: &&String| PROXIES.contains(&name.to_ascii_lowercase().as_str());
    let found: Vec<_> = names.iter().filter(is_proxy).collect();
    named(&found, |names| format!("{names} is set, and ignored."))
}

fn canaries(facts: &Facts) -> Vec<Found> {
    let silent = facts.machine.canaries.iter().filter(|(_, accepts)| !accepts);
    let found = silent.map(|(canary, _)| {
        let (host, port) = canary.rsplit_once(':').unwrap_or((canary, ""));
        let found = Found::new(format!("The canary {canary} does not accept a connection."));
        found.type_in(format!("nc -vz {host} {port}"))
    });
    found.collect()
}

fn listeners(facts: &Facts) -> Looked {
    let assembly = facts.configuration.assembly.as_ref();
    let settings = &assembly.ok_or("the configuration cannot be read")?.settings;
    let mut found = Vec::new();
    let is_stopped = facts.rows.as_ref().is_none_or(|rows| rows.liveness == Liveness::Stopped);
    let tcp = settings.http.listen.iter().filter_map(|one| match one {
        Listen::Tcp(address) => Some(*address),
        Listen::Unix(_) | Listen::Systemd(_) => None,
    });
    for address in settings.metrics.listen.into_iter().chain(tcp) {
        let taken = facts.machine.listening.iter().flatten().find(|one| {
            one.port() == address.port()
                && (one.ip() == address.ip()
                    || one.ip().is_unspecified()
                    || address.ip().is_unspecified())
        });
        if let Some(taken) = taken.filter(|_| is_stopped && address.port() != 0) {
            let what = format!("Another process listens at {taken}, where the daemon would.");
            let line = format!("ss -ltnp 'sport = :{}'", address.port());
            found.push(Found::new(what).type_in(line));
        }
    }
    for (path, mode) in facts.machine.sockets.iter().filter(|(_, mode)| **mode & OTHERS != 0) {
        let path = path.display();
        let what = format!("{path} has mode {mode:03o}, so that every local user can act.");
        found.push(Found::new(what).type_in(
            "sed -i 's/^socket_mode.*/socket_mode = \"0660\"/' /etc/revalidated/revalidated.toml",
        ));
    }
    Ok(found)
}
