//! Why a card operation did not happen.
//!
//! A page that meets a kind of a newer bridge, which it does not know, reads it as [`CardFailure::Malformed`].

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
        /// The ones that may be meant.
        cards: Vec<HeldCard>,
    },
    /// The card is not a PIV card of the supported kind, or was not personalised.
    #[error("the card is not supported")]
    UnsupportedCard,
    /// The card was removed while it was used. What it had done by then is unknown.
    #[error("the card was removed")]
    CardRemoved,
    /// Another program holds the card, and was waited for.
    #[error("the card is in use")]
    CardInUse {
        /// The names of the programs that may do so, as far as the system tells.
        #[serde(default)]
        programs: Vec<String>,
    },
    /// The card does not answer.
    #[error("the card does not answer")]
    CardSilent,
    /// The card's key wants a touch for each signature, and there was none in time. No try was spent.
    #[error("the card was not touched")]
    NotTouched,
    /// The passcode was to be typed on the reader, and the card was sent nothing.
    #[error("nothing was typed on the reader: {reason:?}")]
    NotEntered {
        /// Why.
        reason: NotEntered,
    },
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
    /// A new passcode was set, typed on the reader, and not typed once more to prove it: the same unlock again finishes it.
    #[error("the new passcode was not confirmed on the reader: {reason:?}")]
    NotConfirmed {
        /// Why.
        reason: NotEntered,
    },
    /// A new passcode was sent in place of the current one, and then the card gave no proof: it was removed or fell silent.
    #[error("a new passcode was sent and not proved: the card has {passcode:?}")]
    ChangeNotProved {
        /// What is known of the passcode that the card has now.
        passcode: PasscodeNow,
    },
    /// Another page holds a running request, or has used unlock keys since the release proof of these.
    #[error("another page is using the card")]
    Busy,
    /// The request is not one that the bridge can carry out.
    #[error("the request is malformed")]
    #[serde(other)]
    Malformed,
}

/// The passcode of a card that was sent a new one and did not prove it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PasscodeNow {
    /// It has said that it took the new one.
    New,
    /// The new one or the one before: it has said nothing that can be understood.
    NewOrFormer,
}

/// A card among several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldCard {
    /// The reader that holds it.
    pub reader: String,
    /// The name on its certificate, where that can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
}

/// Why a passcode that was to be typed on the reader did not get to the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotEntered {
    /// Nothing was typed in time.
    TimedOut,
    /// The person broke off.
    Cancelled,
    /// The new passcode was not typed twice alike.
    Differ,
    /// Fewer than 6 digits were typed, or more than 8.
    WrongLength,
    /// The reader has no keys for it.
    NoKeypad,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_that_is_not_known_yet_is_read_as_a_request_that_can_not_be_carried_out() {
        for (json, failure) in [
            (r#"{"kind":"of_next_year","since":2027}"#, CardFailure::Malformed),
            (r#"{"kind":"malformed"}"#, CardFailure::Malformed),
            (r#"{"kind":"card_in_use"}"#, CardFailure::CardInUse { programs: Vec::new() }),
            (
                r#"{"kind":"not_entered","reason":"timed_out"}"#,
                CardFailure::NotEntered { reason: NotEntered::TimedOut },
            ),
        ] {
            assert_eq!(serde_json::from_str::<CardFailure>(json).unwrap(), failure, "{json}");
        }
        assert_eq!(serde_json::to_string(&CardFailure::Malformed).unwrap(), r#"{"kind":"malformed"}"#);
    }
}
