//! Keys, certificates and signatures.

use std::collections::HashSet;

use piv::{Algorithm, Application, CardError, LastTry, Passcode, PasscodeSource, PasscodeState, Slot, StatusWord};
use virtual_card::Contacts as _;

use crate::support::{is_signed, issued, two_cards};

const DIGEST: [u8; 32] = [0x5A; 32];

#[test]
fn a_locked_card_signs_with_its_card_authentication_key_and_no_other() {
    let cards = two_cards();
    let mut card = cards.card("two");
    let mut application = Application::select(&mut card).unwrap();
    assert_eq!(application.passcode_state().unwrap(), PasscodeState::Blocked);

    let signature = application.sign(Slot::CardAuthentication, Algorithm::P256, &DIGEST).unwrap();

    assert!(is_signed(&cards.entry("two").card_authentication_key, &DIGEST, &signature));
    assert!(!is_signed(&cards.entry("two").piv_authentication_key, &DIGEST, &signature));
    assert!(!is_signed(&cards.entry("one").card_authentication_key, &DIGEST, &signature));
    assert!(!is_signed(&cards.entry("two").card_authentication_key, &[0xA5; 32], &signature));
}

#[test]
fn the_holders_key_signs_only_after_a_verify_and_until_the_reset() {
    let cards = two_cards();
    let mut card = cards.card("one");
    let refused = Err(CardError::Refused(StatusWord::SECURITY_STATUS_NOT_SATISFIED));
    let mut application = Application::select(&mut card).unwrap();
    assert_eq!(application.sign(Slot::PivAuthentication, Algorithm::P256, &DIGEST), refused);

    application.verify(PasscodeSource::Known(&Passcode::from_digits("904173").unwrap()), LastTry::Keep).unwrap();
    let signature = application.sign(Slot::PivAuthentication, Algorithm::P256, &DIGEST).unwrap();
    assert!(is_signed(&cards.entry("one").piv_authentication_key, &DIGEST, &signature));
    assert!(!is_signed(&cards.entry("one").card_authentication_key, &DIGEST, &signature));

    card.reset().unwrap();
    let mut application = Application::select(&mut card).unwrap();
    assert_eq!(application.sign(Slot::PivAuthentication, Algorithm::P256, &DIGEST), refused);
}

#[test]
fn every_key_and_every_card_is_another() {
    let cards = two_cards();
    let keys: HashSet<_> = cards
        .manifest
        .cards
        .iter()
        .flat_map(|card| [&card.piv_authentication_key, &card.card_authentication_key, &card.guid])
        .chain(cards.manifest.cards.iter().map(|card| &*card.unlock_key))
        .collect();
    assert_eq!(keys.len(), 8);
}

#[test]
fn other_kinds_of_keys_sign_too() {
    let cards = issued(
        r#"
        [[card]]
        card = "mixed"
        user_number = "1"
        name = "Mixed"
        email = "mixed@demo.nhs.net"
        passcode = "904173"
        piv_authentication = "RSA-2048"
        card_authentication = "P-384"
        "#,
    );
    let entry = cards.entry("mixed");
    let mut card = cards.card("mixed");
    let mut application = Application::select(&mut card).unwrap();
    application.verify(PasscodeSource::Known(&Passcode::from_digits("904173").unwrap()), LastTry::Keep).unwrap();
    for (slot, algorithm, key) in [
        (Slot::PivAuthentication, Algorithm::Rsa2048, &entry.piv_authentication_key),
        (Slot::CardAuthentication, Algorithm::P384, &entry.card_authentication_key),
    ] {
        assert_eq!(application.certificate(slot).unwrap().algorithm().unwrap(), algorithm);
        let digest = vec![0x5A; algorithm.digest_length()];
        let signature = application.sign(slot, algorithm, &digest).unwrap();
        assert!(is_signed(key, &digest, &signature), "{algorithm:?}");
        assert!(!is_signed(key, &vec![0xA5; digest.len()], &signature), "{algorithm:?}");
    }
}
