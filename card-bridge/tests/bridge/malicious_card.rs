//! Cards that mean harm: whatever they answer, the page gets a failure that it knows, no passcode and no unlock key goes
//! to a card that has not shown itself to be the right one, and the next card works.

use std::sync::mpsc::{Receiver, Sender, channel};

use card_protocol::message::{LastTry, Verb};
use card_protocol::proof::KeyAlgorithm;
use card_protocol::{CardFailure, Challenge, Purpose};
use piv::{Card, Certificate, Command, ObjectId, TransportError, tlv};
use virtual_card::{Contacts, VirtualCard};

use crate::cards::{Issued, PASSCODE};
use crate::page::Page;
use crate::readers::{LIMITS, ORIGIN, OneReader, serve, service};
use crate::unlocking::{NEW_PASSCODE, first_time, seal, unlock};

const CHALLENGE: Challenge = Challenge([7; 32]);
const GET_DATA: u8 = 0xCB;
/// An exchange is at most a chain of two commands, that again, and 64 continuations, each of them twice.
const MOST_COMMANDS_OF_AN_EXCHANGE: usize = 2 * 2 + 2 * 64;

/// A card that answers what it wants.
struct Answering<F>(F);

impl<F: FnMut(&[u8]) -> Vec<u8>> Card for Answering<F> {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        Ok(self.0(command))
    }
}

impl<F: FnMut(&[u8]) -> Vec<u8>> Contacts for Answering<F> {
    fn power_off(&mut self) {}

    fn power_on(&mut self) -> Result<(), TransportError> {
        Ok(())
    }
}

/// A card that says to be the one of another GUID from the nth time on that it is asked, and tells of each instruction.
struct Impostor {
    card: VirtualCard,
    guid: [u8; 16],
    honest: usize,
    instructions: Sender<u8>,
}

impl Impostor {
    fn new(card: VirtualCard, guid: [u8; 16], honest: usize) -> (Self, Receiver<u8>) {
        let (instructions, receiver) = channel();
        (Self { card, guid, honest, instructions }, receiver)
    }
}

impl Card for Impostor {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        // A test that has seen enough does not listen any more.
        let _ = self.instructions.send(command[1]);
        if command == Command::get_data(ObjectId::CHUID).apdus()[0].as_slice() {
            match self.honest.checked_sub(1) {
                Some(left) => self.honest = left,
                None => return Ok(success(&tlv::encode(0x53, &tlv::encode(0x34, &self.guid)))),
            }
        }
        self.card.transmit(command)
    }
}

impl Contacts for Impostor {
    fn power_off(&mut self) {
        self.card.power_off();
    }

    fn power_on(&mut self) -> Result<(), TransportError> {
        self.card.power_on()
    }
}

fn success(data: &[u8]) -> Vec<u8> {
    [data, &[0x90, 0x00]].concat()
}

/// VERIFY, CHANGE REFERENCE DATA and RESET RETRY COUNTER carry secrets.
fn carries_a_secret(instruction: u8) -> bool {
    matches!(instruction, 0x20 | 0x24 | 0x2C)
}

