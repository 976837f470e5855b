//! What the page knows of bridge, reader and card, and how it follows what comes and goes.

use card_protocol::{
    CardFailure,
    message::{CardPresence, Keypad, Readers},
};

use super::diagnosis::Diagnosis;

/// What the page knows of bridge, reader and card: what the reader panel shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReaderState {
    /// Nothing was tried yet.
    Before,
    /// The connection is being opened.
    Connecting,
    /// The browser asks the person whether it may be opened.
    Asking,
    /// The helper window asks the person.
    AskingInHelper,
    /// The card is being used.
    Using,
    /// The person types on the keys of the reader.
    TypingOnReader,
    /// The card did what was asked.
    Ready,
    /// After a trouble there is a card now.
    Found,
    /// It does not go on.
    Trouble(Trouble),
}

/// Why it does not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There is no connection.
    Bridge(Diagnosis),
    /// The card or its reader.
    Card(CardFailure),
    /// The browser cannot seal a passcode.
    NoSealing,
}

/// What the state becomes when these are the readers now; nothing where it stays. What is being done tells by itself how it
/// ended.
pub fn after(state: &ReaderState, readers: &Readers) -> Option<ReaderState> {
    let now = absence(readers);
    let next = match state {
        ReaderState::Ready | ReaderState::Found => match now? {
            CardFailure::NoCard => CardFailure::CardRemoved,
            absence => absence,
        },
        ReaderState::Trouble(Trouble::Card(trouble)) => match (trouble, now) {
            (CardFailure::NoService | CardFailure::NoReader | CardFailure::NoCard | CardFailure::CardRemoved, None) => {
                return Some(ReaderState::Found);
            }
            // It is the same to do, and says more.
            (CardFailure::CardRemoved, Some(CardFailure::NoCard)) => return None,
            (
                CardFailure::NoService
                | CardFailure::NoReader
                | CardFailure::NoCard
                | CardFailure::CardRemoved
                | CardFailure::UnsupportedCard
                | CardFailure::CardChanged
                | CardFailure::CardSilent,
                Some(absence),
            ) => absence,
            _ => return None,
        },
        _ => return None,
    };
    let next = ReaderState::Trouble(Trouble::Card(next));
    (next != *state).then_some(next)
}

/// What is missing before a card can be used; nothing where one is there.
fn absence(readers: &Readers) -> Option<CardFailure> {
    match readers {
        Readers::Stopped => Some(CardFailure::NoService),
        Readers::Running { readers } if readers.is_empty() => Some(CardFailure::NoReader),
        Readers::Running { readers } if readers.iter().all(|reader| reader.card == CardPresence::Absent) => {
            Some(CardFailure::NoCard)
        }
        Readers::Running { .. } => None,
    }
}

/// What can be typed on the reader that is used: the chosen one, or the only one that holds a card.
pub fn keypad(readers: &Readers, chosen: Option<&str>) -> Keypad {
    let Readers::Running { readers } = readers else { return Keypad::None };
    let is_meant = |name: &str| chosen.is_none_or(|chosen| chosen == name);
    let mut meant = readers.iter().filter(|reader| reader.card == CardPresence::Present && is_meant(&reader.name));
    match (meant.next(), meant.next()) {
        (Some(reader), None) => reader.keypad,
        _ => Keypad::None,
    }
}

#[cfg(test)]
mod tests {
    use card_protocol::message::Reader;

    use super::*;

    fn readers(cards: &[(CardPresence, Keypad)]) -> Readers {
        let reader = |(position, (card, keypad)): (usize, &(CardPresence, Keypad))| Reader {
            name: position.to_string(),
            card: *card,
            keypad: *keypad,
        };
        Readers::Running { readers: cards.iter().enumerate().map(reader).collect() }
    }

    fn empty() -> Readers {
        readers(&[(CardPresence::Absent, Keypad::None)])
    }

    fn with_card() -> Readers {
        readers(&[(CardPresence::Absent, Keypad::None), (CardPresence::Present, Keypad::None)])
    }

    fn trouble(failure: CardFailure) -> ReaderState {
        ReaderState::Trouble(Trouble::Card(failure))
    }

    #[test]
    fn a_card_that_comes_ends_the_trouble_that_there_was_none() {
        for failure in [CardFailure::NoService, CardFailure::NoReader, CardFailure::NoCard, CardFailure::CardRemoved] {
            assert_eq!(after(&trouble(failure), &with_card()), Some(ReaderState::Found));
        }
    }

    #[test]
    fn a_trouble_of_another_kind_is_not_ended_by_a_card() {
        for failure in [
            CardFailure::WrongPasscode { tries_left: 2 },
            CardFailure::LastTry,
            CardFailure::PasscodeBlocked,
            CardFailure::UnlockKeyRefused,
            CardFailure::UnsupportedCard,
            CardFailure::Busy,
        ] {
            assert_eq!(after(&trouble(failure), &with_card()), None);
        }
        let lost = ReaderState::Trouble(Trouble::Bridge(Diagnosis::Lost));
        assert_eq!(after(&lost, &with_card()), None);
    }

    #[test]
    fn what_is_missing_is_said_as_it_changes() {
        for state in [ReaderState::Ready, ReaderState::Found] {
            assert_eq!(after(&state, &with_card()), None);
            assert_eq!(after(&state, &empty()), Some(trouble(CardFailure::CardRemoved)));
            assert_eq!(after(&state, &readers(&[])), Some(trouble(CardFailure::NoReader)));
            assert_eq!(after(&state, &Readers::Stopped), Some(trouble(CardFailure::NoService)));
        }
        assert_eq!(after(&trouble(CardFailure::NoReader), &empty()), Some(trouble(CardFailure::NoCard)));
        assert_eq!(after(&trouble(CardFailure::NoCard), &empty()), None);
        assert_eq!(after(&trouble(CardFailure::CardRemoved), &empty()), None);
        assert_eq!(after(&trouble(CardFailure::UnsupportedCard), &empty()), Some(trouble(CardFailure::NoCard)));
    }

    #[test]
    fn what_is_being_done_tells_by_itself_how_it_ended() {
        for state in [ReaderState::Before, ReaderState::Connecting, ReaderState::Using, ReaderState::TypingOnReader] {
            assert_eq!(after(&state, &empty()), None);
            assert_eq!(after(&state, &with_card()), None);
        }
    }

    #[test]
    fn the_keys_are_those_of_the_reader_that_is_used() {
        let one = readers(&[(CardPresence::Absent, Keypad::Current), (CardPresence::Present, Keypad::CurrentAndNew)]);
        assert_eq!(keypad(&one, None), Keypad::CurrentAndNew);
        assert_eq!(keypad(&one, Some("0")), Keypad::None);
        let two = readers(&[(CardPresence::Present, Keypad::Current), (CardPresence::Present, Keypad::None)]);
        assert_eq!(keypad(&two, None), Keypad::None);
        assert_eq!(keypad(&two, Some("0")), Keypad::Current);
        assert_eq!(keypad(&Readers::Stopped, None), Keypad::None);
    }
}
