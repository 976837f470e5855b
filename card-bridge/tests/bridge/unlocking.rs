//! The unlock: release proof, sealed unlock keys, new passcode, completion proof.

use std::time::Duration;

use card_bridge::Limits;
use card_bridge::readers::Afterwards;
use card_protocol::proof::{KeyAlgorithm, ProofMessage};
use card_protocol::sealed::{Candidates, Sealed, ServiceSecret, UnlockKeys};
use card_protocol::{CardFailure, CardProof, Challenge, Purpose, UnlockKey};

use crate::cards::Issued;
use crate::page::Page;
use crate::readers::{LIMITS, ORIGIN, OTHER_ORIGIN, OneReader, serve, service};

pub const CHALLENGE: Challenge = Challenge([7; 32]);
pub const COMPLETION: Challenge = Challenge([8; 32]);
pub const NEW_PASSCODE: &str = "27150386";

pub fn next_key() -> UnlockKey {
    UnlockKey::new(*b"\x00next\xFFke")
}

pub fn first_time(card: &Issued) -> UnlockKeys {
    UnlockKeys { candidates: Candidates::One(card.unlock_key.clone()), next: next_key(), completion: COMPLETION }
}

/// After a release without outcome: the key that was sent then comes first.
pub fn once_more(card: &Issued) -> UnlockKeys {
    let candidates = Candidates::Two(next_key(), card.unlock_key.clone());
    UnlockKeys { candidates, next: next_key(), completion: COMPLETION }
}

/// What the server does at a release.
pub fn seal(service: &ServiceSecret, proof: &CardProof, keys: &UnlockKeys) -> Sealed {
    seal_as(KeyAlgorithm::P256, service, proof, keys)
}

/// The same where the card authentication key is of this kind.
pub fn seal_as(kind: KeyAlgorithm, service: &ServiceSecret, proof: &CardProof, keys: &UnlockKeys) -> Sealed {
    let digest = ProofMessage::of(proof, ORIGIN).digest(kind);
    service.seal_unlock_keys(&proof.connection_key, &digest, keys).unwrap()
}

pub fn unlock(page: &mut Page, keys: &UnlockKeys) -> Result<CardProof, CardFailure> {
    let release = page.prove_card(Purpose::Release, CHALLENGE)?;
    page.reset_passcode(NEW_PASSCODE, seal(&service(), &release, keys))
}

