//! The port to the readers: what is connected, and one card at a time for one transaction.
//!
//! `pcsc` stands behind it on a real machine, `virtual_cards` in a demonstration, a fake in tests.

mod monitor;
mod pcsc;

use card_protocol::CardFailure;
use card_protocol::message::Readers;
use piv::Card;
use tokio::sync::watch;

pub use self::pcsc::{PcscReaders, PcscSnapshot};

/// The readers of the machine.
pub trait CardSource: Send + Sync + 'static {
    /// What is connected now, and a notice of each change.
    fn readers(&self) -> watch::Receiver<Readers>;

    /// Holds the card for itself alone while `transaction` works with it. Blocks, for as long as another program
    /// holds the card or the card takes to answer.
    ///
    /// Without a name the reader is the only one that holds a PIV card. The transaction is called once, or not at all
    /// when there is no such card.
    ///
    /// # Errors
    ///
    /// Why there is no card to hold.
    fn hold(&self, reader: Option<&str>, transaction: &mut Transaction<'_>) -> Result<(), CardFailure>;
}

/// What is done with a card, and how it is left.
pub type Transaction<'a> = dyn FnMut(&mut dyn Card, Insertion) -> Afterwards + 'a;

/// How a card is left after a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterwards {
    /// As it is: nothing was unlocked.
    Leave,
    /// Reset, so that a verified passcode is of no use to anybody else.
    Reset,
}

/// One stay of one card in one reader: two are equal only when the card has not left in between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Insertion {
    /// The reader.
    pub reader: String,
    /// Which run of the smartcard service it was.
    pub service: u64,
    /// The reader's count of insertions and removals.
    pub count: u64,
}
