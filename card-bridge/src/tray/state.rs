//! What the icon stands for, and its words.

use card_protocol::message::{CardPresence, Readers};

use crate::controls::Admission;
use crate::worker::CardUse;

/// How things stand, by what a person can do about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The smartcard service of the machine is not running.
    Stopped,
    /// No reader is connected.
    NoReader,
    /// A reader is connected, and no card is in it.
    Reader,
    /// A card is in a reader.
    Card,
    /// A website's transaction has the card.
    InUse,
    /// The person has paused the bridge.
    Paused,
}

impl State {
    /// Each of them.
    pub const ALL: [Self; 6] = [Self::Stopped, Self::NoReader, Self::Reader, Self::Card, Self::InUse, Self::Paused];

    /// What to show: first what must not be disturbed, then what the person did themselves.
    pub fn of(readers: &Readers, card_use: CardUse, admission: Admission) -> Self {
        match (readers, card_use, admission) {
            (_, CardUse::InUse, _) => Self::InUse,
            (_, _, Admission::Paused) => Self::Paused,
            (Readers::Stopped, ..) => Self::Stopped,
            (Readers::Running { readers }, ..) if readers.is_empty() => Self::NoReader,
            (Readers::Running { readers }, ..) => {
                let holds_card = readers.iter().any(|reader| reader.card == CardPresence::Present);
                if holds_card { Self::Card } else { Self::Reader }
            }
        }
    }

    /// What a person reads.
    pub fn words(self) -> &'static str {
        match self {
            Self::Stopped => "The smartcard service of this computer is not running",
            Self::NoReader => "No card reader is connected",
            Self::Reader => "Ready: put your smartcard into the reader",
            Self::Card => "A card is in the reader",
            Self::InUse => "The card is being used: leave it in the reader",
            Self::Paused => "Paused: no website can use the card",
        }
    }
}

#[cfg(test)]
mod tests {
    use card_protocol::message::{Keypad, Reader};

    use super::*;

    fn running(cards: &[CardPresence]) -> Readers {
        let reader = |card: &CardPresence| Reader { name: "The reader".to_owned(), card: *card, keypad: Keypad::None };
        Readers::Running { readers: cards.iter().map(reader).collect() }
    }

    #[test]
    fn the_state_is_what_the_person_can_do_something_about() {
        use CardPresence::{Absent, Present};
        for (readers, card_use, admission, expected) in [
            (Readers::Stopped, CardUse::Idle, Admission::Open, State::Stopped),
            (running(&[]), CardUse::Idle, Admission::Open, State::NoReader),
            (running(&[Absent, Absent]), CardUse::Idle, Admission::Open, State::Reader),
            (running(&[Absent, Present]), CardUse::Idle, Admission::Open, State::Card),
            (running(&[Present]), CardUse::InUse, Admission::Open, State::InUse),
            (running(&[Present]), CardUse::InUse, Admission::Paused, State::InUse),
            (running(&[Present]), CardUse::Idle, Admission::Paused, State::Paused),
            (Readers::Stopped, CardUse::Idle, Admission::Paused, State::Paused),
        ] {
            assert_eq!(State::of(&readers, card_use, admission), expected, "{readers:?} {card_use:?} {admission:?}");
        }
    }

    #[test]
    fn each_state_has_words_of_its_own() {
        for (at, state) in State::ALL.into_iter().enumerate() {
            assert!(State::ALL[..at].iter().all(|other| other.words() != state.words()), "{state:?}");
        }
    }
}
