//! Many people and cards at once.

use card_protocol::Guid;
use domain::{
    card::{Card, CardPublicKey},
    person::{Person, UserNumber},
    ports::{NewlyEnrolled, VaultCiphertext},
    token::KeyId,
    trail::TrailRecord,
    unlock_key::{KeyRing, KeyRingState, StoredUnlockKey},
};
use p256::{ecdsa::SigningKey, pkcs8::EncodePublicKey};
use uuid::Uuid;

use super::fixtures::*;

/// More than fit into one statement of either database, in every table.
const MANY: u32 = 9000;

/// A card of person 1.
fn new(number: u32) -> NewlyEnrolled {
    let guid = Guid(Uuid::from_u128(u128::from(number) + 1000).into_bytes());
    let id = KeyId(Uuid::from_u128(u128::from(number)));
    let card = Card {
        guid,
        holder: user_number(1),
        authentication_key: many_key(2 * number),
        card_authentication_key: many_key(2 * number + 1),
        ..card(1)
    };
    NewlyEnrolled {
        card,
        unlock_key: StoredUnlockKey { id, guid, sealed: VaultCiphertext(number.to_be_bytes().to_vec()) },
        key_ring: KeyRing { guid, state: KeyRingState::Settled { current: id }, version: 0 },
    }
}

fn many_key(number: u32) -> CardPublicKey {
    let mut scalar = [1; 32];
    scalar[28..].copy_from_slice(&number.to_be_bytes());
    let key = SigningKey::from_slice(&scalar).unwrap();
    CardPublicKey::from_der(key.verifying_key().to_public_key_der().unwrap().as_bytes()).unwrap()
}

fn many_people(count: u32) -> Vec<Person> {
    let number = |number| UserNumber::parse(&format!("P-{number}")).unwrap();
    (0..count).map(|count| Person { user_number: number(count), ..person(1) }).collect()
}

pub async fn people_at_once_come_back_and_are_found_among_others(store: &Shared) {
    let people = many_people(MANY);
    committed!(store, |transaction| transaction.insert_people(&people));
    let mut wanted: Vec<UserNumber> = people.iter().map(|person| person.user_number.clone()).collect();
    wanted.push(user_number(7));
    wanted.extend((0..40_000).map(|number| UserNumber::parse(&format!("N-{number}")).unwrap()));
    let mut found = tried!(store, |transaction| transaction.people_among(&wanted)).unwrap();
    let mut people = people;
    people.sort_by(|a, b| a.user_number.cmp(&b.user_number));
    found.sort_by(|a, b| a.user_number.cmp(&b.user_number));
    assert!(found == people);
    let mut salts = tried!(store, |transaction| transaction.trail_salts_among(&wanted)).unwrap();
    salts.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(salts.into_iter().eq(people.into_iter().map(|person| (person.user_number, person.trail_salt))));
    let query = domain::ra::PersonQuery::parse("zoe ng").unwrap();
    assert_eq!(begin(store).await.find_people(&query, 20).await.unwrap().len(), 20);
}

pub async fn cards_at_once_come_back_with_all_that_is_theirs(store: &Shared) {
    with_card(store).await;
    let batch: Vec<_> = (0..MANY).map(new).collect();
    let records: Vec<TrailRecord> = (1..=u64::from(MANY)).map(|number| record(number, Some(1))).collect();
    // Before there is a transaction: it would be idle too long.
    let fingerprints: Vec<[u8; 32]> = (0..2 * MANY + 9).map(|number| many_key(number).fingerprint()).collect();
    committed!(store, |transaction| transaction.enrol_batch(&batch.iter().collect::<Vec<_>>(), &records));

    let mut transaction = begin(store).await;
    for number in [0, 1, MANY / 2, MANY - 1] {
        let NewlyEnrolled { card, unlock_key, key_ring } = new(number);
        assert_eq!(transaction.card(&card.guid).await.unwrap(), Some(card.clone()));
        assert_eq!(transaction.key_ring(&card.guid).await.unwrap(), Some(key_ring));
        assert_eq!(transaction.unlock_key(unlock_key.id).await.unwrap(), Some(unlock_key));
    }
    assert_eq!(transaction.trail_head().await.unwrap(), records.last().cloned());
    assert_eq!(transaction.trail_from(1, u64::from(MANY) + 1).await.unwrap(), records);

    let guids: Vec<Guid> = batch.iter().map(|new| new.card.guid).chain([guid(1), guid(9)]).collect();
    drop(transaction);
    // Each for itself: while what is found is read, a transaction would be idle too long.
    let mut found = tried!(store, |transaction| transaction.cards_among(&guids)).unwrap();
    let mut known = tried!(store, |transaction| transaction.keys_among(&fingerprints)).unwrap();
    let mut cards: Vec<Card> = batch.iter().map(|new| new.card.clone()).chain([card(1)]).collect();
    cards.sort_by_key(|card| card.guid.0);
    found.sort_by_key(|card| card.guid.0);
    assert!(found == cards);

    let mut all = fingerprints[..fingerprints.len() - 9].to_vec();
    known.sort_unstable();
    all.sort_unstable();
    assert!(known == all);
}

pub async fn registrations_are_found_among_others(store: &Shared) {
    committed!(store, |transaction| transaction.insert_people(&[person(1), person(3)]));
    committed!(store, |transaction| transaction.insert_registration(&registration()));
    let wanted = [user_number(1), user_number(3), user_number(9)];
    let found = tried!(store, |transaction| transaction.registrations_among(&wanted)).unwrap();
    assert_eq!(found, [registration()]);
}

pub async fn of_nothing_at_once_there_is_nothing(store: &Shared) {
    with_card(store).await;
    let mut transaction = begin(store).await;
    transaction.insert_people(&[]).await.unwrap();
    transaction.enrol_batch(&[], &[]).await.unwrap();
    assert_eq!(transaction.people_among(&[]).await.unwrap(), []);
    assert_eq!(transaction.trail_salts_among(&[]).await.unwrap(), []);
    assert_eq!(transaction.cards_among(&[]).await.unwrap(), []);
    assert_eq!(transaction.registrations_among(&[]).await.unwrap(), []);
    assert_eq!(transaction.keys_among(&[]).await.unwrap(), Vec::<[u8; 32]>::new());
    transaction.commit().await.unwrap();
}

pub async fn nothing_is_added_twice_at_once(store: &Shared) {
    with_card(store).await;
    assert!(is_conflict(&tried!(store, |transaction| transaction.insert_people(&[person(3), person(1)]))));
    let there = NewlyEnrolled { card: card(1), ..new(1) };
    assert!(is_conflict(&tried!(store, |transaction| transaction.enrol_batch(&[&new(2), &there], &[]))));
    let mut one_key = new(3);
    one_key.card.authentication_key = key(3);
    assert!(is_conflict(&tried!(store, |transaction| transaction.enrol_batch(&[&new(2), &one_key], &[]))));
    committed!(store, |transaction| transaction.insert_trail_record(&record(1, None)));
    let records = [record(2, None), record(1, None)];
    assert!(is_conflict(&tried!(store, |transaction| transaction.enrol_batch(&[&new(2)], &records))));
    assert_eq!(tried!(store, |transaction| transaction.card(&new(2).card.guid)).unwrap(), None);
}
