//! Cards that leave at the worst moment.

use card_protocol::proof::KeyAlgorithm;
use card_protocol::{CardFailure, Purpose};
use virtual_card::fault::{Fault, Faulty, Mishap, Moment};

use crate::cards::{Issued, PASSCODE};
use crate::page::Page;
use crate::readers::{LIMITS, ORIGIN, OneReader, serve, service};
use crate::unlocking::{CHALLENGE, NEW_PASSCODE, first_time, once_more, seal, unlock};

/// Whether an outcome says that the card was removed; anything else but success is a lie.
fn was_cut<T: std::fmt::Debug>(outcome: Result<T, CardFailure>) -> bool {
    match outcome {
        Ok(_) => false,
        Err(CardFailure::CardRemoved) => true,
        other => panic!("a removal was reported as {other:?}"),
    }
}

/// Pulls the card at each command of an unlock in turn, and does what a person does: puts it back and tries again.
fn every_cut_can_be_taken_up_again(moment: Moment) {
    let mut nth = 1;
    loop {
        let card = Issued::locked();
        let fault = Fault { mishap: Mishap::Pull, moment, nth, instruction: None };
        let reader = OneReader::with(Faulty::new(card.insert(), fault));
        let bridge = serve(reader.clone(), LIMITS);
        let mut page = Page::open(bridge.address, ORIGIN);
        let was_cut = was_cut(unlock(&mut page, &first_time(&card)));
        reader.remove();
        reader.insert(card.insert());
        if was_cut {
            let completion = unlock(&mut page, &once_more(&card)).unwrap();
            assert!(card.signed(&completion, ORIGIN), "cut {moment:?} command {nth}");
        }
        assert!(page.sign_in(NEW_PASSCODE).is_ok(), "cut {moment:?} command {nth}");
        if !was_cut {
            break;
        }
        nth += 1;
    }
    // SELECT, CHUID, certificate, signature; SELECT, CHUID, certificate, the three of the unlock, signature.
    assert!(nth > 11, "only {nth} commands");
}

#[test]
fn an_unlock_that_is_cut_before_any_command_can_be_taken_up_again() {
    every_cut_can_be_taken_up_again(Moment::Before);
}

#[test]
fn an_unlock_that_is_cut_after_any_command_can_be_taken_up_again() {
    every_cut_can_be_taken_up_again(Moment::After);
}

#[test]
fn a_removal_is_never_a_wrong_passcode() {
    for moment in [Moment::Before, Moment::After] {
        for nth in 1..=5 {
            let card = Issued::new(KeyAlgorithm::P256);
            let fault = Fault { mishap: Mishap::Pull, moment, nth, instruction: None };
            let bridge = serve(OneReader::with(Faulty::new(card.insert(), fault)), LIMITS);
            let mut page = Page::open(bridge.address, ORIGIN);
            assert!(was_cut(page.sign_in(PASSCODE)), "{moment:?} {nth}");
        }
    }
}

#[test]
fn a_removal_voids_the_release_proof() {
    let card = Issued::locked();
    let reader = OneReader::with(card.insert());
    let bridge = serve(reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    let release = page.prove_card(Purpose::Release, CHALLENGE).unwrap();
    reader.remove();
    reader.insert(card.insert());
    let sealed = seal(&service(), &release, &first_time(&card));
    assert_eq!(page.reset_passcode(NEW_PASSCODE, sealed), Err(CardFailure::CardRemoved));
    assert_eq!(page.sign_in(NEW_PASSCODE), Err(CardFailure::PasscodeBlocked));
    assert!(unlock(&mut page, &first_time(&card)).is_ok());
}

#[test]
fn another_card_in_the_reader_is_told_and_left_alone() {
    let [card, other] = [Issued::locked(), Issued::locked()];
    let reader = OneReader::with(card.insert());
    let bridge = serve(reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    let release = page.prove_card(Purpose::Release, CHALLENGE).unwrap();
    reader.remove();
    reader.insert(other.insert());
    let sealed = seal(&service(), &release, &first_time(&card));
    assert_eq!(page.reset_passcode(NEW_PASSCODE, sealed), Err(CardFailure::CardChanged));
    assert!(unlock(&mut page, &first_time(&other)).is_ok());
}
