//! Why an operation came to no result, whichever it was.

use crate::card::TransportError;
use crate::pin_pad::NotSent;
use crate::status::StatusWord;
use crate::tlv::TlvError;

/// Why an operation came to no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// The reader reports that the card did not answer.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The answer is shorter than a status word: the card was pulled while it answered. Whether it carried out the
    /// command is unknown.
    #[error("the answer was cut off")]
    CutOff,
    /// The answer did not end within its bounds.
    #[error("the answer has no end")]
    Endless,
    /// The card refuses with a status word that has no better meaning here.
    #[error("the card refuses with {0}")]
    Refused(StatusWord),
    /// The answer is not what the standard describes.
    #[error("the answer cannot be understood")]
    Garbled,
    /// The card has no PIV application.
    #[error("the card has no PIV application")]
    NotPiv,
    /// The key wants a touch of the card for each signature, and there was none in time. Nothing is wrong with the card.
    #[error("the card was not touched")]
    NotTouched,
    /// A PIV card that was not personalised as the service needs it: no GUID, no certificate, another kind of key.
    #[error("the card is not personalised for this use")]
    Unsuitable,
}

impl From<TlvError> for CardError {
    fn from(_: TlvError) -> Self {
        Self::Garbled
    }
}

/// Why a passcode was not verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// It is wrong.
    #[error("the passcode is wrong")]
    Wrong {
        /// The tries left, where the card says so.
        tries_left: Option<u8>,
    },
    /// One try is left, or an unknown number, and the last was not to be spent: none was.
    #[error("one try is left")]
    LastTry,
    /// No try is left.
    #[error("the passcode is blocked")]
    Blocked,
    /// It was to be typed on the reader, and the card was sent nothing.
    #[error(transparent)]
    NotSent(#[from] NotSent),
    /// There was no answer to judge.
    #[error(transparent)]
    Card(#[from] CardError),
}
