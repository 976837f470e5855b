//! Signing in, sessions and enrolment.

use card_protocol::{Guid, Purpose};
use domain::{
    ProofFault,
    card::CardPublicKey,
    challenge::Binding,
    enrolment::{EnrolError, Enrolled, NewCard},
    language::Language,
    sign_in::{HolderPurpose, SignInError},
};
use time::Duration;

use crate::{
    software_card::SoftwareCard,
    world::{ORIGIN, World, new_card},
};

#[tokio::test]
async fn a_card_and_its_holder_open_a_session() {
    let (world, card) = World::with_card().await;
    let signed_in = world.sign_in(&card).await;
    assert_eq!(signed_in.person.name, "Jane Smith");
    assert_eq!(signed_in.session.card, card.guid);
}

#[tokio::test]
async fn who_signs_in_is_written_to_in_the_language_of_the_page() {
    let (world, card) = World::with_card().await;
    let signed_in = world.sign_in_speaking(&card, Language::Welsh).await;
    world.register(&signed_in, &card).await;
    assert!(world.mails().await.iter().all(|mail| mail.language == Language::Welsh));
    assert!(!world.mails().await.is_empty());
    world.sign_in(&card).await;
    let person = world.store.tables().await.people.into_values().next().unwrap();
    assert_eq!(person.language, Language::English);
}

#[tokio::test]
async fn a_sign_in_by_the_key_that_needs_no_passcode_is_refused() {
    let (world, card) = World::with_card().await;
    let browser = world.token();
    let hello = card.prove(Purpose::Hello, world.services.sign_in.challenge(Binding::Browser(&browser)));
    let binding = Binding::Browser(&browser);
    let challenge = world.services.sign_in.confirm_card(binding, &hello, HolderPurpose::SignIn).await.unwrap();
    let proof = card.prove_with_other_slot(Purpose::SignIn, challenge);
    let refused = world.services.sign_in.sign_in(&browser, &proof, Language::English).await;
    assert!(matches!(refused, Err(SignInError::Proof(ProofFault::Refused))));
}

#[tokio::test]
async fn a_sign_in_counts_once() {
    let (world, card) = World::with_card().await;
    let browser = world.token();
    let hello = card.prove(Purpose::Hello, world.services.sign_in.challenge(Binding::Browser(&browser)));
    let binding = Binding::Browser(&browser);
    let challenge = world.services.sign_in.confirm_card(binding, &hello, HolderPurpose::SignIn).await.unwrap();
    let proof = card.prove(Purpose::SignIn, challenge);
    world.services.sign_in.sign_in(&browser, &proof, Language::English).await.unwrap();
    let again = world.services.sign_in.sign_in(&browser, &proof, Language::English).await;
    assert!(matches!(again, Err(SignInError::Proof(ProofFault::Stale))));
}

#[tokio::test]
async fn a_challenge_is_worth_nothing_in_another_browser_or_after_two_minutes() {
    let (world, card) = World::with_card().await;
    let (browser, other) = (world.token(), world.token());
    let hello = card.prove(Purpose::Hello, world.services.sign_in.challenge(Binding::Browser(&browser)));
    let confirm = async |browser| {
        world.services.sign_in.confirm_card(Binding::Browser(browser), &hello, HolderPurpose::SignIn).await
    };
    assert!(matches!(confirm(&other).await, Err(SignInError::Proof(ProofFault::Refused))));
    world.clock.advance(Duration::seconds(120));
    assert!(confirm(&browser).await.is_ok());
    world.clock.advance(Duration::seconds(1));
    assert!(matches!(confirm(&browser).await, Err(SignInError::Proof(ProofFault::Stale))));
}

#[tokio::test]
async fn an_unknown_card_and_a_card_of_another_origin_get_one_answer() {
    let (world, _) = World::with_card().await;
    let browser = world.token();
    for stranger in [SoftwareCard::new(2, ORIGIN), SoftwareCard::new(1, "https://elsewhere.test")] {
        let hello = stranger.prove(Purpose::Hello, world.services.sign_in.challenge(Binding::Browser(&browser)));
        let binding = Binding::Browser(&browser);
        let refused = world.services.sign_in.confirm_card(binding, &hello, HolderPurpose::SignIn).await;
        assert!(matches!(refused, Err(SignInError::Proof(ProofFault::Refused))));
    }
}

