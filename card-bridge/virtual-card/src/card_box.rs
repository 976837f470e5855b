//! A box of virtual cards and the readers that take them.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use piv::{Card, TransportError};

use crate::{
    Contacts,
    card::{OpenError, VirtualCard},
    chip::IMAGES,
};

/// Remember which card is inserted, each of one reader.
const INSERTED: [&str; 2] = ["inserted", "inserted-2"];

/// A directory of cards, of which at most one is in this (imagined) reader. Which one is written down beside the cards,
/// so that a restart finds it inserted again.
///
/// Clones are the same box and reader.
#[derive(Clone, Debug)]
pub struct CardBox {
    directory: Arc<Path>,
    /// The file that remembers.
    memory: &'static str,
    reader: Arc<Mutex<Reader>>,
}

#[derive(Debug, Default)]
struct Reader {
    inserted: Option<Inserted>,
    /// Counts insertions, so that an older connection doesn't reach a card inserted since.
    insertion: u64,
}

#[derive(Debug)]
struct Inserted {
    name: String,
    card: VirtualCard,
}

/// Why the box doesn't do what it is asked to.
#[derive(Debug, thiserror::Error)]
pub enum CardBoxError {
    /// No card of that name.
    #[error("there is no card «{0}» in the box")]
    UnknownCard(String),
    /// The card is there and can't be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The directory can't be read or written.
    #[error("the box of cards in {directory} can't be used")]
    Io {
        /// The directory of the box.
        directory: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl CardBox {
    /// Opens the box and inserts the card that was inserted last, if any.
    ///
    /// # Errors
    ///
    /// When the directory can't be read, or that card can't be opened.
    pub fn open(directory: impl AsRef<Path>) -> Result<Self, CardBoxError> {
        Self::open_with(INSERTED[0], directory.as_ref())
    }

    /// Opens the box with two readers. A card can be in one of them only.
    ///
    /// # Errors
    ///
    /// As for [`CardBox::open`].
    pub fn open_with_two_readers(directory: impl AsRef<Path>) -> Result<[Self; 2], CardBoxError> {
        let [first, second] = INSERTED.map(|memory| Self::open_with(memory, directory.as_ref()));
        Ok([first?, second?])
    }

    fn open_with(memory: &'static str, directory: &Path) -> Result<Self, CardBoxError> {
        let cards = Self { directory: directory.into(), memory, reader: Arc::default() };
        let known = cards.names()?;
        match fs::read_to_string(cards.directory.join(memory)) {
            // A card taken out of the box by hand is no longer inserted.
            Ok(name) if known.contains(&name) => cards.insert(&name)?,
            Ok(_) => cards.remember(None)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(cards.io(source)),
        }
        Ok(cards)
    }

    /// The names of all cards, sorted.
    ///
    /// # Errors
    ///
    /// When the directory can't be read.
    pub fn names(&self) -> Result<Vec<String>, CardBoxError> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(|source| self.io(source))? {
            let entry = entry.map_err(|source| self.io(source))?;
            if IMAGES.iter().all(|image| entry.path().join(image).is_file()) {
                names.extend(entry.file_name().into_string());
            }
        }
        names.sort();
        Ok(names)
    }

    /// The name of the card in the reader.
    pub fn inserted(&self) -> Option<String> {
        self.reader().inserted.as_ref().map(|inserted| inserted.name.clone())
    }

    /// Puts the card of that name into the reader and removes the one that was there. The card that is there already
    /// stays as it is.
    ///
    /// # Errors
    ///
    /// When there is no such card or it can't be opened: then the reader is empty.
    pub fn insert(&self, name: &str) -> Result<(), CardBoxError> {
        let known = self.names()?;
        let mut reader = self.reader();
        if reader.inserted.as_ref().is_some_and(|inserted| inserted.name == name) {
            return Ok(());
        }
        reader.inserted = None;
        self.remember(None)?;
        if !known.iter().any(|known| known == name) {
            return Err(CardBoxError::UnknownCard(name.to_owned()));
        }
        let card = VirtualCard::open(self.directory.join(name))?;
        self.remember(Some(name))?;
        reader.insertion += 1;
        reader.inserted = Some(Inserted { name: name.to_owned(), card });
        Ok(())
    }

    /// Takes the card out of the reader, if there is one. A command that it is executing ends first.
    ///
    /// # Errors
    ///
    /// When that can't be written down.
    pub fn remove(&self) -> Result<(), CardBoxError> {
        self.reader().inserted = None;
        self.remember(None)
    }

    /// Connects to the card in the reader, if there is one.
    pub fn connect(&self) -> Option<Connection> {
        let reader = self.reader();
        reader.inserted.as_ref()?;
        Some(Connection { insertion: reader.insertion, reader: Arc::clone(&self.reader) })
    }

    fn reader(&self) -> MutexGuard<'_, Reader> {
        lock(&self.reader)
    }

    fn remember(&self, name: Option<&str>) -> Result<(), CardBoxError> {
        let path = self.directory.join(self.memory);
        let done = match name {
            Some(name) => fs::write(path, name),
            None => match fs::remove_file(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                done => done,
            },
        };
        done.map_err(|source| self.io(source))
    }

    fn io(&self, source: io::Error) -> CardBoxError {
        CardBoxError::Io { directory: self.directory.to_path_buf(), source }
    }
}

/// A connection to the inserted card. It ends with the card's removal: from then on each command gives
/// [`TransportError::Removed`], also after the same card has come back.
#[derive(Debug)]
pub struct Connection {
    insertion: u64,
    reader: Arc<Mutex<Reader>>,
}

impl Connection {
    /// Whether the card of this connection is still in the reader.
    pub fn is_alive(&self) -> bool {
        self.card(|_| Ok(())).is_ok()
    }

    /// Resets the card: nothing is selected or verified any more.
    ///
    /// # Errors
    ///
    /// [`TransportError::Removed`] when the card has left the reader.
    pub fn reset(&mut self) -> Result<(), TransportError> {
        self.card(Contacts::reset)
    }

    fn card<T>(&self, act: impl FnOnce(&mut VirtualCard) -> Result<T, TransportError>) -> Result<T, TransportError> {
        let mut reader = lock(&self.reader);
        if reader.insertion != self.insertion {
            return Err(TransportError::Removed);
        }
        match &mut reader.inserted {
            Some(inserted) => act(&mut inserted.card),
            None => Err(TransportError::Removed),
        }
    }
}

impl Card for Connection {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        self.card(|card| card.transmit(command))
    }
}

/// The state stays sound when a thread panics while it holds the lock: each change is a single assignment.
fn lock(reader: &Mutex<Reader>) -> MutexGuard<'_, Reader> {
    reader.lock().unwrap_or_else(PoisonError::into_inner)
}
