//! The icon on the person's desktop: how things stand, and a short menu.
//!
//! It stands beside the bridge and not in it: it is fed by the bridge's own notices of change ([`Controls`]), asks for
//! nothing at intervals, and where there is no desktop the bridge goes on without it. What the icon shows and what its
//! menu has is in [`State`] and in `indicator`; what is done about a choice is here, on the bridge's runtime. The icon
//! has a thread of its own, so that a desktop that hangs does not hold the bridge up.
//!
//! On Linux it is a StatusNotifierItem on the session bus. Windows and macOS want an event loop on the main thread, which
//! the bridge does not have yet: there it says so and goes on without an icon.

mod autostart;
#[cfg(target_os = "linux")]
mod host;
mod icon;
mod indicator;
mod state;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::mpsc;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::config::{Config, Loaded};
use crate::controls::{Admission, Controls};
use crate::diagnose::{self, Subject};
use crate::origin::Origin;

pub use autostart::Autostart;
pub use state::State;

/// What the icon stands for.
pub struct Tray {
    /// The bridge.
    pub controls: Controls,
    /// The configuration that the bridge has.
    pub loaded: Loaded,
    /// The port that it listens at.
    pub port: u16,
    /// Whether it starts at login.
    pub autostart: Autostart,
    /// The directories in which programs are looked for.
    pub path: Vec<PathBuf>,
    /// Where the person's programs keep what can be made again: the place of the last diagnosis.
    pub cache: PathBuf,
}

/// What the person chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Open,
    Diagnose,
    PauseOrGoOn,
    StartAtLoginOrNot,
    Quit,
}

/// What the icon shows.
#[derive(Clone, Debug, PartialEq, Eq)]
struct View {
    state: State,
    /// Shown by the entry that changes it: a transaction goes on in a pause.
    admission: Admission,
    starts_at_login: bool,
}

impl Tray {
    /// Shows the icon and does what the person chooses, until they choose to quit. Where there is no desktop, forever.
    pub async fn serve(self) {
        let (views, shown) = mpsc::channel();
        let (wishes, chosen) = unbounded_channel();
        if let Err(error) = self.start(views.clone(), shown, wishes) {
            tracing::error!(%error, "no thread for the icon");
        }
        self.attend(&views, chosen).await;
    }

    fn start(
        &self,
        happenings: mpsc::Sender<indicator::Happening>,
        happened: mpsc::Receiver<indicator::Happening>,
        wishes: UnboundedSender<Wish>,
    ) -> io::Result<()> {
        let view = self.view();
        let has_service = self.service_centre().is_some();
        let run = move || indicator::run(view, has_service, happenings, &happened, &wishes);
        std::thread::Builder::new().name("tray".to_owned()).spawn(run).map(drop)
    }

    async fn attend(&self, views: &mpsc::Sender<indicator::Happening>, mut chosen: UnboundedReceiver<Wish>) {
        let mut readers = self.controls.readers();
        let mut card_use = self.controls.card_use();
        let mut admission = self.controls.admission();
        loop {
            tokio::select! {
                Ok(()) = readers.changed() => {}
                Ok(()) = card_use.changed() => {}
                Ok(()) = admission.changed() => {}
                wish = chosen.recv() => match wish {
                    Some(Wish::Quit) => return,
                    Some(wish) => self.grant(wish),
                    // There is no icon.
                    None => return std::future::pending().await,
                },
            }
            let _ = views.send(indicator::Happening::Changed(self.view()));
        }
    }

    fn view(&self) -> View {
        let admission = *self.controls.admission().borrow();
        let state = State::of(&self.controls.readers().borrow(), *self.controls.card_use().borrow(), admission);
        View { state, admission, starts_at_login: self.autostart.is_on() }
    }

    /// Where the service is: the first website that is listed.
    fn service_centre(&self) -> Option<&Origin> {
        self.loaded.config.origins.first().map(|origin| &origin.url)
    }

    fn grant(&self, wish: Wish) {
        match wish {
            Wish::Open => {
                if let Some(origin) = self.service_centre() {
                    open(origin.as_str().to_owned());
                }
            }
            Wish::Diagnose => drop(tokio::spawn(diagnose(self.subject(), self.cache.clone()))),
            Wish::PauseOrGoOn => {
                let admission = match *self.controls.admission().borrow() {
                    Admission::Open => Admission::Paused,
                    Admission::Paused => Admission::Open,
                };
                self.controls.set_admission(admission);
            }
            Wish::StartAtLoginOrNot => {
                if let Err(error) = self.autostart.toggle() {
                    tracing::warn!(%error, "whether Card Bridge starts at login can't be changed");
                }
            }
            Wish::Quit => {}
        }
    }

    fn subject(&self) -> Subject {
        // As it is now, which may be another than the bridge read when it started.
        let config = self.loaded.file.as_deref().map_or_else(|| Ok(self.loaded.config.clone()), Config::read);
        Subject {
            worker: self.controls.worker(),
            config: config.map(|config| Loaded { config, file: self.loaded.file.clone() }),
            port: Some(self.port),
            path: self.path.clone(),
            root: "/".into(),
        }
    }
}

/// Has the person's own program open an address or a file.
fn open(what: String) {
    tokio::task::spawn_blocking(move || {
        if let Err(error) = open::that_detached(&what) {
            tracing::warn!(%error, "{what} can't be opened");
        }
    });
}

/// Looks at everything, and shows the report as a text that can be copied.
async fn diagnose(subject: Subject, cache: PathBuf) {
    let report = diagnose::examine(subject).await.to_string();
    let directory = cache.join("card-bridge");
    let file = directory.join("diagnosis.txt");
    let kept = std::fs::create_dir_all(&directory)
        .and_then(|()| std::fs::File::create(&file))
        .and_then(|mut file| file.write_all(report.as_bytes()));
    match kept {
        Ok(()) => open(file.to_string_lossy().into_owned()),
        Err(error) => tracing::warn!(%error, "the diagnosis can't be shown:\n{report}"),
    }
}
