//! Whether this session has a place for icons: a StatusNotifierWatcher on the session bus.

use zbus::blocking::Connection;
use zbus::blocking::fdo::DBusProxy;
use zbus::names::BusName;

/// The desktop's place for icons.
pub enum Host {
    /// It takes icons.
    There,
    /// Not yet, or never: the icon appears when it does.
    NotYet,
}

/// Looks for it.
///
/// # Errors
///
/// When there is no session bus.
pub fn find() -> zbus::Result<Host> {
    let session = Connection::session()?;
    let watcher = BusName::try_from("org.kde.StatusNotifierWatcher")?;
    let there = DBusProxy::new(&session)?.name_has_owner(watcher)?;
    Ok(if there { Host::There } else { Host::NotYet })
}
