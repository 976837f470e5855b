//! The session's place for icons: a StatusNotifierWatcher on its bus.

use zbus::blocking::Connection;
use zbus::blocking::fdo::DBusProxy;
use zbus::names::{BusName, OwnedUniqueName};

/// The desktop of this session.
pub struct Desktop(DBusProxy<'static>);

impl Desktop {
    /// Looks for it.
    ///
    /// # Errors
    ///
    /// When there is no session bus.
    pub fn find() -> zbus::Result<Self> {
        Ok(Self(DBusProxy::new(&Connection::session()?)?))
    }

    /// What takes icons now; nothing where there is no place for them yet, or never.
    pub fn watcher(&self) -> Option<OwnedUniqueName> {
        let watcher = BusName::from_static_str("org.kde.StatusNotifierWatcher").ok()?;
        self.0.get_name_owner(watcher).ok()
    }

    /// Shows an icon, again where what takes icons came or went meanwhile: an icon hears of that only from when it is shown,
    /// and it fails where it is just being taken.
    pub fn settle<T>(&self, mut show: impl FnMut() -> T) -> T {
        loop {
            let before = self.watcher();
            let shown = show();
            if self.watcher() == before {
                return shown;
            }
        }
    }
}
