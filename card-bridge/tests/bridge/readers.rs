//! A bridge in this process, and one reader behind its port that a test handles.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use card_bridge::config::{AllowedOrigin, Config};
use card_bridge::controls::Controls;
use card_bridge::readers::{Afterwards, CardSource, Insertion, Transaction};
use card_bridge::{Bridge, Limits, Worker};
use card_protocol::message::{CardPresence, Keypad, Reader, Readers};
use card_protocol::sealed::ServiceSecret;
use card_protocol::{CardFailure, ServiceKey};
use piv::pin_pad::{Entry, PinPad};
use piv::{Card, TransportError};
use tokio::sync::{oneshot, watch};
use virtual_card::Contacts;

pub const ORIGIN: &str = "https://service.test";
pub const OTHER_ORIGIN: &str = "https://other.test";

/// The server's key, pinned for [`ORIGIN`] as the next one beside another.
pub fn service() -> ServiceSecret {
    ServiceSecret::new([5; 32])
}

/// Longer than anything takes.
pub const LIMITS: Limits = Limits {
    turn: Duration::from_secs(30),
    hold: Duration::from_secs(30),
    transaction: Duration::from_secs(30),
    release: Duration::from_mins(2),
    request: Duration::from_secs(30),
    end: Duration::from_secs(30),
};

/// A bridge that serves for as long as this is kept.
pub struct Served {
    pub address: SocketAddr,
    pub controls: Controls,
    stop: oneshot::Sender<()>,
    ended: Receiver<()>,
}

impl Served {
    /// Asks it to end, and gives what then tells that it has.
    pub fn end(self) -> Receiver<()> {
        drop(self.stop);
        self.ended
    }
}

pub fn serve(source: Arc<dyn CardSource>, limits: Limits) -> Served {
    let allow = |url: &str, service_keys| AllowedOrigin { url: url.to_owned().try_into().unwrap(), service_keys };
    let origins = vec![
        allow(ORIGIN, vec![ServiceKey([9; 32]), service().public()]),
        allow(OTHER_ORIGIN, vec![ServiceSecret::new([6; 32]).public()]),
    ];
    let config = Config { port: 0, origins, consents: None };
    let (stop, stopped) = oneshot::channel::<()>();
    let (tell, told) = channel();
    let (tell_end, ended) = channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bridge = Bridge::bind(&config, Worker::new(source, limits)).await.unwrap();
            tell.send((bridge.address(), bridge.controls())).unwrap();
            bridge.serve(async { _ = stopped.await }).await;
        });
        // Few tests wait for it.
        let _ = tell_end.send(());
    });
    let (address, controls) = told.recv().unwrap();
    Served { address, controls, stop, ended }
}

type Boxed = Box<dyn Contacts + Send>;

/// One reader.
pub struct OneReader {
    readers: watch::Sender<Readers>,
    card: Mutex<Option<Boxed>>,
    insertions: AtomicUsize,
    exchanges: AtomicUsize,
    /// How many transactions have begun or want to, and have not ended.
    transactions: AtomicUsize,
    endings: Mutex<Vec<Afterwards>>,
}

const NAME: &str = "The reader";

impl OneReader {
    pub fn empty() -> Arc<Self> {
        Arc::new(Self {
            readers: watch::Sender::new(readers(CardPresence::Absent, Keypad::None)),
            card: Mutex::default(),
            insertions: AtomicUsize::default(),
            exchanges: AtomicUsize::default(),
            transactions: AtomicUsize::default(),
            endings: Mutex::default(),
        })
    }

    pub fn with(card: impl Contacts + Send + 'static) -> Arc<Self> {
        let reader = Self::empty();
        reader.insert(card);
        reader
    }

    pub fn insert(&self, card: impl Contacts + Send + 'static) {
        let mut card: Boxed = Box::new(card);
        let keypad = keypad(&mut card);
        *self.card.lock().unwrap() = Some(card);
        self.insertions.fetch_add(1, Ordering::SeqCst);
        self.readers.send_replace(readers(CardPresence::Present, keypad));
    }

    pub fn remove(&self) {
        drop(self.card.lock().unwrap().take());
        self.readers.send_replace(readers(CardPresence::Absent, Keypad::None));
    }

    /// How many commands the card was sent.
    pub fn exchanges(&self) -> usize {
        self.exchanges.load(Ordering::SeqCst)
    }

    /// How many transactions have begun or want to, and have not ended.
    pub fn transactions(&self) -> usize {
        self.transactions.load(Ordering::SeqCst)
    }

    /// How the last transaction left the card.
    pub fn last_ending(&self) -> Option<Afterwards> {
        self.endings.lock().unwrap().last().copied()
    }
}

impl CardSource for OneReader {
    fn readers(&self) -> watch::Receiver<Readers> {
        self.readers.subscribe()
    }

    fn hold(&self, reader: Option<&str>, transaction: &mut Transaction<'_>) -> Result<(), CardFailure> {
        self.transactions.fetch_add(1, Ordering::SeqCst);
        let held = self.hold_card(reader, transaction);
        self.transactions.fetch_sub(1, Ordering::SeqCst);
        held
    }
}

impl OneReader {
    fn hold_card(&self, reader: Option<&str>, transaction: &mut Transaction<'_>) -> Result<(), CardFailure> {
        if reader.is_some_and(|reader| reader != NAME) {
            return Err(CardFailure::NoReader);
        }
        let mut card = self.card.lock().unwrap();
        let card = card.as_mut().ok_or(CardFailure::NoCard)?;
        let count = self.insertions.load(Ordering::SeqCst) as u64;
        let insertion = Insertion { reader: NAME.to_owned(), service: 0, count };
        let ending = transaction(&mut Counting { card, exchanges: &self.exchanges }, insertion);
        self.endings.lock().unwrap().push(ending);
        if ending == Afterwards::Reset {
            card.reset().unwrap();
        }
        Ok(())
    }
}

fn readers(card: CardPresence, keypad: Keypad) -> Readers {
    Readers::Running { readers: vec![Reader { name: NAME.to_owned(), card, keypad }] }
}

/// The keys of the reader that a test has put around its card.
fn keypad(card: &mut Boxed) -> Keypad {
    let mut takes = |entry| card.pin_pad().is_some_and(|pad| pad.takes(entry));
    match (takes(Entry::Verify), takes(Entry::Modify)) {
        (true, true) => Keypad::CurrentAndNew,
        (true, false) => Keypad::Current,
        (false, _) => Keypad::None,
    }
}

struct Counting<'a> {
    card: &'a mut Boxed,
    exchanges: &'a AtomicUsize,
}

impl Card for Counting<'_> {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        self.exchanges.fetch_add(1, Ordering::SeqCst);
        self.card.transmit(command)
    }

    fn pin_pad(&mut self) -> Option<&mut dyn PinPad> {
        self.card.pin_pad()
    }
}
