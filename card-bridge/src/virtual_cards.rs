//! Cards in software inside the bridge, in place of the readers of the machine: for demonstrations and tests.
//!
//! There are two readers, and one of the cards can be in each. A page of the bridge's own inserts, removes and locks them.

pub mod page;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use card_protocol::message::{CardPresence, Keypad, Reader, Readers};
use card_protocol::{CardFailure, HeldCard};
use piv::{Application, Slot};
use tokio::sync::watch;
use virtual_card::{CardBox, CardBoxError};

use crate::readers::{Afterwards, CardSource, Insertion, Transaction};

/// The names of the readers.
const READERS: [&str; 2] = ["Virtual reader", "Second virtual reader"];

/// The readers for virtual cards.
pub struct VirtualCards {
    boxes: [CardBox; 2],
    readers: watch::Sender<Readers>,
    /// Count insertions and removals, of each reader.
    counts: [AtomicU64; 2],
    /// A card is held by one transaction at a time.
    transaction: Mutex<()>,
}

impl VirtualCards {
    /// Opens the box of cards in `directory`.
    ///
    /// # Errors
    ///
    /// When it can't be read, or a card that was inserted last can't be opened.
    pub fn open(directory: &Path) -> Result<Self, CardBoxError> {
        let boxes = CardBox::open_with_two_readers(directory)?;
        let readers = watch::Sender::new(describe(&boxes));
        Ok(Self { boxes, readers, counts: Default::default(), transaction: Mutex::default() })
    }

    /// The names of the cards.
    ///
    /// # Errors
    ///
    /// When the directory can't be read.
    pub fn names(&self) -> Result<Vec<String>, CardBoxError> {
        self.boxes[0].names()
    }

    /// The readers, and which card each holds.
    pub fn held(&self) -> Vec<(&'static str, Option<String>)> {
        READERS.into_iter().zip(self.boxes.each_ref().map(CardBox::inserted)).collect()
    }

    /// Inserts a card into the reader of that name, the first where there is none of it; another that is there is removed.
    ///
    /// # Errors
    ///
    /// When there is no such card, or it can't be opened.
    pub fn insert(&self, name: &str, reader: Option<&str>) -> Result<(), CardBoxError> {
        let chosen = position(reader);
        let elsewhere = (0..READERS.len()).find(|at| self.boxes[*at].inserted().as_deref() == Some(name));
        let moved = match elsewhere.filter(|at| *at != chosen) {
            Some(other) => self.taken_out(other),
            None => Ok(()),
        };
        let inserted = moved.and_then(|()| self.boxes[chosen].insert(name));
        self.changed(chosen);
        inserted
    }

    /// Removes the card from the reader of that name, the first where there is none of it.
    ///
    /// # Errors
    ///
    /// When that can't be written down.
    pub fn remove(&self, reader: Option<&str>) -> Result<(), CardBoxError> {
        self.taken_out(position(reader))
    }

    fn taken_out(&self, at: usize) -> Result<(), CardBoxError> {
        let removed = self.boxes[at].remove();
        self.changed(at);
        removed
    }

    fn changed(&self, at: usize) {
        self.counts[at].fetch_add(1, Ordering::SeqCst);
        self.readers.send_replace(describe(&self.boxes));
    }

    /// The reader that is meant: the named one, or the only one that holds a card.
    fn meant(&self, reader: Option<&str>) -> Result<usize, CardFailure> {
        if let Some(name) = reader {
            return READERS.iter().position(|reader| *reader == name).ok_or(CardFailure::NoReader);
        }
        let holding: Vec<_> = (0..READERS.len()).filter(|at| self.boxes[*at].inserted().is_some()).collect();
        match holding.as_slice() {
            [] => Err(CardFailure::NoCard),
            [only] => Ok(*only),
            several => {
                let held = |at: &usize| HeldCard { reader: READERS[*at].to_owned(), holder: holder(&self.boxes[*at]) };
                Err(CardFailure::SeveralCards { cards: several.iter().map(held).collect() })
            }
        }
    }
}

/// The name on the certificate of a card, where it has one.
fn holder(cards: &CardBox) -> Option<String> {
    let mut card = cards.connect()?;
    let mut application = Application::select(&mut card).ok()?;
    application.certificate(Slot::PivAuthentication).ok()?.common_name().ok()?
}

fn position(reader: Option<&str>) -> usize {
    READERS.iter().position(|name| reader == Some(*name)).unwrap_or_default()
}

impl CardSource for VirtualCards {
    fn readers(&self) -> watch::Receiver<Readers> {
        self.readers.subscribe()
    }

    fn hold(&self, reader: Option<&str>, transaction: &mut Transaction<'_>) -> Result<(), CardFailure> {
        let _held = self.transaction.lock().map_err(|_| CardFailure::CardSilent)?;
        let meant = self.meant(reader)?;
        let count = self.counts[meant].load(Ordering::SeqCst);
        let mut card = self.boxes[meant].connect().ok_or(CardFailure::NoCard)?;
        let insertion = Insertion { reader: READERS[meant].to_owned(), service: 0, count };
        if transaction(&mut card, insertion) == Afterwards::Reset {
            // A card that was removed meanwhile has lost its power, and with it what was verified.
            let _ = card.reset();
        }
        Ok(())
    }
}

fn describe(boxes: &[CardBox; 2]) -> Readers {
    let reader = |(name, cards): (&str, &CardBox)| {
        let card = if cards.inserted().is_some() { CardPresence::Present } else { CardPresence::Absent };
        Reader { name: name.to_owned(), card, keypad: Keypad::None }
    };
    Readers::Running { readers: READERS.into_iter().zip(boxes).map(reader).collect() }
}
