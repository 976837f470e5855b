//! A desktop session of one test's own: a session bus, a place for icons on it, and the hand that uses the menu.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use zbus::blocking::connection::Builder;
use zbus::blocking::{Connection, Proxy};
use zbus::zvariant::{OwnedValue, Value};

use crate::program::{Program, listed};

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Defines a test that runs beside a PC/SC service and on a session bus of its own.
macro_rules! on_a_desktop {
    ($(fn $name:ident() $body:block)+) => {
        $(#[test]
        fn $name() {
            $crate::service::run_in(&["dbus-run-session", "--"], concat!(module_path!(), "::", stringify!($name)), || $body);
        })+
    };
}
pub(crate) use on_a_desktop;

/// What takes icons, as panels do.
struct Watcher(Sender<String>);

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, service: String) {
        let _ = self.0.send(service);
    }

    #[zbus(property)]
    #[expect(clippy::unused_self, reason = "the macro wants it")]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }
}

/// The place for icons on the session bus.
pub struct Desktop {
    session: Connection,
    registered: Receiver<String>,
}

impl Desktop {
    pub fn start() -> Self {
        let (sender, registered) = mpsc::channel();
        let session = Builder::session().unwrap();
        let session = session.serve_at("/StatusNotifierWatcher", Watcher(sender)).unwrap();
        let session = session.name("org.kde.StatusNotifierWatcher").unwrap().build().unwrap();
        Self { session, registered }
    }

    /// The icon that registers next.
    pub fn icon(&self) -> Icon {
        let service = self.registered.recv_timeout(PATIENCE).expect("no icon registers");
        Icon { session: self.session.clone(), service }
    }

    /// The title of the next that answers: one that registers while another place for icons comes is taken away again, at
    /// once or after it has answered.
    pub fn next_title(&self) -> String {
        loop {
            if let Ok(title) = self.icon().item().get_property("Title") {
                return title;
            }
        }
    }
}

/// One icon as a panel sees it.
pub struct Icon {
    session: Connection,
    service: String,
}

/// An entry of its menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    id: i32,
    pub label: String,
    pub is_enabled: bool,
    /// Whether it is ticked, where it can be.
    pub ticked: Option<bool>,
}

impl Icon {
    /// Whether it is of the program with this process id.
    pub fn belongs_to(&self, pid: u32) -> bool {
        self.service.contains(&format!("-{pid}-"))
    }

    fn proxy(&self, path: &'static str, interface: &'static str) -> Proxy<'_> {
        zbus::blocking::proxy::Builder::new(&self.session)
            .destination(self.service.as_str())
            .unwrap()
            .path(path)
            .unwrap()
            .interface(interface)
            .unwrap()
            .cache_properties(zbus::proxy::CacheProperties::No)
            .build()
            .unwrap()
    }

    fn item(&self) -> Proxy<'_> {
        self.proxy("/StatusNotifierItem", "org.kde.StatusNotifierItem")
    }

    pub fn title(&self) -> String {
        self.item().get_property("Title").unwrap()
    }

    pub fn tooltip(&self) -> String {
        type Pixels = Vec<(i32, i32, Vec<u8>)>;
        let (_, _, title, text): (String, Pixels, String, String) = self.item().get_property("ToolTip").unwrap();
        assert_eq!(title, self.title());
        text
    }

    pub fn picture(&self) -> Vec<u8> {
        let mut pictures: Vec<(i32, i32, Vec<u8>)> = self.item().get_property("IconPixmap").unwrap();
        pictures.remove(0).2
    }

    pub fn left_click(&self) {
        let _: () = self.item().call("Activate", &(0, 0)).unwrap();
    }

    /// The menu, without its lines.
    pub fn menu(&self) -> Vec<Entry> {
        type Properties = std::collections::HashMap<String, OwnedValue>;
        let menu = self.proxy("/MenuBar", "com.canonical.dbusmenu");
        let names: [&str; 0] = [];
        let layout: (u32, (i32, Properties, Vec<OwnedValue>)) = menu.call("GetLayout", &(0, -1, &names[..])).unwrap();
        layout.1.2.iter().filter_map(|entry| Entry::read(entry)).collect()
    }

    #[track_caller]
    pub fn entry(&self, label: &str) -> Entry {
        let menu = self.menu();
        menu.iter().find(|entry| entry.label == label).unwrap_or_else(|| panic!("no {label} in {menu:?}")).clone()
    }

    #[track_caller]
    pub fn choose(&self, label: &str) {
        let entry = self.entry(label);
        assert!(entry.is_enabled, "{label}");
        let menu = self.proxy("/MenuBar", "com.canonical.dbusmenu");
        // Quit may end the bridge before it answers.
        menu.call_noreply("Event", &(entry.id, "clicked", Value::from(0), 0_u32)).unwrap();
    }

    #[track_caller]
    pub fn until_tooltip(&self, words: &str) {
        until(|| (self.tooltip() == words).then_some(()), || format!("{:?} instead of {words:?}", self.tooltip()));
    }
}

