//! The change of a passcode by whoever knows it: what the card has afterwards, wherever it was cut.

use std::cmp::Ordering;

use card_bridge::readers::Afterwards;
use card_protocol::message::{LastTry, PasscodeUse, Verb};
use card_protocol::proof::KeyAlgorithm;
use card_protocol::sealed::Sealed;
use card_protocol::{CardFailure, CardProof, Challenge, PasscodeNow, Purpose};
use virtual_card::fault::{Fault, Faulty, Mishap, Moment};

use crate::cards::{Issued, PASSCODE};
use crate::page::Page;
use crate::readers::{LIMITS, ORIGIN, OneReader, serve};

const CHALLENGE: Challenge = Challenge([7; 32]);
const NEW: &str = "27150386";
const WRONG: &str = "314159";

fn change(page: &mut Page, card: &Issued, passcodes: [&str; 2]) -> Result<CardProof, CardFailure> {
    page.change_passcode(card.guid, CHALLENGE, passcodes, LastTry::Keep)
}

#[test]
fn a_changed_passcode_is_the_only_one_and_the_holder_has_proved_it() {
    for kind in [KeyAlgorithm::P256, KeyAlgorithm::P384, KeyAlgorithm::Rsa2048] {
        let card = Issued::new(kind);
        let reader = OneReader::with(card.insert());
        let bridge = serve(reader.clone(), LIMITS);
        let mut page = Page::open(bridge.address, ORIGIN);
        let proof = change(&mut page, &card, [PASSCODE, NEW]).unwrap();
        assert_eq!((proof.purpose, proof.challenge, proof.connection_key), (Purpose::Change, CHALLENGE, page.key()));
        assert!(card.signed(&proof, ORIGIN), "{kind:?}");
        assert_eq!(reader.last_ending(), Some(Afterwards::Reset));
        assert_eq!(page.sign_in(PASSCODE), Err(CardFailure::WrongPasscode { tries_left: 2 }));
        assert!(page.sign_in(NEW).is_ok());
    }
}

