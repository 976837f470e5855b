//! Whose a connection is, told by the machine's table of sockets.
//!
//! The loopback interface is open to every user of a machine. The table names the user of both ends of a connection;
//! both must be the same. An end that is not in the table, or is not connected any more, is a stranger's.

use std::net::SocketAddr;

use procfs::net::{self, TcpNetEntry, TcpState};

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The user as whom the bridge runs.
    SameUser,
    /// Another user of the machine, or nobody can tell.
    Stranger,
}

impl Peer {
    /// The peer of a connection that the bridge has accepted, by the addresses of its two ends.
    pub fn of_connection(own: SocketAddr, other: SocketAddr) -> Self {
        // An end of an IPv4 connection is in the table of IPv6 where a program asked for ::ffff:127.0.0.1.
        match net::tcp() {
            Ok(table) => {
                let table: Vec<_> = table.iter().chain(&net::tcp6().unwrap_or_default()).map(End::from).collect();
                Self::in_table(&table, own, other)
            }
            Err(error) => {
                tracing::error!(%error, "the table of sockets can't be read");
                Self::Stranger
            }
        }
    }

    fn in_table(table: &[End], own: SocketAddr, other: SocketAddr) -> Self {
        let end = |local, remote| table.iter().find(|end| same(end.local, local) && same(end.remote, remote));
        match (end(own, other), end(other, own)) {
            // The table names root as the user of a socket that no program holds any more.
            (Some(own), Some(other)) if other.is_connected && own.user == other.user => Self::SameUser,
            _ => Self::Stranger,
        }
    }
}

/// One end of a connection.
struct End {
    local: SocketAddr,
    remote: SocketAddr,
    is_connected: bool,
    user: u32,
}

impl From<&TcpNetEntry> for End {
    fn from(entry: &TcpNetEntry) -> Self {
        Self {
            local: entry.local_address,
            remote: entry.remote_address,
            is_connected: entry.state == TcpState::Established,
            user: entry.uid,
        }
    }
}

fn same(one: SocketAddr, another: SocketAddr) -> bool {
    one.port() == another.port() && one.ip().to_canonical() == another.ip().to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BRIDGE: &str = "127.0.0.1:24787";
    const PAGE: &str = "127.0.0.1:50000";

    fn end(local: &str, remote: &str, user: u32) -> End {
        End { local: local.parse().unwrap(), remote: remote.parse().unwrap(), is_connected: true, user }
    }

    fn peer(ends: &[End]) -> Peer {
        Peer::in_table(ends, BRIDGE.parse().unwrap(), PAGE.parse().unwrap())
    }

    #[test]
    fn both_ends_must_be_of_one_user() {
        for (page, expected) in [
            (end(PAGE, BRIDGE, 1000), Peer::SameUser),
            (end(PAGE, BRIDGE, 1001), Peer::Stranger),
            (end(PAGE, BRIDGE, 0), Peer::Stranger),
            (end("127.0.0.1:50001", BRIDGE, 1000), Peer::Stranger),
            (end(PAGE, "127.0.0.1:24788", 1000), Peer::Stranger),
        ] {
            assert_eq!(peer(&[end(BRIDGE, PAGE, 1000), page]), expected);
        }
    }

    #[test]
    fn an_end_that_no_program_holds_any_more_is_nobodys() {
        let page = End { is_connected: false, ..end(PAGE, BRIDGE, 0) };
        assert_eq!(peer(&[end(BRIDGE, PAGE, 0), page]), Peer::Stranger);
    }

    #[test]
    fn an_ipv4_address_in_the_table_of_ipv6_is_the_same_address() {
        let page = end("[::ffff:127.0.0.1]:50000", "[::ffff:127.0.0.1]:24787", 1000);
        assert_eq!(peer(&[end(BRIDGE, PAGE, 1000), page]), Peer::SameUser);
    }
}
