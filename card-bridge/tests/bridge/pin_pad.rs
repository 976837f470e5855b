//! A passcode that is typed on the reader. The reader is scripted here: it reads the structures of PC/SC part 10 as they are
//! written down, and a card in software gets the command. No reader with keys was tried.

use std::sync::{Arc, Mutex};

use card_bridge::Worker;
use card_bridge::readers::Afterwards;
use card_protocol::CardFailure;
use card_protocol::proof::KeyAlgorithm;
use piv::pin_pad::{Entered, Entry, NotSent, PinPad};
use piv::{Application, Card, LastTry, Passcode, TransportError, UnlockKey, Verdict, VerifyError, transaction};
use virtual_card::{Contacts, VirtualCard};

use crate::cards::{Issued, PASSCODE};
use crate::readers::{LIMITS, OneReader};

const SECONDS: u8 = 20;
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

struct Desk {
    card: Issued,
    worker: Worker,
    reader: Arc<OneReader>,
    person: Arc<Mutex<Vec<Person>>>,
    sent: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Desk {
    fn new(entries: &[Entry]) -> Self {
        let card = Issued::new(KeyAlgorithm::P256);
        let (person, sent) = (Arc::default(), Arc::default());
        let pad = Pad {
            card: card.insert(),
            entries: entries.to_vec(),
            person: Arc::clone(&person),
            sent: Arc::clone(&sent),
        };
        let reader = OneReader::with(pad);
        Self { card, worker: Worker::new(reader.clone(), LIMITS), reader, person, sent }
    }

    /// What becomes of a transaction in which the person does this.
    fn at_the_reader<T: Send + 'static>(
        &self,
        person: &[Person],
        act: impl FnOnce(&mut dyn Card) -> T + Send + 'static,
    ) -> T {
        *self.person.lock().unwrap() = person.to_vec();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let done = self.worker.carry_out(None, Afterwards::Reset, move |card, _| Ok::<_, CardFailure>(act(card)));
        runtime.block_on(done).unwrap()
    }

    fn prove(&self, person: Person) -> Result<transaction::Proof, VerifyError> {
        self.at_the_reader(&[person], |card| {
            transaction::prove_holder_on_pad(card, SECONDS, LastTry::Keep, &|_, _| vec![1; 32])
        })
    }

    fn tries(&self) -> piv::PasscodeState {
        self.at_the_reader(&[], |card| transaction::look(card).unwrap().1)
    }

    fn reset(&self, person: Person) -> Option<Entered> {
        let key = UnlockKey::new(*self.card.unlock_key.expose_secret());
        self.at_the_reader(&[person], move |card| {
            Application::select(card).unwrap().reset_retry_counter_on_pad(SECONDS, &key).unwrap()
        })
    }

    fn accepts(&self, passcode: &str) -> bool {
        let passcode = Passcode::from_digits(passcode).unwrap();
        self.at_the_reader(&[], move |card| {
            Application::select(card).unwrap().try_passcode(&passcode).unwrap() == Verdict::Accepted
        })
    }
}

#[test]
fn a_passcode_that_is_typed_on_the_reader_proves_the_holder() {
    let desk = Desk::new(&[Entry::Verify]);
    let proof = desk.prove(Person::Types(PASSCODE)).unwrap();
    assert_eq!(proof.guid.bytes(), &desk.card.guid.0);
    assert_eq!(desk.sent.lock().unwrap()[..], [b"\x00\x20\x00\x80\x08904173\xFF\xFF".to_vec()]);
    assert_eq!(desk.reader.last_ending(), Some(Afterwards::Reset));
}

#[test]
fn a_wrong_one_is_counted_and_the_last_try_is_kept() {
    let desk = Desk::new(&[Entry::Verify]);
    for tries_left in [2, 1] {
        assert_eq!(desk.prove(Person::Types("314159")), Err(VerifyError::Wrong { tries_left: Some(tries_left) }));
    }
    assert_eq!(desk.prove(Person::Types(PASSCODE)), Err(VerifyError::LastTry));
    assert_eq!(desk.sent.lock().unwrap().len(), 2);
}

#[test]
fn what_is_not_sent_to_the_card_costs_no_try() {
    let desk = Desk::new(&[Entry::Verify]);
    for (person, reason) in [
        (Person::IsAway, NotSent::TimedOut),
        (Person::BreaksOff, NotSent::Cancelled),
        (Person::Types("90417"), NotSent::WrongLength),
        (Person::Types("904173904"), NotSent::WrongLength),
    ] {
        assert_eq!(desk.prove(person), Err(VerifyError::NotSent(reason)));
    }
    assert!(desk.sent.lock().unwrap().is_empty());
    assert_eq!(desk.tries(), piv::PasscodeState::Tries(3));
}

#[test]
fn a_reader_without_these_keys_is_asked_for_nothing() {
    let desk = Desk::new(&[]);
    assert_eq!(desk.prove(Person::Types(PASSCODE)), Err(VerifyError::NoPinPad));
    assert_eq!(desk.reset(Person::TypesNew(NEW, NEW)), None);
    assert_eq!(desk.person.lock().unwrap().len(), 1);
    assert!(desk.sent.lock().unwrap().is_empty());
}

#[test]
fn a_new_passcode_that_is_typed_twice_alike_is_set_by_the_unlock_key() {
    let desk = Desk::new(&[Entry::Modify]);
    for (person, reason) in [
        (Person::TypesNew(NEW, PASSCODE), NotSent::Differ),
        (Person::TypesNew("27150", "27150"), NotSent::WrongLength),
        (Person::BreaksOff, NotSent::Cancelled),
        (Person::IsAway, NotSent::TimedOut),
    ] {
        assert_eq!(desk.reset(person), Some(Entered::NotSent(reason)));
    }
    assert!(desk.accepts(PASSCODE));
    assert_eq!(desk.reset(Person::TypesNew(NEW, NEW)), Some(Entered::Judged(Verdict::Accepted)));
    assert!(desk.accepts(NEW));
}
