//! Peer of a connection: the address, user or certificate at its other end.

use std::net::IpAddr;

use crate::domain::Scope;

/// Uid that the kernel shows for users outside of its user namespace.
const UNSEEN: u32 = 65_534;
/// Uid of the superuser.
const ROOT: u32 = 0;

/// Peer of a connection, as the kernel and TLS know it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Peer {
    /// Program at a port.
    Tcp {
        /// Address that the connection comes from.
        ip: IpAddr,
        /// Address of this machine that it goes to.
        local: IpAddr,
        /// Common name of the client certificate, which is verified.
        certificate: Option<String>,
    },
    /// User of a socket that the daemon made.
    Socket {
        /// Uid of the user; none where the kernel shows none.
        uid: Option<u32>,
    },
    /// User of a socket that systemd passed.
    Systemd {
        /// Scope of the socket.
        scope: Scope,
        /// Uid of the user; none where the kernel shows none.
        uid: Option<u32>,
    },
}

/// Part of a peer by which its connections are counted together.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Counted {
    /// Address, or the network of one that is IPv6: a machine has as many of those as it wants.
    Ip(IpAddr),
    /// Uid of a socket's user.
    Uid(Option<u32>),
}

impl Peer {
    /// Returns true for a user of a socket of this machine.
    pub(super) const fn is_local_user(&self) -> bool {
        match self {
            Self::Socket { .. } | Self::Systemd { .. } => true,
            Self::Tcp { .. } => false,
        }
    }

    /// Returns the scope that the peer has without a token; `own` is the daemon's own uid.
    pub(super) fn scope(&self, own: u32) -> Scope {
        match self {
            Self::Tcp { ip, .. } if ip.to_canonical().is_loopback() => Scope::Read,
            Self::Tcp { .. } => Scope::Anonymous,
            // Under a user namespace all others have one uid, which says nothing.
            Self::Socket { uid: Some(uid) } if *uid == ROOT || *uid == own && own != UNSEEN => {
                Scope::Act
            }
            Self::Socket { .. } => Scope::Read,
            Self::Systemd { scope, .. } => *scope,
        }
    }

    /// Returns the name that is noted with its actions.
    pub(super) fn name(&self) -> String {
        let socket = |scope: &Scope| format!("revalidated-{scope}");
        match self {
            Self::Tcp { ip, .. } => ip.to_canonical().to_string(),
            Self::Socket { uid: Some(uid) } => format!("uid:{uid}"),
            Self::Socket { uid: None } => "socket".to_owned(),
            Self::Systemd { uid: Some(uid), .. } if *uid != UNSEEN => format!("uid:{uid}"),
            Self::Systemd { scope, .. } => socket(scope),
        }
    }

    /// Returns the part by which its connections are counted together.
    pub(super) fn counted(&self) -> Counted {
        match self {
            Self::Tcp { ip, .. } => Counted::Ip(match ip.to_canonical() {
                IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() >> 64 << 64).into()),
                IpAddr::V4(ip) => IpAddr::V4(ip),
            }),
            Self::Socket { uid } | Self::Systemd { uid, .. } => Counted::Uid(*uid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(ip: &str) -> Peer {
        let ip = ip.parse().unwrap();
        Peer::Tcp { ip, local: ip, certificate: None }
    }

    #[test]
    fn peer_has_the_scope_and_name_of_its_end() {
        let socket = |uid| Peer::Socket { uid };
        let systemd = |scope, uid| Peer::Systemd { scope, uid };
        let table = [
            (tcp("127.0.0.1"), Scope::Read, "127.0.0.1"),
            (tcp("::1"), Scope::Read, "::1"),
            (tcp("::ffff:127.0.0.1"), Scope::Read, "127.0.0.1"),
            (tcp("10.0.0.5"), Scope::Anonymous, "10.0.0.5"),
            (socket(Some(0)), Scope::Act, "uid:0"),
            (socket(Some(997)), Scope::Act, "uid:997"),
            (socket(Some(1000)), Scope::Read, "uid:1000"),
            (socket(Some(UNSEEN)), Scope::Read, "uid:65534"),
            (socket(None), Scope::Read, "socket"),
            (systemd(Scope::Act, Some(1000)), Scope::Act, "uid:1000"),
            (systemd(Scope::Read, Some(0)), Scope::Read, "uid:0"),
            (systemd(Scope::Act, Some(UNSEEN)), Scope::Act, "revalidated-act"),
            (systemd(Scope::Read, None), Scope::Read, "revalidated-read"),
        ];
        for (peer, scope, name) in table {
            assert_eq!((peer.scope(997), peer.name().as_str()), (scope, name), "{peer:?}");
        }
    }

    #[test]
    fn daemon_of_a_user_namespace_takes_no_other_user_for_itself() {
        assert_eq!(Peer::Socket { uid: Some(UNSEEN) }.scope(UNSEEN), Scope::Read);
    }

    #[test]
    fn connections_of_one_machine_are_counted_together() {
        let same = |one: &str, other: &str| tcp(one).counted() == tcp(other).counted();
        assert!(same("10.0.0.5", "::ffff:10.0.0.5") && same("2001:db8::1", "2001:db8::ffff:2"));
        assert!(!same("10.0.0.5", "10.0.0.6") && !same("2001:db8::1", "2001:db8:0:1::1"));
    }
}