impl Entry {
    fn read(entry: &Value) -> Option<Self> {
        let Value::Structure(entry) = entry else { panic!("{entry:?} in a menu") };
        let [Value::I32(id), Value::Dict(properties), _] = entry.fields() else { panic!("{entry:?} in a menu") };
        let text = |name: &str| properties.get::<_, String>(&name).unwrap();
        if text("type").as_deref() == Some("separator") {
            return None;
        }
        let ticked = text("toggle-type").map(|_| properties.get(&"toggle-state").unwrap() == Some(1));
        Some(Self {
            id: *id,
            // An underscore marks the letter for the keyboard.
            label: text("label").unwrap().replace("__", "_"),
            is_enabled: properties.get(&"enabled").unwrap().unwrap_or(true),
            ticked,
        })
    }
}

/// Waits until there is something.
#[track_caller]
pub fn until<T>(mut wanted: impl FnMut() -> Option<T>, instead: impl Fn() -> String) -> T {
    let since = Instant::now();
    loop {
        if let Some(found) = wanted() {
            return found;
        }
        assert!(since.elapsed() < PATIENCE, "{}", instead());
        std::thread::yield_now();
    }
}

/// A person's home, with a program that opens addresses and files by writing down that it was asked to.
pub struct Home(TempDir);

impl Home {
    /// With the origin of the tests listed.
    pub fn new() -> Self {
        Self::configured(&fs::read_to_string(listed().path()).unwrap())
    }

    pub fn configured(config: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::write(home.path("config.toml"), config).unwrap();
        let script = home.path("bin/xdg-open");
        fs::create_dir(home.path("bin")).unwrap();
        fs::write(&script, format!("#!/bin/sh\nprintf '%s\\n' \"$1\" >>'{}'\n", home.path("opened").display()))
            .unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        home
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Starts the bridge with its icon.
    pub fn start(&self) -> Program {
        let mut command = Command::new(env!("CARGO_BIN_EXE_card-bridge"));
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        command.arg("--config").arg(self.path("config.toml"));
        let path = std::env::var_os("PATH").unwrap();
        let path = std::env::join_paths([self.path("bin")].into_iter().chain(std::env::split_paths(&path))).unwrap();
        command.env("PATH", path).env("XDG_CONFIG_HOME", self.path("config")).env("XDG_CACHE_HOME", self.path("cache"));
        command.env("XDG_CONFIG_DIRS", self.path("everybodys"));
        Program::start(&mut command)
    }

    /// What was opened, once something was.
    #[track_caller]
    pub fn opened(&self) -> String {
        let file = self.path("opened");
        let whole = |text: String| text.ends_with('\n').then_some(text);
        until(|| whole(fs::read_to_string(&file).ok()?), || "nothing was opened".to_owned()).trim_end().to_owned()
    }
}
