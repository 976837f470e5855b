//! The PIV card application (NIST SP 800-73): commands, status words, data objects and one card transaction.
//!
//! Bytes only: no PC/SC, no websocket, no cryptography beyond recognising a key's algorithm and answering with a
//! management key. Everything goes through
//! the [`Card`] port, behind which stands a real reader (`card-bridge`) or a card in software (`virtual-card`).
//!
//! * [`transaction`]: what the bridge does with a card, each from SELECT to the last signature. Begin here.
//! * [`issuance`]: a blank card made somebody's.
//! * [`Application`]: the selected application, a method for each thing that is asked of it.
//! * [`Command`] and [`exchange()`]: any other command.
//! * [`pin_pad`]: a passcode that is typed on the reader.
//!
//! Cards are taken as they are. Every answer, of whatever length and content, ends in a result: an answer that was cut
//! off is [`CardError::CutOff`] and never a wrong passcode, and the dialects of different cards (63C0 or 6983 for «no
//! try left», 6300 instead of 63CX) have one meaning each, [`Verdict`].

#![warn(missing_docs)]

mod application;
mod card;
mod certificate;
mod command;
mod error;
mod exchange;
pub mod issuance;
mod management;
mod metadata;
mod objects;
pub mod pin_pad;
mod request;
mod secrets;
mod sign;
mod slot;
mod status;
pub mod tlv;
mod trace;
pub mod transaction;

pub use application::{Application, LastTry, PasscodeState};
pub use card::{Card, TransportError};
pub use certificate::{Certificate, PublicKey};
pub use command::{Command, Instruction};
pub use error::{CardError, VerifyError};
pub use exchange::{Response, exchange};
pub use management::{FACTORY_MANAGEMENT_KEY, ManagementAlgorithm, ManagementKey};
pub use objects::{Guid, ObjectId};
pub use pin_pad::PasscodeSource;
pub use secrets::{BadlyFormedPasscode, Passcode, UnlockKey};
pub use slot::{Algorithm, Slot};
pub use status::{StatusWord, Verdict};
pub use trace::Trace;