#[tokio::test]
async fn before_a_proof_nothing_is_written() {
    let (world, card) = World::with_card().await;
    let before = world.store.tables().await;
    let browser = world.token();
    let hello = card.prove(Purpose::Hello, world.services.sign_in.challenge(Binding::Browser(&browser)));
    let binding = Binding::Browser(&browser);
    world.services.sign_in.confirm_card(binding, &hello, HolderPurpose::SignIn).await.unwrap();
    let _ = world.services.unlock.start(&browser).unwrap();
    let forged = SoftwareCard::new(2, ORIGIN).prove(Purpose::Unlock, world.services.unlock.start(&browser).unwrap());
    assert!(world.services.unlock.identify(&browser, &forged, Language::English).await.is_err());
    let after = world.store.tables().await;
    assert!(after.used_challenges.is_empty());
    assert!(after.unlock_flows.is_empty() && after.sessions.is_empty());
    assert_eq!(after.trail, before.trail);
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used_and_after_its_life() {
    let (world, card) = World::with_card().await;
    let browser = world.token();
    let hello = card.prove(Purpose::Hello, world.services.sign_in.challenge(Binding::Browser(&browser)));
    let binding = Binding::Browser(&browser);
    let challenge = world.services.sign_in.confirm_card(binding, &hello, HolderPurpose::SignIn).await.unwrap();
    let token = world
        .services
        .sign_in
        .sign_in(&browser, &card.prove(Purpose::SignIn, challenge), Language::English)
        .await
        .unwrap();
    for _ in 0..4 {
        world.clock.advance(Duration::minutes(14));
        assert!(world.services.sign_in.session(&token).await.unwrap().is_some());
    }
    world.clock.advance(Duration::minutes(5));
    assert!(world.services.sign_in.session(&token).await.unwrap().is_none());
}

#[tokio::test]
async fn a_session_that_was_ended_is_gone() {
    let (world, card) = World::with_card().await;
    let browser = world.token();
    let binding = Binding::Browser(&browser);
    let hello = card.prove(Purpose::Hello, world.services.sign_in.challenge(binding));
    let challenge = world.services.sign_in.confirm_card(binding, &hello, HolderPurpose::SignIn).await.unwrap();
    let token = world
        .services
        .sign_in
        .sign_in(&browser, &card.prove(Purpose::SignIn, challenge), Language::English)
        .await
        .unwrap();
    world.services.sign_in.sign_out(&token).await.unwrap();
    assert!(world.services.sign_in.session(&token).await.unwrap().is_none());
}

#[tokio::test]
async fn the_same_card_again_changes_nothing() {
    let (world, card) = World::with_card().await;
    let again = world.services.enrolment.enrol(&new_card(&card, "1001")).await.unwrap();
    assert_eq!(again, Enrolled::Unchanged);
    assert_eq!(world.store.tables().await.trail.len(), 1);
}

#[tokio::test]
async fn zero_and_taken_guids_and_keys_seen_before_are_refused() {
    let (world, card) = World::with_card().await;
    let mut zero = new_card(&SoftwareCard::new(2, ORIGIN), "1002");
    zero.guid = Guid([0; 16]);
    assert!(matches!(world.services.enrolment.enrol(&zero).await, Err(EnrolError::ZeroGuid)));

    let mut taken = new_card(&SoftwareCard::new(2, ORIGIN), "1002");
    taken.guid = card.guid;
    assert!(matches!(world.services.enrolment.enrol(&taken).await, Err(EnrolError::GuidTaken)));

    let mut seen = new_card(&SoftwareCard::new(2, ORIGIN), "1002");
    seen.authentication_key = new_card(&card, "1001").card_authentication_key;
    assert!(matches!(world.services.enrolment.enrol(&seen).await, Err(EnrolError::KeyTaken)));

    let mut one_key = new_card(&SoftwareCard::new(2, ORIGIN), "1002");
    one_key.authentication_key = one_key.card_authentication_key.clone();
    assert!(matches!(world.services.enrolment.enrol(&one_key).await, Err(EnrolError::KeyTaken)));
}

/// A SubjectPublicKeyInfo of RSA-2048 (RFC 5280, 4.1; RFC 8017, A.1.1) with this modulus and the exponent 65537.
fn rsa_key(modulus: &[u8; 256]) -> CardPublicKey {
    const RSA_ENCRYPTION: [u8; 15] = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0];
    let head = [&[0x30, 0x82, 1, 0x22][..], &RSA_ENCRYPTION, &[3, 0x82, 1, 15, 0, 0x30, 0x82, 1, 10, 2, 0x82, 1, 1, 0]];
    CardPublicKey::from_der(&[&head.concat()[..], modulus, &[2, 3, 1, 0, 1]].concat()).unwrap()
}

/// A modulus that is the last byte more than a multiple of every prime that the mark is about. With 1 it is a power of the
/// generator for each: weak.
fn modulus(last: u8) -> [u8; 256] {
    let primes: u128 = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157].iter().product();
    let mut modulus = [0; 256];
    modulus[..16].copy_from_slice(&(primes << primes.leading_zeros()).to_be_bytes());
    modulus[255] = last;
    modulus
}

/// A key that anybody can factor.
pub fn weak_key() -> CardPublicKey {
    rsa_key(&modulus(1))
}

#[tokio::test]
async fn a_card_with_a_weak_rsa_key_in_either_slot_is_refused() {
    let (world, _) = World::with_card().await;
    let weak = weak_key();
    let sound = rsa_key(&modulus(3));

    let card = || new_card(&SoftwareCard::new(2, ORIGIN), "1002");
    for new in
        [NewCard { authentication_key: weak.clone(), ..card() }, NewCard { card_authentication_key: weak, ..card() }]
    {
        assert!(matches!(world.services.enrolment.enrol(&new).await, Err(EnrolError::WeakKey)));
    }
    let new = NewCard { card_authentication_key: sound, ..card() };
    assert_eq!(world.services.enrolment.enrol(&new).await.unwrap(), Enrolled::Added);
}
