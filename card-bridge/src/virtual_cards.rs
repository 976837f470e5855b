//! Cards in software inside the bridge, in place of the readers of the machine: for demonstrations and tests.
//!
//! There is one reader, and one of the cards can be in it. A page of the bridge's own inserts, removes and locks them.

pub mod page;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use card_protocol::CardFailure;
use card_protocol::message::{CardPresence, Keypad, Reader, Readers};
use tokio::sync::watch;
use virtual_card::{CardBox, CardBoxError};

use crate::readers::{Afterwards, CardSource, Insertion, Transaction};

/// The name of the reader.
const READER: &str = "Virtual reader";

/// The reader for virtual cards.
pub struct VirtualCards {
    cards: CardBox,
    readers: watch::Sender<Readers>,
    /// Counts insertions and removals.
    count: AtomicU64,
    /// A card is held by one transaction at a time.
    transaction: Mutex<()>,
}

impl VirtualCards {
    /// Opens the box of cards in `directory`.
    ///
    /// # Errors
    ///
    /// When it can't be read, or the card that was inserted last can't be opened.
    pub fn open(directory: &Path) -> Result<Self, CardBoxError> {
        let cards = CardBox::open(directory)?;
        let readers = watch::Sender::new(describe(&cards));
        Ok(Self { cards, readers, count: AtomicU64::default(), transaction: Mutex::default() })
    }

    /// The names of the cards and which of them is inserted.
    ///
    /// # Errors
    ///
    /// When the directory can't be read.
    pub fn names(&self) -> Result<(Vec<String>, Option<String>), CardBoxError> {
        Ok((self.cards.names()?, self.cards.inserted()))
    }

    /// Inserts a card; another that is inserted is removed.
    ///
    /// # Errors
    ///
    /// When there is no such card, or it can't be opened.
    pub fn insert(&self, name: &str) -> Result<(), CardBoxError> {
        let inserted = self.cards.insert(name);
        self.changed();
        inserted
    }

    /// Removes the card that is inserted, if any.
    ///
    /// # Errors
    ///
    /// When that can't be written down.
    pub fn remove(&self) -> Result<(), CardBoxError> {
        let removed = self.cards.remove();
        self.changed();
        removed
    }

    fn changed(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.readers.send_replace(describe(&self.cards));
    }
}

impl CardSource for VirtualCards {
    fn readers(&self) -> watch::Receiver<Readers> {
        self.readers.subscribe()
    }

    fn hold(&self, reader: Option<&str>, transaction: &mut Transaction<'_>) -> Result<(), CardFailure> {
        if reader.is_some_and(|reader| reader != READER) {
            return Err(CardFailure::NoReader);
        }
        let _held = self.transaction.lock().map_err(|_| CardFailure::CardSilent)?;
        let count = self.count.load(Ordering::SeqCst);
        let mut card = self.cards.connect().ok_or(CardFailure::NoCard)?;
        let insertion = Insertion { reader: READER.to_owned(), service: 0, count };
        if transaction(&mut card, insertion) == Afterwards::Reset {
            // A card that was removed meanwhile has lost its power, and with it what was verified.
            let _ = card.reset();
        }
        Ok(())
    }
}

fn describe(cards: &CardBox) -> Readers {
    let card = if cards.inserted().is_some() { CardPresence::Present } else { CardPresence::Absent };
    Readers::Running { readers: vec![Reader { name: READER.to_owned(), card, keypad: Keypad::None }] }
}
