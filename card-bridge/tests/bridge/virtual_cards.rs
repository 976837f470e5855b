//! Virtual cards in the bridge, and the page that handles them.

use std::net::SocketAddr;

use card_protocol::message::{Done, Verb};
use card_protocol::{CardFailure, Challenge, Purpose};
use tempfile::NamedTempFile;

use crate::cards::{Issued, PASSCODE};
use crate::http::{Answer, http};
use crate::page::Page;
use crate::program::{Program, listed, program};
use crate::readers::{ORIGIN, service};
use crate::service::until_cards;
use crate::unlocking::{NEW_PASSCODE, first_time, once_more, seal, unlock};

const CHALLENGE: Challenge = Challenge([7; 32]);

/// A bridge without any PC/SC service, with a box of one card.
fn bridge(card: &Issued) -> (Program, NamedTempFile) {
    let config = listed();
    let mut command = program();
    command.arg("--config").arg(config.path()).arg("--virtual-cards").arg(card.path().parent().unwrap());
    command.env("PCSCLITE_CSOCK_NAME", "/nonexistent");
    (Program::start(&mut command), config)
}

fn show(address: SocketAddr) -> Answer {
    http(address, "GET /cards", &[("Host", &address.to_string())], "")
}

fn press(address: SocketAddr, button: &str, body: &str) -> Answer {
    let host = address.to_string();
    let origin = format!("http://{host}");
    http(address, &format!("POST /cards/{button}"), &[("Host", &host), ("Origin", &origin)], body)
}

#[test]
fn a_card_is_inserted_locked_unlocked_and_removed() {
    let card = Issued::new(card_protocol::proof::KeyAlgorithm::P256);
    let (program, _config) = bridge(&card);
    let mut page = Page::open(program.address, ORIGIN);
    until_cards(&mut page, 0);
    assert_eq!(page.prove_card(Purpose::Hello, CHALLENGE), Err(CardFailure::NoCard));
    assert!(show(program.address).text.contains("No card is inserted"));

    assert_eq!(press(program.address, "insert", "card=one").status, 303);
    until_cards(&mut page, 1);
    assert!(show(program.address).text.contains("is inserted"));
    assert!(card.signed(&page.prove_card(Purpose::Hello, CHALLENGE).unwrap(), ORIGIN));
    assert!(page.sign_in(PASSCODE).is_ok());

    let locked = press(program.address, "lock", "");
    assert!(locked.status == 303 && locked.text.contains("/cards?locked"), "{}", locked.text);
    let told = http(program.address, "GET /cards?locked", &[("Host", &program.address.to_string())], "");
    assert!(told.text.contains("The card is locked"), "{}", told.text);
    assert_eq!(page.sign_in(PASSCODE), Err(CardFailure::PasscodeBlocked));
    assert!(unlock(&mut page, &first_time(&card)).is_ok());
    assert!(page.sign_in(NEW_PASSCODE).is_ok());

    assert_eq!(press(program.address, "remove", "").status, 303);
    until_cards(&mut page, 0);
    assert_eq!(page.sign_in(NEW_PASSCODE), Err(CardFailure::NoCard));
    assert_eq!(press(program.address, "insert", "card=one").status, 303);
    until_cards(&mut page, 1);
    assert!(unlock(&mut page, &once_more(&card)).is_ok());
}

