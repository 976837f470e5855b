//! Proofs that are forged, old, or another card's: each is refused, and the right card goes on from where it was.

use card_protocol::{CardProof, Challenge, Purpose};
use domain::{
    ProofFault,
    challenge::Binding,
    language::Language,
    registration::Standing,
    sign_in::{HolderPurpose, SignInError},
    token::Token,
    unlock::service::{CodeOutcome, FlowPurpose, UnlockError},
    unlock_key::KeyRingState,
};
use time::Duration;

use crate::{
    software_card::SoftwareCard,
    world::{ORIGIN, World, new_card, service_secret},
};

/// What is wrong with a proof that is not by the card of the flow, over the flow's challenge.
type Forgery = fn(&SoftwareCard, Purpose, Challenge) -> CardProof;

fn forgeries() -> Vec<(&'static str, Forgery)> {
    vec![
        ("another connection key", |card, purpose, challenge| {
            let connection_key = SoftwareCard::new(7, ORIGIN).connection.public();
            CardProof { connection_key, ..card.prove(purpose, challenge) }
        }),
        ("a clone with other keys", |card, purpose, challenge| {
            let mut clone = SoftwareCard::new(7, ORIGIN);
            clone.guid = card.guid;
            clone.prove(purpose, challenge)
        }),
        ("another card of the same person", |_, purpose, challenge| {
            SoftwareCard::new(2, ORIGIN).prove(purpose, challenge)
        }),
        ("another card under this one's GUID", |card, purpose, challenge| {
            let guid = card.guid;
            CardProof { guid, ..SoftwareCard::new(2, ORIGIN).prove(purpose, challenge) }
        }),
        ("the other slot's key", |card, purpose, challenge| card.prove_with_other_slot(purpose, challenge)),
        ("another purpose", |card, purpose, challenge| CardProof { purpose, ..card.prove(Purpose::Hello, challenge) }),
        ("another origin", |card, purpose, challenge| {
            let elsewhere = SoftwareCard::new(1, "https://elsewhere.test");
            assert_eq!(elsewhere.guid, card.guid);
            elsewhere.prove(purpose, challenge)
        }),
        ("a signature that was changed", |card, purpose, challenge| {
            let mut proof = card.prove(purpose, challenge);
            *proof.signature.0.last_mut().unwrap() ^= 1;
            proof
        }),
        ("no signature", |card, purpose, challenge| {
            let mut proof = card.prove(purpose, challenge);
            proof.signature.0.clear();
            proof
        }),
        ("a challenge that was changed", |card, purpose, mut challenge| {
            challenge.0[31] ^= 1;
            card.prove(purpose, challenge)
        }),
        ("a challenge of its own making", |card, purpose, _| card.prove(purpose, Challenge([7; 32]))),
    ]
}

/// A person who has registered, with two cards.
async fn with_two_cards() -> (World, SoftwareCard) {
    let (world, card) = World::registered().await;
    world.services.enrolment.enrol(&new_card(&SoftwareCard::new(2, ORIGIN), "1001")).await.unwrap();
    (world, card)
}

fn is_refused<T>(outcome: &Result<T, UnlockError>) -> bool {
    matches!(outcome, Err(UnlockError::Proof(ProofFault::Refused)))
}

fn is_stale<T>(outcome: &Result<T, UnlockError>) -> bool {
    matches!(outcome, Err(UnlockError::Proof(ProofFault::Stale)))
}

async fn failed_attempts(world: &World) -> u8 {
    match world.store.tables().await.registrations.into_values().next().unwrap().standing {
        Standing::Open { failed_attempts } => failed_attempts,
        closed @ (Standing::LockedOut { .. } | Standing::Frozen { .. }) => panic!("{closed:?}"),
    }
}

async fn nothing_is_released(world: &World) -> bool {
    let tables = world.store.tables().await;
    tables.key_rings.into_values().all(|ring| matches!(ring.state, KeyRingState::Settled { .. }))
}

async fn release_proof(world: &World, token: &Token, card: &SoftwareCard) -> CardProof {
    card.prove(Purpose::Release, world.flow_challenge(token, FlowPurpose::Release).await)
}

#[tokio::test]
async fn no_forged_proof_confirms_a_card_or_opens_a_session() {
    let (world, card) = with_two_cards().await;
    let (browser, sign_in) = (world.token(), &world.services.sign_in);
    let binding = Binding::Browser(&browser);
    for (name, forge) in forgeries() {
        // Another card of the person may sign in as well as this one.
        if name == "another card of the same person" {
            continue;
        }
        let hello = forge(&card, Purpose::Hello, sign_in.challenge(binding));
        let confirmed = sign_in.confirm_card(binding, &hello, HolderPurpose::SignIn).await;
        // A proof for `hello` is what is wanted here.
        assert_eq!(confirmed.is_ok(), name == "another purpose", "{name}");
        let hello = card.prove(Purpose::Hello, sign_in.challenge(binding));
        let challenge = sign_in.confirm_card(binding, &hello, HolderPurpose::SignIn).await.unwrap();
        let forged = sign_in.sign_in(&browser, &forge(&card, Purpose::SignIn, challenge), Language::English).await;
        assert!(matches!(forged, Err(SignInError::Proof(ProofFault::Refused))), "{name}");
    }
}

