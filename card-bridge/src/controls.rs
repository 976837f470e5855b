//! What stands beside the bridge on its user's desktop: it sees how things stand, and can have websites refused for a
//! while.

use card_protocol::message::Readers;
use tokio::sync::watch;

use crate::worker::{CardUse, Worker};

/// Whether websites are let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Those that are listed.
    Open,
    /// None: the person wants a pause. It lasts until they end it, or the bridge is started again.
    Paused,
}

/// The handles of a bridge.
#[derive(Clone)]
pub struct Controls {
    pub(crate) admission: watch::Sender<Admission>,
    pub(crate) worker: Worker,
}

impl Controls {
    /// What is connected, and a notice of each change.
    pub fn readers(&self) -> watch::Receiver<Readers> {
        self.worker.readers()
    }

    /// Whether a website's transaction has the card, and a notice of each change.
    pub fn card_use(&self) -> watch::Receiver<CardUse> {
        self.worker.card_use()
    }

    /// Whether websites are let in, and a notice of each change.
    pub fn admission(&self) -> watch::Receiver<Admission> {
        self.admission.subscribe()
    }

    /// Lets websites in, or refuses them: those that come get close code
    /// [`PAUSED`](card_protocol::close_code::PAUSED), and so do those that are connected, each once the request that it
    /// has running was answered.
    pub fn set_admission(&self, admission: Admission) {
        tracing::info!(?admission, "websites");
        self.admission.send_replace(admission);
    }

    /// The one that carries out transactions, for those that wait their turn as a page does.
    pub fn worker(&self) -> Worker {
        self.worker.clone()
    }
}
