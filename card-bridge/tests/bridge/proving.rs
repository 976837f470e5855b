//! Proofs by the card and by its holder.

use card_bridge::readers::Afterwards;
use card_protocol::message::{Done, LastTry, Outcome, PasscodeUse, Request, Verb};
use card_protocol::proof::KeyAlgorithm;
use card_protocol::{CardFailure, Challenge, Purpose};

use crate::cards::{Issued, PASSCODE};
use crate::page::Page;
use crate::readers::{LIMITS, ORIGIN, OTHER_ORIGIN, OneReader, serve};

const CHALLENGE: Challenge = Challenge([7; 32]);
const WRONG: &str = "314159";

#[test]
fn a_card_of_each_kind_proves_itself_and_its_holder() {
    for kind in [KeyAlgorithm::P256, KeyAlgorithm::P384, KeyAlgorithm::Rsa2048] {
        let card = Issued::new(kind);
        let bridge = serve(OneReader::with(card.insert()), LIMITS);
        let mut page = Page::open(bridge.address, ORIGIN);
        for purpose in [Purpose::Hello, Purpose::Unlock, Purpose::Attempt, Purpose::Release] {
            let proof = page.prove_card(purpose, CHALLENGE).unwrap();
            assert_eq!((proof.purpose, proof.challenge, proof.connection_key), (purpose, CHALLENGE, page.key()));
            assert!(card.signed(&proof, ORIGIN), "{kind:?} {purpose:?}");
        }
        for purpose in [Purpose::SignIn, Purpose::Register, Purpose::Change] {
            let proof = page.prove_holder(purpose, CHALLENGE, PASSCODE, LastTry::Keep).unwrap();
            assert_eq!((proof.purpose, proof.challenge, proof.connection_key), (purpose, CHALLENGE, page.key()));
            assert!(card.signed(&proof, ORIGIN), "{kind:?} {purpose:?}");
        }
    }
}

#[test]
fn a_proof_is_for_the_origin_that_the_browser_named() {
    let card = Issued::new(KeyAlgorithm::P256);
    let bridge = serve(OneReader::with(card.insert()), LIMITS);
    let proof = Page::open(bridge.address, OTHER_ORIGIN).prove_card(Purpose::Hello, CHALLENGE).unwrap();
    assert!(card.signed(&proof, OTHER_ORIGIN));
    assert!(!card.signed(&proof, ORIGIN));
}