#[test]
fn a_locked_card_is_unlocked_and_says_so_itself() {
    let card = Issued::locked();
    let reader = OneReader::with(card.insert());
    let bridge = serve(reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    let completion = unlock(&mut page, &first_time(&card)).unwrap();
    assert_eq!((completion.purpose, completion.challenge), (Purpose::Unlocked, COMPLETION));
    assert_eq!(completion.connection_key, page.key());
    assert!(card.signed(&completion, ORIGIN));
    assert_eq!(reader.last_ending(), Some(Afterwards::Reset));
    assert!(page.sign_in(NEW_PASSCODE).is_ok());
    // The old unlock key is worth nothing any more, the new one is the card's.
    assert_eq!(unlock(&mut page, &first_time(&card)), Err(CardFailure::UnlockKeyRefused));
    assert!(unlock(&mut page, &once_more(&card)).is_ok());
}

#[test]
fn unlock_keys_without_a_release_proof_are_not_opened() {
    let card = Issued::locked();
    let reader = OneReader::with(card.insert());
    let bridge = serve(reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    for purpose in [Purpose::Hello, Purpose::Unlock, Purpose::Attempt] {
        let proof = page.prove_card(purpose, CHALLENGE).unwrap();
        let exchanges = reader.exchanges();
        let failure = page.reset_passcode(NEW_PASSCODE, seal(&service(), &proof, &first_time(&card)));
        assert_eq!((failure, reader.exchanges()), (Err(CardFailure::Malformed), exchanges), "{purpose:?}");
    }
}

#[test]
fn one_sealed_message_is_opened_for_a_release_proof() {
    let card = Issued::locked();
    let bridge = serve(OneReader::with(card.insert()), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    let release = page.prove_card(Purpose::Release, CHALLENGE).unwrap();
    let sealed = seal(&service(), &release, &once_more(&card));
    assert!(page.reset_passcode(NEW_PASSCODE, sealed.clone()).is_ok());
    assert_eq!(page.reset_passcode(NEW_PASSCODE, sealed), Err(CardFailure::Malformed));
}

#[test]
fn unlock_keys_that_another_page_has_overtaken_cost_no_try() {
    let card = Issued::locked();
    let reader = OneReader::with(card.insert());
    let bridge = serve(reader.clone(), LIMITS);
    let mut slow = Page::open(bridge.address, ORIGIN);
    let release = slow.prove_card(Purpose::Release, CHALLENGE).unwrap();
    let late = seal(&service(), &release, &first_time(&card));
    let mut quick = Page::open(bridge.address, ORIGIN);
    assert!(unlock(&mut quick, &once_more(&card)).is_ok());

    let exchanges = reader.exchanges();
    assert_eq!(slow.reset_passcode(NEW_PASSCODE, late), Err(CardFailure::Busy));
    // Otherwise three of them would block its unlock key.
    assert_eq!(reader.exchanges(), exchanges);
    assert!(unlock(&mut slow, &once_more(&card)).is_ok());
}

#[test]
fn junk_uses_the_release_proof_up_and_never_reaches_the_card() {
    let card = Issued::locked();
    let reader = OneReader::with(card.insert());
    let bridge = serve(reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    let mut changed = |change: &dyn Fn(&CardProof) -> Sealed| {
        let release = page.prove_card(Purpose::Release, CHALLENGE).unwrap();
        let exchanges = reader.exchanges();
        assert_eq!(page.reset_passcode(NEW_PASSCODE, change(&release)), Err(CardFailure::Malformed));
        let good = seal(&service(), &release, &first_time(&card));
        assert_eq!(page.reset_passcode(NEW_PASSCODE, good), Err(CardFailure::Malformed));
        assert_eq!(reader.exchanges(), exchanges);
    };
    changed(&|_| Sealed { encapsulated_key: vec![0; 32], ciphertext: vec![0; 80] });
    changed(&|_| Sealed { encapsulated_key: Vec::new(), ciphertext: Vec::new() });
    changed(&|release| {
        let mut sealed = seal(&service(), release, &first_time(&card));
        sealed.ciphertext[3] ^= 1;
        sealed
    });
    // Sealed by somebody else, for instance with the key that is pinned for another origin.
    changed(&|release| seal(&ServiceSecret::new([6; 32]), release, &first_time(&card)));
    // Sealed for another proof.
    changed(&|release| {
        let other = CardProof { challenge: Challenge([9; 32]), ..release.clone() };
        seal(&service(), &other, &first_time(&card))
    });
}

#[test]
fn unlock_keys_are_opened_on_the_connection_of_their_proof_only() {
    let card = Issued::locked();
    let bridge = serve(OneReader::with(card.insert()), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    let mut other = Page::open(bridge.address, ORIGIN);
    let release = page.prove_card(Purpose::Release, CHALLENGE).unwrap();
    let sealed = seal(&service(), &release, &first_time(&card));
    assert_eq!(other.reset_passcode(NEW_PASSCODE, sealed.clone()), Err(CardFailure::Malformed));
    other.prove_card(Purpose::Release, CHALLENGE).unwrap();
    assert_eq!(other.reset_passcode(NEW_PASSCODE, sealed.clone()), Err(CardFailure::Malformed));
    assert!(page.reset_passcode(NEW_PASSCODE, sealed).is_ok());
}

#[test]
fn a_page_of_another_origin_can_not_use_this_ones_service_key() {
    let card = Issued::locked();
    let bridge = serve(OneReader::with(card.insert()), LIMITS);
    let mut page = Page::open(bridge.address, OTHER_ORIGIN);
    let release = page.prove_card(Purpose::Release, CHALLENGE).unwrap();
    let digest = ProofMessage::of(&release, OTHER_ORIGIN).digest(KeyAlgorithm::P256);
    let sealed = service().seal_unlock_keys(&release.connection_key, &digest, &first_time(&card)).unwrap();
    assert_eq!(page.reset_passcode(NEW_PASSCODE, sealed), Err(CardFailure::Malformed));
}

#[test]
fn a_release_proof_can_be_used_for_two_minutes() {
    assert_eq!(Limits::default().release, Duration::from_mins(2));
    let card = Issued::locked();
    let bridge = serve(OneReader::with(card.insert()), Limits { release: Duration::ZERO, ..LIMITS });
    let mut page = Page::open(bridge.address, ORIGIN);
    assert_eq!(unlock(&mut page, &first_time(&card)), Err(CardFailure::Malformed));
}

#[test]
fn a_weak_new_passcode_is_refused_before_any_command_and_costs_nothing() {
    let card = Issued::locked();
    let reader = OneReader::with(card.insert());
    let bridge = serve(reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    let release = page.prove_card(Purpose::Release, CHALLENGE).unwrap();
    let sealed = seal(&service(), &release, &first_time(&card));
    let exchanges = reader.exchanges();
    for weak in ["000000", "123456", "98765432", "121212"] {
        assert_eq!(page.reset_passcode(weak, sealed.clone()), Err(CardFailure::Malformed), "{weak}");
    }
    assert_eq!(reader.exchanges(), exchanges);
    assert!(page.reset_passcode(NEW_PASSCODE, sealed).is_ok());
}

#[test]
fn a_refused_unlock_key_is_reported_and_sent_once() {
    let card = Issued::locked();
    let bridge = serve(OneReader::with(card.insert()), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    let wrong =
        UnlockKeys { candidates: Candidates::One(UnlockKey::new([1; 8])), next: next_key(), completion: COMPLETION };
    // Three tries: two are spent by two wrong single candidates, so the right one still fits.
    for _ in 0..2 {
        assert_eq!(unlock(&mut page, &wrong), Err(CardFailure::UnlockKeyRefused));
    }
    assert!(unlock(&mut page, &first_time(&card)).is_ok());
}
