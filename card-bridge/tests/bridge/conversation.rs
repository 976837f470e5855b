//! Messages: malformed ones, long ones, several at once, events, and cards that keep a page waiting.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use card_bridge::Limits;
use card_protocol::message::{CardPresence, Done, FromBridge, Outcome, Readers, Verb};
use card_protocol::proof::KeyAlgorithm;
use card_protocol::{CardFailure, Challenge, MAX_MESSAGE, Purpose};
use piv::{Card, TransportError};
use tungstenite::Message;
use virtual_card::Contacts;

use crate::cards::Issued;
use crate::page::{self, PATIENCE, Page};
use crate::readers::{LIMITS, ORIGIN, OneReader, serve};

const CHALLENGE: Challenge = Challenge([1; 32]);

#[test]
fn what_is_connected_is_told_when_asked_and_when_it_changes() {
    let card = Issued::new(KeyAlgorithm::P256);
    let reader = OneReader::empty();
    let bridge = serve(reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    let presence = |readers: &Readers| match readers {
        Readers::Running { readers } => readers[0].card,
        Readers::Stopped => panic!("the service runs"),
    };
    assert_eq!(presence(&page.next_readers()), CardPresence::Absent);
    assert_eq!(page.ask(Verb::CardStatus { reader: None }), Err(CardFailure::NoCard));
    reader.insert(card.insert());
    assert_eq!(presence(&page.next_readers()), CardPresence::Present);
    let Ok(Done::Readers(readers)) = page.ask(Verb::Readers) else { panic!("readers") };
    assert_eq!(presence(&readers), CardPresence::Present);
    let Ok(Done::CardStatus(status)) = page.ask(Verb::CardStatus { reader: None }) else { panic!("status") };
    assert_eq!((status.guid, status.tries_left), (card.guid, Some(3)));
    reader.remove();
    assert_eq!(presence(&page.next_readers()), CardPresence::Absent);
}

#[test]
fn a_reader_that_is_not_there_is_no_reader() {
    let bridge = serve(OneReader::empty(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    let failure = page.ask(Verb::CardStatus { reader: Some("Another".to_owned()) });
    assert_eq!(failure, Err(CardFailure::NoReader));
}

#[test]
fn a_malformed_request_with_an_id_is_answered() {
    let bridge = serve(OneReader::empty(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    for text in [
        r#"{"id":7}"#,
        r#"{"id":7,"do":{"verb":"transmit","apdu":"00A40400"}}"#,
        r#"{"id":7,"do":{"verb":"prove_card","purpose":"anything","challenge":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}"#,
        r#"{"id":7,"do":{"verb":"prove_card","purpose":"hello","challenge":"AAAA"}}"#,
    ] {
        page.socket().send(Message::text(text)).unwrap();
        let reply = page.reply();
        assert_eq!((reply.id, reply.outcome), (7, Outcome::Failed(CardFailure::Malformed)), "{text}");
    }
}

#[test]
fn what_is_no_request_ends_the_connection() {
    let bridge = serve(OneReader::empty(), LIMITS);
    for (message, code) in [
        (Message::text("hello"), 1008),
        (Message::text("{}"), 1008),
        (Message::text(r#"{"id":-1}"#), 1008),
        (Message::binary(vec![0, 1, 2]), 1003),
    ] {
        let mut page = Page::open(bridge.address, ORIGIN);
        page.socket().send(message).unwrap();
        assert_eq!(page::close_code(page.socket()), code);
    }
}

#[test]
fn a_message_that_is_too_long_ends_the_connection() {
    let bridge = serve(OneReader::empty(), LIMITS);
    let request = |length: usize| {
        let begin = r#"{"id":7,"padding":""#;
        format!("{begin}{}\"}}", "x".repeat(length - begin.len() - 2))
    };
    let mut page = Page::open(bridge.address, ORIGIN);
    page.socket().send(Message::text(request(MAX_MESSAGE))).unwrap();
    assert_eq!(page.reply().outcome, Outcome::Failed(CardFailure::Malformed));
    page.socket().send(Message::text(request(MAX_MESSAGE + 1))).unwrap();
    assert!(matches!(page.socket().read(), Ok(Message::Close(_)) | Err(_)));
}

/// A card that answers each command only when it is allowed to.
struct Slow {
    card: virtual_card::VirtualCard,
    asked: Sender<()>,
    allowed: Receiver<()>,
}

impl Card for Slow {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        let _ = self.asked.send(());
        // When the test has ended nobody waits for the answer.
        self.allowed.recv().map_err(|_| TransportError::Removed)?;
        self.card.transmit(command)
    }
}

impl Contacts for Slow {
    fn power_off(&mut self) {
        self.card.power_off();
    }

    fn power_on(&mut self) -> Result<(), TransportError> {
        self.card.power_on()
    }
}

struct SlowCard {
    reader: Arc<OneReader>,
    asked: Receiver<()>,
    allow: Sender<()>,
}

fn slow(card: &Issued) -> SlowCard {
    let (asked, has_asked) = channel();
    let (allow, allowed) = channel();
    let reader = OneReader::with(Slow { card: card.insert(), asked, allowed });
    SlowCard { reader, asked: has_asked, allow }
}

fn prove(purpose: Purpose) -> Verb {
    Verb::ProveCard { reader: None, purpose, challenge: CHALLENGE }
}

#[test]
fn while_one_page_has_the_card_others_and_itself_are_told_that_it_is_busy() {
    let issued = Issued::new(KeyAlgorithm::P256);
    let card = slow(&issued);
    let bridge = serve(card.reader.clone(), Limits { turn: Duration::from_millis(100), ..LIMITS });
    let mut page = Page::open(bridge.address, ORIGIN);
    let mut other = Page::open(bridge.address, ORIGIN);
    let first = page.send(prove(Purpose::Hello));
    card.asked.recv().unwrap();
    assert_eq!(other.prove_card(Purpose::Hello, CHALLENGE), Err(CardFailure::Busy));
    let second = page.send(prove(Purpose::Hello));
    let reply = page.reply();
    assert_eq!((reply.id, reply.outcome), (second, Outcome::Failed(CardFailure::Busy)));
    for _ in 0..20 {
        card.allow.send(()).unwrap();
    }
    let reply = page.reply();
    assert_eq!(reply.id, first);
    assert!(matches!(reply.outcome, Outcome::Done(Done::Proof(_))));
    assert!(other.prove_card(Purpose::Hello, CHALLENGE).is_ok());
}

#[test]
fn a_card_that_hangs_is_given_up_and_sent_nothing_more() {
    let issued = Issued::new(KeyAlgorithm::P256);
    let card = slow(&issued);
    let limits = Limits { transaction: Duration::from_secs(5), hold: Duration::from_secs(5), ..LIMITS };
    let bridge = serve(card.reader.clone(), limits);
    let mut page = Page::open(bridge.address, ORIGIN);
    assert_eq!(page.sign_in("314159"), Err(CardFailure::CardSilent));
    assert_eq!(page.prove_card(Purpose::Hello, CHALLENGE), Err(CardFailure::CardSilent));
    assert_eq!(card.reader.exchanges(), 1);

    // The card comes back to its senses: neither of the two is taken up again.
    for _ in 0..20 {
        card.allow.send(()).unwrap();
    }
    let proof = loop {
        match page.prove_card(Purpose::Hello, CHALLENGE) {
            Err(CardFailure::CardSilent | CardFailure::Busy) => {}
            other => break other.unwrap(),
        }
    };
    assert!(issued.signed(&proof, ORIGIN));
    let Ok(Done::CardStatus(status)) = page.ask(Verb::CardStatus { reader: None }) else { panic!("status") };
    assert_eq!(status.tries_left, Some(3));
}

#[test]
fn no_more_than_a_few_hanging_transactions_are_left_behind() {
    let issued = Issued::new(KeyAlgorithm::P256);
    let card = slow(&issued);
    let limits = Limits { transaction: Duration::from_millis(50), hold: Duration::from_secs(2), ..LIMITS };
    let bridge = serve(card.reader.clone(), limits);
    let mut page = Page::open(bridge.address, ORIGIN);
    for _ in 0..8 {
        assert_eq!(page.prove_card(Purpose::Hello, CHALLENGE), Err(CardFailure::CardSilent));
    }
    assert!((1..=4).contains(&card.reader.transactions()), "{} transactions", card.reader.transactions());
}

#[test]
fn the_bridge_ends_after_the_transaction_that_is_running() {
    let issued = Issued::new(KeyAlgorithm::P256);
    let card = slow(&issued);
    let bridge = serve(card.reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    page.send(prove(Purpose::Hello));
    card.asked.recv().unwrap();
    let ended = bridge.end();
    card.allow.send(()).unwrap();
    let began = Instant::now();
    while ended.try_recv().is_err() {
        assert!(began.elapsed() < PATIENCE, "it does not end");
        if card.asked.recv_timeout(Duration::from_millis(20)).is_ok() {
            card.allow.send(()).unwrap();
        }
    }
    assert_eq!(card.reader.transactions(), 0);
    assert!(matches!(page.reply().outcome, Outcome::Done(Done::Proof(_))));
}

#[test]
fn a_card_that_hangs_does_not_hold_the_end_of_the_bridge_up() {
    assert!(Limits::default().end <= Duration::from_secs(10));
    let issued = Issued::new(KeyAlgorithm::P256);
    let card = slow(&issued);
    let limits = Limits { transaction: PATIENCE * 2, end: Duration::from_millis(100), ..LIMITS };
    let bridge = serve(card.reader.clone(), limits);
    let mut page = Page::open(bridge.address, ORIGIN);
    page.send(prove(Purpose::Hello));
    card.asked.recv().unwrap();
    bridge.end().recv_timeout(PATIENCE).unwrap();
    assert_eq!(card.reader.transactions(), 1);
}

#[test]
fn a_transaction_goes_on_when_its_page_is_closed() {
    let issued = Issued::new(KeyAlgorithm::P256);
    let card = slow(&issued);
    let bridge = serve(card.reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    page.send(prove(Purpose::Hello));
    card.asked.recv().unwrap();
    drop(page);
    let mut other = Page::open(bridge.address, ORIGIN);
    for _ in 0..40 {
        card.allow.send(()).unwrap();
    }
    while other.prove_card(Purpose::Hello, CHALLENGE) == Err(CardFailure::Busy) {}
    // SELECT, CHUID, certificate and signature twice, whatever GET RESPONSE adds.
    assert!(card.reader.exchanges() >= 8);
}

#[test]
fn a_reply_is_of_one_of_the_documented_kinds() {
    let bridge = serve(OneReader::empty(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    page.socket().send(Message::text(r#"{"id":1,"do":{"verb":"card_status"}}"#)).unwrap();
    let Message::Text(text) = page.socket().read().unwrap() else { panic!("text") };
    assert_eq!(&*text, r#"{"type":"reply","id":1,"outcome":{"failed":{"kind":"no_card"}}}"#);
    assert!(matches!(serde_json::from_str(&text), Ok(FromBridge::Reply(_))));
}
