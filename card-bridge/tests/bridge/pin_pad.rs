//! A passcode that is typed on the reader. The reader is scripted here: it reads the structures of PC/SC part 10 as they are
//! written down, and a card in software gets the command. No reader with keys was tried.

use std::sync::{Arc, Mutex};

use card_bridge::readers::Afterwards;
use card_protocol::message::{Done, Keypad, LastTry, Readers, Verb};
use card_protocol::proof::KeyAlgorithm;
use card_protocol::sealed::UnlockKeys;
use card_protocol::{CardFailure, CardProof, NotEntered, Purpose};
use piv::pin_pad::{Entry, PinPad};
use piv::{Card, TransportError};
use virtual_card::{Contacts, VirtualCard};

use crate::cards::{Issued, PASSCODE};
use crate::page::Page;
use crate::readers::{LIMITS, ORIGIN, OneReader, Served, serve, service};
use crate::unlocking::{CHALLENGE, COMPLETION, first_time, once_more, seal};

const NEW: &str = "27150386";

/// What the person does at the reader.
#[derive(Clone, Copy)]
enum Person {
    Types(&'static str),
    TypesNew(&'static str, &'static str),
    BreaksOff,
    IsAway,
}

/// A reader with keys, with a card in it.
struct Pad {
    card: VirtualCard,
    entries: Vec<Entry>,
    person: Arc<Mutex<Vec<Person>>>,
    /// The commands that the card was sent from the keys.
    sent: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Card for Pad {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        self.card.transmit(command)
    }

    fn pin_pad(&mut self) -> Option<&mut dyn PinPad> {
        Some(self)
    }
}

impl Contacts for Pad {
    fn power_off(&mut self) {
        self.card.power_off();
    }

    fn power_on(&mut self) -> Result<(), TransportError> {
        self.card.power_on()
    }
}

impl PinPad for Pad {
    fn takes(&mut self, entry: Entry) -> bool {
        self.entries.contains(&entry)
    }