#[test]
fn a_card_is_in_one_of_the_two_readers_and_a_page_names_the_one_that_it_means() {
    let card = Issued::new(card_protocol::proof::KeyAlgorithm::P256);
    let path = card.path().parent().unwrap().join("blank");
    drop(virtual_card::VirtualCard::create(path).unwrap());
    let (program, _config) = bridge(&card);
    let mut page = Page::open(program.address, ORIGIN);
    press(program.address, "insert", "card=one");
    press(program.address, "insert", "card=blank&reader=Second+virtual+reader");
    until_cards(&mut page, 2);
    let several = page.prove_card(Purpose::Hello, CHALLENGE);
    assert!(
        matches!(several, Err(CardFailure::SeveralCards { cards }) if cards.len() == 2 && cards[0].holder.is_some())
    );
    let status = |page: &mut Page, reader: &str| page.ask(Verb::CardStatus { reader: Some(reader.to_owned()) });
    assert!(matches!(status(&mut page, "Virtual reader"), Ok(Done::CardStatus(status)) if status.guid == card.guid));
    assert!(status(&mut page, "Second virtual reader") != status(&mut page, "Virtual reader"));

    assert_eq!(press(program.address, "insert", "card=one&reader=Second+virtual+reader").status, 303);
    until_cards(&mut page, 1);
    assert!(
        matches!(status(&mut page, "Second virtual reader"), Ok(Done::CardStatus(status)) if status.guid == card.guid)
    );
    assert_eq!(status(&mut page, "Virtual reader"), Err(CardFailure::NoCard));
    press(program.address, "remove", "reader=Second+virtual+reader");
    until_cards(&mut page, 0);
}

#[test]
fn a_removal_voids_the_release_proof_here_too() {
    let card = Issued::locked();
    let (program, _config) = bridge(&card);
    let mut page = Page::open(program.address, ORIGIN);
    press(program.address, "insert", "card=one");
    let release = page.prove_card(Purpose::Release, CHALLENGE).unwrap();
    press(program.address, "remove", "");
    press(program.address, "insert", "card=one");
    let sealed = seal(&service(), &release, &first_time(&card));
    assert_eq!(page.reset_passcode(NEW_PASSCODE, sealed), Err(CardFailure::CardRemoved));
}

#[test]
fn the_inserted_card_is_there_again_after_a_restart() {
    let card = Issued::new(card_protocol::proof::KeyAlgorithm::P256);
    let (program, _config) = bridge(&card);
    assert_eq!(press(program.address, "insert", "card=one").status, 303);
    drop(program);
    let (program, _config) = bridge(&card);
    let mut page = Page::open(program.address, ORIGIN);
    assert!(card.signed(&page.prove_card(Purpose::Hello, CHALLENGE).unwrap(), ORIGIN));
}

#[test]
fn what_can_not_be_done_is_told_on_the_page() {
    let card = Issued::new(card_protocol::proof::KeyAlgorithm::P256);
    let (program, _config) = bridge(&card);
    let answer = press(program.address, "lock", "");
    assert_eq!(answer.status, 409);
    assert!(answer.text.contains("Insert a card first."), "{}", answer.text);
    let answer = press(program.address, "insert", "card=%3Cscript%3E");
    assert_eq!(answer.status, 409);
    assert!(answer.text.contains("role=\"alert\"") && !answer.text.contains("<script>"), "{}", answer.text);
}

#[test]
fn only_the_page_itself_handles_cards() {
    let card = Issued::new(card_protocol::proof::KeyAlgorithm::P256);
    let (program, _config) = bridge(&card);
    let address = program.address;
    let host = address.to_string();
    let own = format!("http://{host}");
    let other_name = format!("localhost:{}", address.port());
    let foreign = format!("evil.test:{}", address.port());
    let evil = format!("http://{foreign}");
    for headers in [
        vec![("Host", &host[..])],
        vec![("Host", &host), ("Origin", "null")],
        vec![("Host", &host), ("Origin", ORIGIN)],
        vec![("Host", &host), ("Origin", "http://127.0.0.1")],
        vec![("Host", &other_name), ("Origin", &own)],
        vec![("Host", &foreign), ("Origin", &evil)],
    ] {
        for button in ["insert", "remove", "lock"] {
            let answer = http(address, &format!("POST /cards/{button}"), &headers, "card=one");
            assert_eq!(answer.status, 403, "{button} {headers:?}");
        }
    }
    assert_eq!(http(address, "GET /cards", &[("Host", &foreign)], "").status, 403);
    let shown = show(address);
    assert!(shown.text.contains("No card is inserted"), "{}", shown.text);
    assert!(shown.text.to_lowercase().contains("content-security-policy: default-src 'none'"));
}
