//! Watches readers and cards come and go, on a thread and a PC/SC context of its own.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use card_protocol::message::{CardPresence, Keypad, Reader, Readers};
use pcsc::{Context, Error, PNP_NOTIFICATION, ReaderState, Scope, State};
use tokio::sync::watch;

use super::pcsc::keypad;

/// How often a stopped service is looked for: PC/SC does not tell when it starts.
const SERVICE_POLL: Duration = Duration::from_secs(1);
/// Room for the names of all readers: PC/SC lite has sixteen at most, and 128 bytes for the name of each. To ask how much
/// is needed costs as much as to ask for the names.
const NAMES_ROOM: usize = 4096;

/// Tells of what is connected.
pub struct Monitor {
    readers: watch::Sender<Readers>,
    /// Counts the runs of the service that were seen to end.
    service: Arc<AtomicU64>,
    stop: mpsc::Receiver<()>,
}

impl Monitor {
    pub fn new(readers: watch::Sender<Readers>, service: Arc<AtomicU64>, stop: mpsc::Receiver<()>) -> Self {
        Self { readers, service, stop }
    }

    /// Watches until the other end of `stop` is dropped; while the service runs, until the next event after that.
    pub fn run(self) {
        loop {
            if let Err(error) = self.watch_service() {
                tracing::debug!(%error, "the smartcard service is not there");
            }
            self.publish(Readers::Stopped);
            match self.stop.recv_timeout(SERVICE_POLL) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Watches one run of the service until it ends.
    fn watch_service(&self) -> Result<(), Error> {
        let context = Context::establish(Scope::User)?;
        let watched = self.watch_readers(&context);
        self.service.fetch_add(1, Ordering::SeqCst);
        watched
    }

    fn watch_readers(&self, context: &Context) -> Result<(), Error> {
        let mut states = vec![ReaderState::new(PNP_NOTIFICATION(), State::UNAWARE)];
        let mut keypads = HashMap::new();
        loop {
            states.retain(|state| !state.event_state().intersects(State::UNKNOWN | State::IGNORE));
            for name in list(context)? {
                if !states.iter().any(|state| state.name() == name.as_ref()) {
                    keypads.remove(&name);
                    states.push(ReaderState::new(name, State::UNAWARE));
                }
            }
            for state in &mut states {
                state.sync_current_state();
            }
            if states.len() == 1 {
                self.publish(Readers::Running { readers: Vec::new() });
            }
            match context.get_status_change(None, &mut states) {
                // A reader that has just gone is dropped from the list above.
                Ok(()) | Err(Error::Timeout | Error::UnknownReader | Error::ReaderUnavailable) => {}
                Err(error) => return Err(error),
            }
            self.publish(running(&states, &keypads));
            // Asked afterwards: a reader takes its time to answer, and few have keys.
            for state in &states {
                let name = state.name();
                if describe(state, Keypad::None).is_some() && !keypads.contains_key(name) {
                    keypads.insert(name.to_owned(), keypad(context, name));
                }
            }
            self.publish(running(&states, &keypads));
        }
    }

    fn publish(&self, readers: Readers) {
        self.readers.send_if_modified(|known| {
            let changed = *known != readers;
            if changed {
                tracing::info!(?readers, "readers");
                *known = readers;
            }
            changed
        });
    }
}

/// The readers among what is watched.
fn running(states: &[ReaderState], keypads: &HashMap<CString, Keypad>) -> Readers {
    let described = |state: &ReaderState| describe(state, keypads.get(state.name()).copied().unwrap_or_default());
    Readers::Running { readers: states.iter().filter_map(described).collect() }
}

/// The names of the readers; none is no error.
pub fn list(context: &Context) -> Result<Vec<CString>, Error> {
    let mut names = [0; NAMES_ROOM];
    match context.list_readers(&mut names) {
        Ok(names) => Ok(names.map(ToOwned::to_owned).collect()),
        Err(Error::NoReadersAvailable) => Ok(Vec::new()),
        Err(Error::InsufficientBuffer) => context.list_readers_owned(),
        Err(error) => Err(error),
    }
}

/// Whether a reader in this state holds a card.
pub fn holds_card(state: State) -> bool {
    state.contains(State::PRESENT)
}

/// The name of a reader as the protocol writes it.
pub fn name(reader: &CStr) -> String {
    reader.to_string_lossy().into_owned()
}

/// A reader as the protocol writes it; nothing for what is none, or has gone.
pub fn describe(state: &ReaderState, keypad: Keypad) -> Option<Reader> {
    if state.name() == PNP_NOTIFICATION() || state.event_state().intersects(State::UNKNOWN | State::IGNORE) {
        return None;
    }
    let card = if holds_card(state.event_state()) { CardPresence::Present } else { CardPresence::Absent };
    Some(Reader { name: name(state.name()), card, keypad })
}
