//! Whose a connection is.
//!
//! The loopback interface is open to every user of a machine; the bridge is there for the one as whom it runs. On Linux the
//! kernel's table of sockets tells whose the other end is. On other systems nobody is asked yet, and [`say_if_unchecked`]
//! puts that into the log: there the origin is the only thing that is known of a page, and any program of any user that
//! claims a listed origin is let in.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(any(test, not(target_os = "linux")))]
mod unchecked;

#[cfg(target_os = "linux")]
pub use linux::SocketTable;
#[cfg(not(target_os = "linux"))]
pub use unchecked::SocketTable;

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The user as whom the bridge runs.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "nobody is told apart there"))]
    SameUser,
    /// Another user of the machine, or nobody can tell.
    Stranger,
    /// Not checked on this system: it may be any user of the machine.
    #[cfg_attr(all(target_os = "linux", not(test)), expect(dead_code, reason = "made on other systems, and in tests"))]
    NotChecked,
}

/// Says in the log, once at the start, when this system's bridge does not tell users apart.
pub fn say_if_unchecked() {
    #[cfg(not(target_os = "linux"))]
    unchecked::say();
}