#[tokio::test]
async fn no_forged_proof_begins_an_unlock() {
    let (world, card) = with_two_cards().await;
    let (browser, unlock) = (world.token(), &world.services.unlock);
    for (name, forge) in forgeries() {
        if name == "another card of the same person" {
            continue;
        }
        let forged = forge(&card, Purpose::Unlock, unlock.start(&browser).unwrap());
        assert!(is_refused(&unlock.identify(&browser, &forged, Language::English).await), "{name}");
    }
    assert!(world.store.tables().await.unlock_flows.is_empty());
}

#[tokio::test]
async fn no_forged_proof_spends_an_attempt_or_a_try() {
    let (world, card) = with_two_cards().await;
    let (token, unlock) = (world.begin_unlock(&card).await, &world.services.unlock);
    for (name, forge) in forgeries() {
        let forged = forge(&card, Purpose::Attempt, world.flow_challenge(&token, FlowPurpose::Attempt).await);
        assert!(is_refused(&unlock.answer(&token, &forged, &world.wrong_answers(&token).await).await), "{name}");
        assert!(is_refused(&unlock.answer(&token, &forged, &world.right_answers(&token).await).await), "{name}");
    }
    assert_eq!(failed_attempts(&world).await, 0);
    world.answer_right(&token, &card).await;
    let code = world.last_code().await;
    for (name, forge) in forgeries() {
        let forged = forge(&card, Purpose::Attempt, world.flow_challenge(&token, FlowPurpose::Attempt).await);
        assert!(is_refused(&unlock.enter_code(&token, &forged, &code).await), "{name}");
        assert!(is_refused(&unlock.resend_code(&token, &forged).await), "{name}");
    }
    assert_eq!(world.enter_code(&token, &card, &code).await.unwrap(), CodeOutcome::Right);
}

#[tokio::test]
async fn no_forged_proof_releases_a_key_or_completes_an_unlock() {
    let (world, mut card) = with_two_cards().await;
    let (token, unlock) = (world.reach_passcode(&card).await, world.services.unlock.clone());
    for (name, forge) in forgeries() {
        let forged = forge(&card, Purpose::Release, world.flow_challenge(&token, FlowPurpose::Release).await);
        assert!(is_refused(&unlock.release(&token, &forged).await), "{name}");
    }
    assert!(nothing_is_released(&world).await);

    let release = release_proof(&world, &token, &card).await;
    let sealed = unlock.release(&token, &release).await.unwrap();
    let keys = card.open(&service_secret(), &release, &sealed);
    for (name, forge) in forgeries() {
        let forged = forge(&card, Purpose::Unlocked, keys.completion);
        assert!(is_refused(&unlock.complete(&token, &forged).await), "{name}");
        let forged = forge(&card, Purpose::Attempt, world.flow_challenge(&token, FlowPurpose::Attempt).await);
        assert!(is_refused(&unlock.refused(&token, &forged).await), "{name}");
    }
    assert!(!nothing_is_released(&world).await, "the release is still without outcome");
    assert!(card.take(&keys));
    unlock.complete(&token, &card.prove(Purpose::Unlocked, keys.completion)).await.unwrap();
    assert!(nothing_is_released(&world).await);
}

#[tokio::test]
async fn an_old_proof_is_told_as_old_and_spends_nothing() {
    let (world, card) = World::registered().await;
    let (browser, unlock) = (world.token(), &world.services.unlock);
    let old = card.prove(Purpose::Unlock, unlock.start(&browser).unwrap());
    world.clock.advance(Duration::minutes(3));
    assert!(is_stale(&unlock.identify(&browser, &old, Language::English).await));

    let token = world.begin_unlock(&card).await;
    let old = world.attempt(&token, &card).await;
    let answers = world.wrong_answers(&token).await;
    world.clock.advance(Duration::minutes(3));
    assert!(is_stale(&unlock.answer(&token, &old, &answers).await));
    assert_eq!(failed_attempts(&world).await, 0);

    world.answer_right(&token, &card).await;
    let code = world.last_code().await;
    let old = world.attempt(&token, &card).await;
    world.clock.advance(Duration::minutes(3));
    assert!(is_stale(&unlock.enter_code(&token, &old, &code).await));
    assert_eq!(world.enter_code(&token, &card, &code).await.unwrap(), CodeOutcome::Right);

    let old = release_proof(&world, &token, &card).await;
    world.clock.advance(Duration::minutes(3));
    assert!(is_stale(&unlock.release(&token, &old).await));
    assert!(nothing_is_released(&world).await);
}

#[tokio::test]
async fn a_proof_of_one_flow_is_worth_nothing_in_another_of_the_same_card() {
    let (world, card) = World::registered().await;
    let first = world.begin_unlock(&card).await;
    let attempt = world.attempt(&first, &card).await;
    let release = release_proof(&world, &first, &card).await;
    let second = world.reach_passcode(&card).await;
    assert!(is_refused(&world.services.unlock.release(&second, &release).await));
    assert!(is_refused(&world.services.unlock.refused(&second, &attempt).await));
    assert!(nothing_is_released(&world).await);
}