#[test]
fn a_locked_card_still_proves_itself() {
    let card = Issued::locked();
    let bridge = serve(OneReader::with(card.insert()), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    let proof = page.prove_card(Purpose::Unlock, CHALLENGE).unwrap();
    assert!(card.signed(&proof, ORIGIN));
    assert_eq!(page.sign_in(PASSCODE), Err(CardFailure::PasscodeBlocked));
}

#[test]
fn no_verb_signs_for_the_purposes_of_another() {
    let card = Issued::new(KeyAlgorithm::P256);
    let reader = OneReader::with(card.insert());
    let bridge = serve(reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    for purpose in Purpose::ALL {
        if !matches!(purpose, Purpose::Hello | Purpose::Unlock | Purpose::Attempt | Purpose::Release) {
            assert_eq!(page.prove_card(purpose, CHALLENGE), Err(CardFailure::Malformed), "{purpose:?}");
        }
        if !matches!(purpose, Purpose::SignIn | Purpose::Register | Purpose::Change | Purpose::RaAction) {
            let proof = page.prove_holder(purpose, CHALLENGE, PASSCODE, LastTry::Spend);
            assert_eq!(proof, Err(CardFailure::Malformed), "{purpose:?}");
        }
    }
    assert_eq!(reader.exchanges(), 0);
}

#[test]
fn wrong_passcodes_are_counted_and_the_last_try_is_kept_until_asked_for() {
    let card = Issued::new(KeyAlgorithm::P256);
    let bridge = serve(OneReader::with(card.insert()), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    assert_eq!(page.sign_in(WRONG), Err(CardFailure::WrongPasscode { tries_left: 2 }));
    assert_eq!(page.sign_in(WRONG), Err(CardFailure::WrongPasscode { tries_left: 1 }));
    assert_eq!(page.sign_in(WRONG), Err(CardFailure::LastTry));
    assert_eq!(page.sign_in(PASSCODE), Err(CardFailure::LastTry));
    let Ok(Done::CardStatus(status)) = page.ask(Verb::CardStatus { reader: None }) else { panic!("status") };
    assert_eq!(status.tries_left, Some(1));
    let last = page.prove_holder(Purpose::SignIn, CHALLENGE, WRONG, LastTry::Spend);
    assert_eq!(last, Err(CardFailure::PasscodeBlocked));
    assert_eq!(page.sign_in(PASSCODE), Err(CardFailure::PasscodeBlocked));
    let Ok(Done::CardStatus(status)) = page.ask(Verb::CardStatus { reader: None }) else { panic!("status") };
    assert_eq!(status.tries_left, Some(0));
}

#[test]
fn the_right_passcode_at_the_last_try_gives_all_tries_back() {
    let card = Issued::new(KeyAlgorithm::P256);
    let bridge = serve(OneReader::with(card.insert()), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    for _ in 0..2 {
        page.sign_in(WRONG).unwrap_err();
    }
    assert!(page.prove_holder(Purpose::SignIn, CHALLENGE, PASSCODE, LastTry::Spend).is_ok());
    assert_eq!(page.sign_in(WRONG), Err(CardFailure::WrongPasscode { tries_left: 2 }));
}

#[test]
fn the_card_is_reset_after_a_passcode_was_tried() {
    let card = Issued::new(KeyAlgorithm::P256);
    let reader = OneReader::with(card.insert());
    let bridge = serve(reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    page.prove_card(Purpose::Hello, CHALLENGE).unwrap();
    assert_eq!(reader.last_ending(), Some(Afterwards::Leave));
    for passcode in [PASSCODE, WRONG] {
        let _ = page.sign_in(passcode);
        assert_eq!(reader.last_ending(), Some(Afterwards::Reset), "{passcode}");
    }
}

#[test]
fn a_passcode_that_was_sealed_for_something_else_never_reaches_the_card() {
    let card = Issued::new(KeyAlgorithm::P256);
    let reader = OneReader::with(card.insert());
    let bridge = serve(reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    let other = Page::open(bridge.address, ORIGIN);
    let sign_in = |passcode| Verb::ProveHolder {
        reader: None,
        purpose: Purpose::SignIn,
        challenge: CHALLENGE,
        passcode: Some(passcode),
        last_try: LastTry::Spend,
    };

    let for_another_connection = other.seal(PasscodeUse::ProveHolder, PASSCODE);
    assert_eq!(page.ask(sign_in(for_another_connection)), Err(CardFailure::Malformed));
    let for_another_verb = page.seal(PasscodeUse::ResetPasscode, PASSCODE);
    assert_eq!(page.ask(sign_in(for_another_verb)), Err(CardFailure::Malformed));
    let for_this_request = page.seal(PasscodeUse::ProveHolder, PASSCODE);
    page.ask(Verb::Readers).unwrap();
    assert_eq!(page.ask(sign_in(for_this_request)), Err(CardFailure::Malformed));
    let mut changed = page.seal(PasscodeUse::ProveHolder, PASSCODE);
    changed.ciphertext[0] ^= 1;
    assert_eq!(page.ask(sign_in(changed)), Err(CardFailure::Malformed));
    assert_eq!(reader.exchanges(), 0);
}

#[test]
fn a_sealed_passcode_is_used_once() {
    let card = Issued::new(KeyAlgorithm::P256);
    let reader = OneReader::with(card.insert());
    let bridge = serve(reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    let request = |passcode, purpose| {
        let (challenge, passcode, last_try) = (CHALLENGE, Some(passcode), LastTry::Keep);
        Request { id: 1, verb: Verb::ProveHolder { reader: None, purpose, challenge, passcode, last_try } }
    };
    let passcode = page.seal(PasscodeUse::ProveHolder, PASSCODE);
    page.send_request(&request(passcode.clone(), Purpose::SignIn));
    assert!(matches!(page.reply().outcome, Outcome::Done(_)));
    let exchanges = reader.exchanges();
    page.send_request(&request(passcode, Purpose::Change));
    assert_eq!(page.reply().outcome, Outcome::Failed(CardFailure::Malformed));
    assert_eq!(reader.exchanges(), exchanges);
}
