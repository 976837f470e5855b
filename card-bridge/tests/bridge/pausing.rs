//! A pause that the person makes.

use std::sync::mpsc::{Receiver, Sender, channel};

use card_bridge::CardUse;
use card_bridge::controls::Admission;
use card_protocol::message::{Done, Verb};
use card_protocol::proof::KeyAlgorithm;
use card_protocol::{Challenge, Purpose, SUBPROTOCOL, close_code};
use piv::{Card, TransportError};
use tungstenite::Message;
use virtual_card::{Contacts, VirtualCard};

use crate::cards::Issued;
use crate::desktop::until;
use crate::page::{self, Headers, Page};
use crate::readers::{LIMITS, ORIGIN, OneReader, serve};

const GOOD: Headers = Headers { host: None, origin: Some(ORIGIN), subprotocol: Some(SUBPROTOCOL) };

/// A card that tells when it is asked something, and then waits.
struct Waiting {
    card: VirtualCard,
    asked: Sender<()>,
    go_on: Receiver<()>,
}

impl Card for Waiting {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        if self.asked.send(()).is_ok() {
            let _ = self.go_on.recv();
        }
        self.card.transmit(command)
    }
}

impl Contacts for Waiting {
    fn power_off(&mut self) {
        self.card.power_off();
    }

    fn power_on(&mut self) -> Result<(), TransportError> {
        self.card.power_on()
    }
}

#[test]
fn pages_are_refused_with_4503_and_let_in_again() {
    let bridge = serve(OneReader::empty(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    bridge.controls.set_admission(Admission::Paused);
    assert_eq!(page::close_code(page.socket()), close_code::PAUSED);
    // Without a greeting: a page that was greeted would ask.
    let first = page::connect(bridge.address, GOOD).0.read().unwrap();
    assert!(matches!(&first, Message::Close(Some(frame)) if u16::from(frame.code) == close_code::PAUSED), "{first}");
    bridge.controls.set_admission(Admission::Open);
    assert_eq!(Page::open(bridge.address, ORIGIN).ask(Verb::Readers), Ok(Done::Readers(page.hello().readers.clone())));
}

/// Whether the bridge pauses is nobody's business but the listed pages'.
#[test]
fn other_pages_are_refused_as_ever() {
    let bridge = serve(OneReader::empty(), LIMITS);
    bridge.controls.set_admission(Admission::Paused);
    for (headers, code) in [
        (Headers { origin: Some("https://evil.test"), ..GOOD }, close_code::ORIGIN),
        (Headers { host: Some("evil.test"), ..GOOD }, close_code::HOST),
        (Headers { subprotocol: Some("card-bridge.v9"), ..GOOD }, close_code::VERSION),
    ] {
        assert_eq!(page::close_code(&mut page::connect(bridge.address, headers).0), code, "{headers:?}");
    }
}

#[test]
fn a_request_that_is_running_is_carried_out_and_answered_first() {
    let issued = Issued::new(KeyAlgorithm::P256);
    let (asked, was_asked) = channel();
    let (let_go, go_on) = channel();
    let bridge = serve(OneReader::with(Waiting { card: issued.insert(), asked, go_on }), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    let id = page.send(Verb::ProveCard { reader: None, purpose: Purpose::Hello, challenge: Challenge([1; 32]) });
    was_asked.recv().unwrap();
    let card_use = bridge.controls.card_use();
    until(|| (*card_use.borrow() == CardUse::InUse).then_some(()), || "the card is not in use".to_owned());
    bridge.controls.set_admission(Admission::Paused);
    drop(was_asked);
    drop(let_go);
    assert_eq!(page.reply().id, id);
    assert_eq!(page::close_code(page.socket()), close_code::PAUSED);
    assert_eq!(*card_use.borrow(), CardUse::Idle);
}