    fn enter(&mut self, entry: Entry, structure: &[u8]) -> Result<Vec<u8>, TransportError> {
        // The offset of the passcode, the bounds of its length, and the command.
        let (offset, bounds, command) = match entry {
            Entry::Verify => (0, &structure[5..7], data(&structure[15..])),
            Entry::Modify => (usize::from(structure[6]), &structure[7..9], data(&structure[20..])),
        };
        let person = self.person.lock().unwrap().remove(0);
        let typed = match person {
            Person::IsAway => return Ok(vec![0x64, 0x00]),
            Person::BreaksOff => return Ok(vec![0x64, 0x01]),
            Person::TypesNew(first, second) if first != second => return Ok(vec![0x64, 0x02]),
            Person::Types(typed) | Person::TypesNew(typed, _) => typed,
        };
        if !(bounds[1]..=bounds[0]).contains(&u8::try_from(typed.len()).unwrap()) {
            return Ok(vec![0x64, 0x03]);
        }
        let mut command = command.to_vec();
        command[5 + offset..5 + offset + typed.len()].copy_from_slice(typed.as_bytes());
        self.sent.lock().unwrap().push(command.clone());
        self.card.transmit(&command)
    }
}

/// What follows a length of four bytes, which must be all.
fn data(bytes: &[u8]) -> &[u8] {
    let (length, data) = bytes.split_first_chunk().unwrap();
    assert_eq!(u32::from_le_bytes(*length) as usize, data.len());
    data
}

/// A bridge whose reader has keys, a page, and the person in front of it.
struct Desk {
    card: Issued,
    reader: Arc<OneReader>,
    page: Page,
    _bridge: Served,
    person: Arc<Mutex<Vec<Person>>>,
    sent: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Desk {
    fn new(card: Issued, entries: &[Entry]) -> Self {
        let (person, sent) = (Arc::default(), Arc::default());
        let pad = Pad {
            card: card.insert(),
            entries: entries.to_vec(),
            person: Arc::clone(&person),
            sent: Arc::clone(&sent),
        };
        let reader = OneReader::with(pad);
        let bridge = serve(reader.clone(), LIMITS);
        let page = Page::open(bridge.address, ORIGIN);
        Self { card, reader, page, _bridge: bridge, person, sent }
    }

    fn sign_in(&mut self, person: Person) -> Result<CardProof, CardFailure> {
        *self.person.lock().unwrap() = vec![person];
        let (purpose, last_try) = (Purpose::SignIn, LastTry::Keep);
        let verb = Verb::ProveHolder { reader: None, purpose, challenge: CHALLENGE, passcode: None, last_try };
        self.page.ask_for_proof(verb)
    }

    fn unlock(&mut self, keys: &UnlockKeys, person: &[Person]) -> Result<CardProof, CardFailure> {
        *self.person.lock().unwrap() = person.to_vec();
        let release = self.page.prove_card(Purpose::Release, CHALLENGE).unwrap();
        let unlock_keys = seal(&service(), &release, keys);
        self.page.ask_for_proof(Verb::ResetPasscode { reader: None, passcode: None, unlock_keys })
    }

    fn tries_left(&mut self) -> Option<u8> {
        match self.page.ask(Verb::CardStatus { reader: None }) {
            Ok(Done::CardStatus(status)) => status.tries_left,
            other => panic!("{other:?} instead of a status"),
        }
    }

    fn sent(&self) -> usize {
        self.sent.lock().unwrap().len()
    }
}

fn not_entered(reason: NotEntered) -> Result<CardProof, CardFailure> {
    Err(CardFailure::NotEntered { reason })
}

const BOTH: [Entry; 2] = [Entry::Verify, Entry::Modify];

#[test]
fn a_page_is_told_what_can_be_typed_on_the_reader() {
    for (entries, keypad) in [
        (&[][..], Keypad::None),
        (&[Entry::Verify], Keypad::Current),
        // A new passcode that can't be verified there is of no use.
        (&[Entry::Modify], Keypad::None),
        (&BOTH, Keypad::CurrentAndNew),
    ] {
        let desk = Desk::new(Issued::new(KeyAlgorithm::P256), entries);
        let Readers::Running { readers } = &desk.page.hello().readers else { panic!("no service") };
        assert_eq!(readers[0].keypad, keypad, "{entries:?}");
    }
}

#[test]
fn a_passcode_that_is_typed_on_the_reader_proves_the_holder() {
    let mut desk = Desk::new(Issued::new(KeyAlgorithm::P256), &[Entry::Verify]);
    let proof = desk.sign_in(Person::Types(PASSCODE)).unwrap();
    assert!(desk.card.signed(&proof, ORIGIN));
    assert_eq!(desk.sent.lock().unwrap()[..], [b"\x00\x20\x00\x80\x08904173\xFF\xFF".to_vec()]);
    assert_eq!(desk.reader.last_ending(), Some(Afterwards::Reset));
}

#[test]
fn a_wrong_one_is_counted_and_the_last_try_is_kept() {
    let mut desk = Desk::new(Issued::new(KeyAlgorithm::P256), &[Entry::Verify]);
    for tries_left in [2, 1] {
        assert_eq!(desk.sign_in(Person::Types("314159")), Err(CardFailure::WrongPasscode { tries_left }));
    }
    assert_eq!(desk.sign_in(Person::Types(PASSCODE)), Err(CardFailure::LastTry));
    assert_eq!(desk.sent(), 2);
}

#[test]
fn what_is_not_sent_to_the_card_costs_no_try() {
    let mut desk = Desk::new(Issued::new(KeyAlgorithm::P256), &[Entry::Verify]);
    for (person, reason) in [
        (Person::IsAway, NotEntered::TimedOut),
        (Person::BreaksOff, NotEntered::Cancelled),
        (Person::Types("90417"), NotEntered::WrongLength),
        (Person::Types("904173904"), NotEntered::WrongLength),
    ] {
        assert_eq!(desk.sign_in(person), not_entered(reason));
    }
    assert_eq!((desk.sent(), desk.tries_left()), (0, Some(3)));
}

#[test]
fn a_reader_without_these_keys_is_asked_for_nothing() {
    for entries in [&[][..], &[Entry::Verify], &[Entry::Modify]] {
        let mut desk = Desk::new(Issued::locked(), entries);
        let keys = first_time(&desk.card);
        assert_eq!(desk.unlock(&keys, &[Person::TypesNew(NEW, NEW)]), not_entered(NotEntered::NoKeypad));
        assert_eq!((desk.sent(), desk.tries_left()), (0, Some(0)));
        assert_eq!(desk.person.lock().unwrap().len(), 1);
    }
    let mut desk = Desk::new(Issued::new(KeyAlgorithm::P256), &[Entry::Modify]);
    assert_eq!(desk.sign_in(Person::Types(PASSCODE)), not_entered(NotEntered::NoKeypad));
}

#[test]
fn a_card_is_unlocked_by_a_new_passcode_that_is_typed_on_the_reader() {
    let mut desk = Desk::new(Issued::locked(), &BOTH);
    let keys = first_time(&desk.card);
    let completion = desk.unlock(&keys, &[Person::TypesNew(NEW, NEW), Person::Types(NEW)]).unwrap();
    assert!(desk.card.signed(&completion, ORIGIN));
    assert_eq!(completion.challenge, COMPLETION);
    assert!(desk.page.sign_in(NEW).is_ok());
}

#[test]
fn before_anything_is_set_a_new_passcode_can_be_given_up() {
    let mut desk = Desk::new(Issued::locked(), &BOTH);
    let keys = first_time(&desk.card);
    for (person, reason) in [
        (Person::TypesNew(NEW, PASSCODE), NotEntered::Differ),
        (Person::TypesNew("27150", "27150"), NotEntered::WrongLength),
        (Person::BreaksOff, NotEntered::Cancelled),
        (Person::IsAway, NotEntered::TimedOut),
    ] {
        assert_eq!(desk.unlock(&keys, &[person]), not_entered(reason));
    }
    assert_eq!((desk.sent(), desk.tries_left()), (0, Some(0)));
}

#[test]
fn an_unlock_that_was_not_confirmed_on_the_reader_is_finished_by_the_same_again() {
    for (last, reason) in [
        (Person::BreaksOff, NotEntered::Cancelled),
        (Person::IsAway, NotEntered::TimedOut),
        (Person::Types("314159"), NotEntered::Differ),
    ] {
        let mut desk = Desk::new(Issued::locked(), &BOTH);
        let keys = first_time(&desk.card);
        let unconfirmed = desk.unlock(&keys, &[Person::TypesNew(NEW, NEW), last]);
        assert_eq!(unconfirmed, Err(CardFailure::NotConfirmed { reason }));
        let again = once_more(&desk.card);
        let completion = desk.unlock(&again, &[Person::TypesNew(NEW, NEW), Person::Types(NEW)]).unwrap();
        assert!(desk.card.signed(&completion, ORIGIN));
        assert!(desk.page.sign_in(NEW).is_ok());
    }
}

#[test]
fn for_a_second_unlock_key_the_new_passcode_is_typed_again() {
    let mut desk = Desk::new(Issued::locked(), &BOTH);
    // The next key was stored, and the card has not got it.
    let keys = once_more(&desk.card);
    let twice = [Person::TypesNew(NEW, NEW), Person::TypesNew(NEW, NEW), Person::Types(NEW)];
    let completion = desk.unlock(&keys, &twice).unwrap();
    assert!(desk.card.signed(&completion, ORIGIN));
}
