//! What outlives the program that holds the card.

use std::fs::{self, File};

use piv::{Algorithm, Application, Passcode, PasscodeState, Slot, Verdict};
use virtual_card::{OpenError, VirtualCard};

use crate::support::{is_signed, two_cards};

#[test]
fn keys_objects_and_counters_survive() {
    let cards = two_cards();
    let wrong = Passcode::from_digits("111222").unwrap();
    let (guid, certificate) = {
        let mut card = cards.card("one");
        let mut application = Application::select(&mut card).unwrap();
        assert_eq!(application.try_passcode(&wrong).unwrap(), Verdict::Refused { tries_left: Some(2) });
        (application.guid().unwrap(), application.certificate(Slot::CardAuthentication).unwrap())
    };

    let mut card = cards.card("one");
    let mut application = Application::select(&mut card).unwrap();
    assert_eq!(application.passcode_state().unwrap(), PasscodeState::Tries(2));
    assert_eq!(application.guid().unwrap(), guid);
    assert_eq!(application.certificate(Slot::CardAuthentication).unwrap(), certificate);
    let signature = application.sign(Slot::CardAuthentication, Algorithm::P256, &[1; 32]).unwrap();
    assert!(is_signed(&cards.entry("one").card_authentication_key, &[1; 32], &signature));
    let new = Passcode::from_digits("8350271").unwrap();
    assert_eq!(application.reset_retry_counter(&cards.unlock_key("one"), &new).unwrap(), Verdict::Accepted);
    drop(card);

    let mut card = cards.card("one");
    assert_eq!(Application::select(&mut card).unwrap().try_passcode(&new).unwrap(), Verdict::Accepted);
}

#[test]
fn what_a_card_has_done_is_in_its_images_while_it_is_still_open() {
    let cards = two_cards();
    let mut card = cards.card("one");
    let new = Passcode::from_digits("8350271").unwrap();
    let key = cards.unlock_key("one");
    assert_eq!(Application::select(&mut card).unwrap().reset_retry_counter(&key, &new).unwrap(), Verdict::Accepted);

    // What another program would find if this one were killed now.
    let found = cards.directory().join("found");
    fs::create_dir(&found).unwrap();
    for image in ["internal.lfs", "external.lfs"] {
        fs::copy(card.directory().join(image), found.join(image)).unwrap();
    }
    let mut found = VirtualCard::open(found).unwrap();
    assert_eq!(Application::select(&mut found).unwrap().try_passcode(&new).unwrap(), Verdict::Accepted);
}

#[test]
fn a_card_is_open_once_at_a_time() {
    let cards = two_cards();
    let card = cards.card("one");
    let place = card.directory().to_owned();
    assert!(matches!(VirtualCard::open(&place), Err(OpenError::InUse(_))));
    drop(card);
    assert!(VirtualCard::open(&place).is_ok());
}

#[test]
fn what_is_no_card_is_not_opened_and_nothing_is_made_over_a_card() {
    let cards = two_cards();
    let place = cards.directory().join("one");
    assert!(matches!(VirtualCard::open(cards.directory().join("three")), Err(OpenError::NoCard(_))));
    assert!(matches!(VirtualCard::open(cards.directory()), Err(OpenError::NoCard(_))));
    assert!(matches!(VirtualCard::create(&place), Err(OpenError::Exists(_))));

    let image = place.join("external.lfs");
    File::options().write(true).open(&image).unwrap().set_len(100).unwrap();
    assert!(matches!(VirtualCard::open(&place), Err(OpenError::Damaged(_))));
    fs::write(&image, vec![0; 65536]).unwrap();
    assert!(matches!(VirtualCard::open(&place), Err(OpenError::Damaged(_))));
}