/// The name of a way to answer, and the answer to a command.
type MaliciousAnswer = (&'static str, fn(&[u8]) -> Vec<u8>);

fn malicious_answers() -> Vec<MaliciousAnswer> {
    fn only_data(command: &[u8], data: &[u8]) -> Vec<u8> {
        success(if command[1] == GET_DATA { data } else { &[] })
    }
    vec![
        ("a long answer without end", |_| [&[0; 256][..], &[0x61, 0x00]].concat()),
        ("a short answer without end", |_| vec![0x61, 0x01]),
        ("a length that it never likes", |_| vec![0x6C, 0x05]),
        ("one answer of a megabyte", |_| success(&vec![0x53; 1 << 20])),
        ("a length of sixteen megabytes", |command| only_data(command, &[0x53, 0x83, 0xFF, 0xFF, 0xFF, 0x00])),
        ("a length of four gigabytes", |command| only_data(command, &[0x53, 0x84, 0xFF, 0xFF, 0xFF, 0xFF])),
        ("a length without end", |command| only_data(command, &[0x53, 0x80, 0x00, 0x00])),
        ("a tag without end", |command| only_data(command, &[0xFF; 200])),
        ("objects in objects", |command| {
            let nested = (0..100).fold(Vec::new(), |inner, _| tlv::encode(0x53, &inner));
            only_data(command, &nested)
        }),
        ("ten thousand empty objects", |command| only_data(command, &tlv::encode(0x53, &[0x34, 0x00].repeat(5_000)))),
        ("no object at all", |command| only_data(command, &[])),
        ("a GUID of zeros", |command| only_data(command, &tlv::encode(0x53, &tlv::encode(0x34, &[0; 16])))),
        ("a GUID that is too long", |command| only_data(command, &tlv::encode(0x53, &tlv::encode(0x34, &[1; 17])))),
        ("a certificate of nothing", |command| {
            let object = [tlv::encode(0x34, &[1; 16]), Certificate::to_object(&[0x30, 0x82, 0xFF, 0xFF])].concat();
            only_data(command, &tlv::encode(0x53, &object))
        }),
    ]
}

#[test]
fn whatever_a_card_answers_it_gets_no_secret_and_the_next_card_works() {
    let good = Issued::new(KeyAlgorithm::P256);
    let reader = OneReader::empty();
    let bridge = serve(reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    let mut other = Page::open(bridge.address, ORIGIN);
    for (name, answer) in malicious_answers() {
        let (tell, told) = channel();
        reader.insert(Answering(move |command: &[u8]| {
            let _ = tell.send(command[1]);
            answer(command)
        }));
        let before = reader.exchanges();
        let proved = page.prove_card(Purpose::Hello, CHALLENGE);
        assert_eq!(proved, Err(CardFailure::UnsupportedCard), "{name}");
        // SELECT, the CHUID, the certificate.
        let exchanges = reader.exchanges() - before;
        assert!(exchanges <= 3 * MOST_COMMANDS_OF_AN_EXCHANGE, "{name}: {exchanges} commands");
        let signed_in = page.prove_holder(Purpose::SignIn, CHALLENGE, PASSCODE, LastTry::Spend);
        assert_eq!(signed_in, Err(CardFailure::UnsupportedCard), "{name}");
        let changed = page.change_passcode(good.guid, CHALLENGE, [PASSCODE, NEW_PASSCODE], LastTry::Spend);
        // One that says clearly which card it is, is another one.
        assert!(matches!(changed, Err(CardFailure::UnsupportedCard | CardFailure::CardChanged)), "{name}: {changed:?}");
        assert!(!told.try_iter().any(carries_a_secret), "{name}");

        reader.insert(good.insert());
        let proof = other.prove_card(Purpose::Hello, CHALLENGE).unwrap();
        assert!(good.signed(&proof, ORIGIN), "{name}");
        reader.remove();
    }
}

#[test]
fn a_card_that_becomes_another_between_proof_and_reset_gets_no_unlock_key() {
    let [card, other] = [Issued::locked(), Issued::locked()];
    let (impostor, instructions) = Impostor::new(card.insert(), other.guid.0, 1);
    let reader = OneReader::with(impostor);
    let bridge = serve(reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    assert_eq!(unlock(&mut page, &first_time(&card)), Err(CardFailure::CardChanged));
    assert!(!instructions.try_iter().any(carries_a_secret));
    reader.remove();
    reader.insert(card.insert());
    assert!(unlock(&mut page, &first_time(&card)).is_ok());
}

#[test]
fn a_clone_with_other_keys_gets_no_unlock_key_and_its_proof_is_not_the_cards() {
    let [card, clone] = [Issued::locked(), Issued::locked()];
    let reader = OneReader::with(card.insert());
    let bridge = serve(reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    let release = page.prove_card(Purpose::Release, CHALLENGE).unwrap();
    reader.remove();
    let (impostor, instructions) = Impostor::new(clone.insert(), card.guid.0, 0);
    reader.insert(impostor);
    let sealed = seal(&service(), &release, &first_time(&card));
    // It is the same GUID, but it is not the same stay in the reader.
    assert_eq!(page.reset_passcode(NEW_PASSCODE, sealed), Err(CardFailure::CardRemoved));
    let proof = page.prove_card(Purpose::Release, CHALLENGE).unwrap();
    assert_eq!(proof.guid, card.guid);
    assert!(!card.signed(&proof, ORIGIN));
    // The bridge has looked at the card, and asked for the tries left: by VERIFY without data.
    assert_eq!(
        instructions.try_iter().filter(|instruction| carries_a_secret(*instruction)).collect::<Vec<_>>(),
        [0x20]
    );
}

#[test]
fn a_proof_by_one_card_unlocks_no_other_in_the_other_reader() {
    let [card, other] = [Issued::locked(), Issued::locked()];
    let reader = OneReader::with(card.insert());
    let bridge = serve(reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    let release = page.prove_card(Purpose::Release, CHALLENGE).unwrap();
    let sealed = seal(&service(), &release, &first_time(&card));
    reader.remove();
    reader.insert(other.insert());
    let exchanges = reader.exchanges();
    assert_eq!(page.reset_passcode(NEW_PASSCODE, sealed.clone()), Err(CardFailure::CardChanged));
    assert!(reader.exchanges() > exchanges, "the other card was looked at");
    // The first card again does not make the proof good.
    reader.remove();
    reader.insert(card.insert());
    assert_eq!(page.reset_passcode(NEW_PASSCODE, sealed), Err(CardFailure::Malformed));
    assert_eq!(page.ask(Verb::CardStatus { reader: Some("Another".to_owned()) }), Err(CardFailure::NoReader));
}
