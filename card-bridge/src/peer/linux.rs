//! Whose a connection is on Linux: the kernel's table of sockets names the user of both ends.
//!
//! Both must be the same. An end that is not in the table, or is not connected any more, is a stranger's.

use std::net::SocketAddr;

use procfs::net::{self, TcpNetEntry, TcpState};

use super::Peer;

/// The connections of the machine as they stood at one moment.
#[derive(Debug, Default)]
pub struct SocketTable(Vec<End>);

impl SocketTable {
    /// Reads the table. This takes milliseconds on a machine with many connections, so it is not for the thread that
    /// serves pages.
    pub fn read() -> Self {
        match net::tcp() {
            // An end of an IPv4 connection is in the table of IPv6 where a program asked for ::ffff:127.0.0.1.
            Ok(table) => Self(table.iter().chain(&net::tcp6().unwrap_or_default()).map(End::from).collect()),
            Err(error) => {
                tracing::error!(%error, "the table of sockets can't be read");
                Self::default()
            }
        }
    }

    /// The peer of a connection that the bridge had accepted before the table was read, by the addresses of its ends.
    pub fn peer(&self, own: SocketAddr, other: SocketAddr) -> Peer {
        let end = |local, remote| self.0.iter().find(|end| same(end.local, local) && same(end.remote, remote));
        match (end(own, other), end(other, own)) {
            // The table names root as the user of a socket that no program holds any more.
            (Some(own), Some(other)) if other.is_connected && own.user == other.user => Peer::SameUser,
            _ => Peer::Stranger,
        }
    }
}

/// One end of a connection.
#[derive(Debug)]
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

    fn peer(ends: Vec<End>) -> Peer {
        SocketTable(ends).peer(BRIDGE.parse().unwrap(), PAGE.parse().unwrap())
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
            assert_eq!(peer(vec![end(BRIDGE, PAGE, 1000), page]), expected);
        }
    }

    #[test]
    fn an_end_that_no_program_holds_any_more_is_nobodys() {
        let page = End { is_connected: false, ..end(PAGE, BRIDGE, 0) };
        assert_eq!(peer(vec![end(BRIDGE, PAGE, 0), page]), Peer::Stranger);
    }

    #[test]
    fn an_ipv4_address_in_the_table_of_ipv6_is_the_same_address() {
        let page = end("[::ffff:127.0.0.1]:50000", "[::ffff:127.0.0.1]:24787", 1000);
        assert_eq!(peer(vec![end(BRIDGE, PAGE, 1000), page]), Peer::SameUser);
    }
}
