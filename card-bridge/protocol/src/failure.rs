//! Why a card operation did not happen.

use serde::{Deserialize, Serialize};

/// Why the bridge did not do what the page asked for: each for a person to act on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CardFailure {
    /// The smartcard service (PC/SC) of the machine is not running.
    #[error("the smartcard service is not running")]
    NoService,
    /// No reader is connected.
    #[error("no reader is connected")]
    NoReader,
    /// No card is in the reader.
    #[error("no card is in the reader")]
    NoCard,
    /// There is more than one card: the request must name a reader.
    #[error("there are several cards")]
    SeveralCards {
        /// The readers that hold one.
        readers: Vec<String>,
    },
    /// The card is not a PIV card of the supported kind, or was not personalised.
    #[error("the card is not supported")]
    UnsupportedCard,
    /// The card was removed while it was used. What it had done by then is unknown.
    #[error("the card was removed")]
    CardRemoved,
    /// Another program is using the card, or the card does not answer.
    #[error("the card is in use")]
    CardInUse,
    /// The card refused the passcode.
    #[error("the passcode is wrong, {tries_left} tries are left")]
    WrongPasscode {
        /// How many tries the card still gives.
        tries_left: u8,
    },
    /// One try is left, and the request did not say to spend it.
    #[error("one passcode try is left")]
    LastTry,
    /// The card is locked.
    #[error("the passcode is blocked")]
    PasscodeBlocked,
    /// The card refused every unlock key that was offered.
    #[error("the unlock key was refused")]
    UnlockKeyRefused,
    /// The card is not the one of the proof before.
    #[error("the card is another one")]
    CardChanged,
    /// The request is not one that the bridge can carry out.
    #[error("the request is malformed")]
    Malformed,
    /// Another page holds a running request, or has used unlock keys since the release proof of these.
    #[error("another page is using the card")]
    Busy,
}
