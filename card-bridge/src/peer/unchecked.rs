//! Whose a connection is on a system where nobody is asked.

use std::net::SocketAddr;

use super::Peer;

/// Stands where Linux has the table of sockets; there is nothing in it.
#[derive(Debug, Default)]
pub struct SocketTable;

impl SocketTable {
    /// Reads nothing.
    pub fn read() -> Self {
        Self
    }

    /// [`Peer::NotChecked`], whoever it is.
    #[expect(clippy::unused_self, reason = "the same as on Linux")]
    pub fn peer(&self, _own: SocketAddr, _other: SocketAddr) -> Peer {
        Peer::NotChecked
    }
}

/// What an administrator must know of it.
pub const WARNING: &str = "not checked on this system: which user a page belongs to. Don't run the bridge where several \
                           people work at once";

/// Puts it into the log.
#[cfg(not(target_os = "linux"))]
pub fn say() {
    tracing::warn!("{WARNING}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_claimed_to_have_been_checked() {
        let peer = SocketTable::read().peer("127.0.0.1:1".parse().unwrap(), "127.0.0.1:2".parse().unwrap());
        assert_eq!(peer, Peer::NotChecked);
        assert!(WARNING.starts_with("not checked on this system"));
    }
}