#[test]
fn a_wrong_passcode_changes_nothing_and_the_last_try_is_kept_until_asked_for() {
    let card = Issued::new(KeyAlgorithm::P256);
    let reader = OneReader::with(card.insert());
    let bridge = serve(reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    for tries_left in [2, 1] {
        let wrong = change(&mut page, &card, [WRONG, NEW]);
        assert_eq!(wrong, Err(CardFailure::WrongPasscode { tries_left }));
        assert_eq!(reader.last_ending(), Some(Afterwards::Reset));
    }
    assert_eq!(change(&mut page, &card, [PASSCODE, NEW]), Err(CardFailure::LastTry));
    let spent = page.change_passcode(card.guid, CHALLENGE, [PASSCODE, NEW], LastTry::Spend);
    assert!(spent.is_ok());
    assert_eq!(page.sign_in(WRONG), Err(CardFailure::WrongPasscode { tries_left: 2 }));
    assert!(page.sign_in(NEW).is_ok());
}

#[test]
fn the_last_try_that_is_spent_on_a_wrong_passcode_locks_the_card_and_a_locked_one_is_left_alone() {
    let card = Issued::new(KeyAlgorithm::P256);
    let bridge = serve(OneReader::with(card.insert()), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    for _ in 0..2 {
        change(&mut page, &card, [WRONG, NEW]).unwrap_err();
    }
    for passcode in [WRONG, PASSCODE] {
        let blocked = page.change_passcode(card.guid, CHALLENGE, [passcode, NEW], LastTry::Spend);
        assert_eq!(blocked, Err(CardFailure::PasscodeBlocked));
    }
}

#[test]
fn a_weak_new_passcode_and_one_that_is_no_other_are_refused_before_any_command() {
    let card = Issued::new(KeyAlgorithm::P256);
    let reader = OneReader::with(card.insert());
    let bridge = serve(reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    for new in ["000000", "123456", "98765432", "121212", PASSCODE] {
        assert_eq!(change(&mut page, &card, [PASSCODE, new]), Err(CardFailure::Malformed), "{new}");
    }
    assert_eq!(reader.exchanges(), 0);
}

#[test]
fn passcodes_that_were_sealed_for_something_else_or_for_each_others_place_never_reach_the_card() {
    let card = Issued::new(KeyAlgorithm::P256);
    let reader = OneReader::with(card.insert());
    let bridge = serve(reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    let verb = |current: Sealed, new: Sealed| Verb::ChangePasscode {
        reader: None,
        guid: card.guid,
        challenge: CHALLENGE,
        current,
        new,
        last_try: LastTry::Spend,
    };
    for [current, new] in [
        [PasscodeUse::ChangeNew, PasscodeUse::ChangeCurrent],
        [PasscodeUse::ProveHolder, PasscodeUse::ChangeNew],
        [PasscodeUse::ChangeCurrent, PasscodeUse::ResetPasscode],
        [PasscodeUse::ChangeCurrent, PasscodeUse::ChangeCurrent],
    ] {
        let sealed = verb(page.seal(current, PASSCODE), page.seal(new, NEW));
        assert_eq!(page.ask(sealed), Err(CardFailure::Malformed), "{current:?} {new:?}");
    }
    let early = verb(page.seal(PasscodeUse::ChangeCurrent, PASSCODE), page.seal(PasscodeUse::ChangeNew, NEW));
    page.ask(Verb::Readers).unwrap();
    assert_eq!(page.ask(early), Err(CardFailure::Malformed));
    assert_eq!(reader.exchanges(), 0);
}

#[test]
fn another_card_in_the_reader_is_told_and_loses_no_try() {
    let [card, other] = [Issued::new(KeyAlgorithm::P256), Issued::new(KeyAlgorithm::P256)];
    let bridge = serve(OneReader::with(other.insert()), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    assert_eq!(change(&mut page, &card, [WRONG, NEW]), Err(CardFailure::CardChanged));
    assert_eq!(page.sign_in(WRONG), Err(CardFailure::WrongPasscode { tries_left: 2 }));
}

/// Pulls the card at one command, puts it back, and says what was told and which passcode it has.
fn cut(moment: Moment, nth: u32) -> (CardFailure, &'static str) {
    let card = Issued::new(KeyAlgorithm::P256);
    let fault = Fault { mishap: Mishap::Pull, moment, nth, instruction: None };
    let reader = OneReader::with(Faulty::new(card.insert(), fault));
    let bridge = serve(reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    let failure = change(&mut page, &card, [PASSCODE, NEW]).unwrap_err();
    reader.remove();
    reader.insert(card.insert());
    let [former, new] = [PASSCODE, NEW].map(|passcode| page.sign_in(passcode).is_ok());
    assert!(former != new, "{moment:?} {nth}: either the one or the other");
    (failure, if new { NEW } else { PASSCODE })
}

/// How many commands a change is that is not cut. The last three are the change, the new passcode and the signature.
fn commands() -> u32 {
    let card = Issued::new(KeyAlgorithm::P256);
    let reader = OneReader::with(card.insert());
    let bridge = serve(reader.clone(), LIMITS);
    change(&mut Page::open(bridge.address, ORIGIN), &card, [PASSCODE, NEW]).unwrap();
    u32::try_from(reader.exchanges()).unwrap()
}

#[test]
fn a_change_that_is_cut_says_no_more_than_is_known_and_nothing_untrue() {
    let not_proved = |passcode| CardFailure::ChangeNotProved { passcode };
    let commands = commands();
    let the_change = commands - 2;
    for nth in 1..=commands {
        for moment in [Moment::Before, Moment::After] {
            let (expected, passcode) = match (nth.cmp(&the_change), moment) {
                (Ordering::Less, _) => (CardFailure::CardRemoved, PASSCODE),
                (Ordering::Equal, Moment::Before) => (not_proved(PasscodeNow::NewOrFormer), PASSCODE),
                (Ordering::Equal, Moment::After) => (not_proved(PasscodeNow::NewOrFormer), NEW),
                (Ordering::Greater, _) => (not_proved(PasscodeNow::New), NEW),
            };
            assert_eq!(cut(moment, nth), (expected, passcode), "{moment:?} command {nth} of {commands}");
        }
    }
}
