//! Taking many people and cards in at once.

use card_protocol::{Slot, UnlockKey};
use domain::{
    card::CardState,
    email::EmailAddress,
    enrolment::{Enrolled, NewHolder},
    import::{FitCard, Import, ImportedCard, Refusal, Verdict},
    mail::Message,
    organisation::Organisation,
    person::UserNumber,
    role::Role,
    trail::{BrokenChain, ChainEnd, Event, TrailKey, TrailRecord},
    unlock_key::KeyRingState,
};

use crate::{
    fakes::OneKeyVault,
    software_card::SoftwareCard,
    world::{ORIGIN, TRAIL_KEY, World, new_card},
};

const ADDED: Verdict = Ok(Enrolled::Added);
const UNCHANGED: Verdict = Ok(Enrolled::Unchanged);

fn number(text: &str) -> UserNumber {
    UserNumber::parse(text).unwrap()
}

fn holder(user_number: &str, name: &str) -> NewHolder {
    NewHolder { user_number: number(user_number), name: name.to_owned(), email: None, organisation: None }
}

fn imported(card: &SoftwareCard, holder: &str) -> ImportedCard {
    ImportedCard {
        guid: card.guid,
        holder: number(holder),
        authentication_key: card.public_key(Slot::Authentication),
        card_authentication_key: card.public_key(Slot::CardAuthentication),
        unlock_key: card.unlock_key.clone(),
    }
}

/// A card by its number.
fn card(card: u8, holder: &str) -> ImportedCard {
    imported(&SoftwareCard::new(card, ORIGIN), holder)
}

/// The cards as an import takes them: nothing is wrong with them by themselves.
fn fit(import: &Import, cards: &[ImportedCard]) -> Vec<FitCard> {
    let copies = cards.iter().map(|card| ImportedCard {
        guid: card.guid,
        holder: card.holder.clone(),
        authentication_key: card.authentication_key.clone(),
        card_authentication_key: card.card_authentication_key.clone(),
        unlock_key: card.unlock_key.clone(),
    });
    copies.map(|card| import.check(card).unwrap_or_else(|refusal| panic!("{refusal}"))).collect()
}

async fn take(world: &World, cards: &[ImportedCard]) -> Vec<Verdict> {
    take_by(&world.services.import, cards).await
}

async fn take_by(import: &Import, cards: &[ImportedCard]) -> Vec<Verdict> {
    import.cards(&fit(import, cards)).await.unwrap()
}

/// A service that knows Jane (1001) and John (1002), and no card.
async fn with_people() -> World {
    let world = World::empty();
    let people = [holder("1001", "Jane Smith"), holder("1002", "John Jones")];
    assert_eq!(world.services.import.people(&people).await.unwrap(), [ADDED, ADDED]);
    world
}

fn follow(records: &[TrailRecord]) -> Result<u64, BrokenChain> {
    TrailKey::new(TRAIL_KEY).follow(ChainEnd::START, records).map(|end| end.number)
}

#[tokio::test]
async fn cards_are_taken_in_as_one_by_one() {
    let world = with_people().await;
    let cards = [card(1, "1001"), card(2, "1002"), card(3, "1001")];
    assert_eq!(take(&world, &cards).await, [ADDED; 3]);

    let tables = world.store.tables().await;
    for card in [1, 2, 3].map(|number| SoftwareCard::new(number, ORIGIN)) {
        let stored = &tables.cards[&card.guid];
        assert_eq!(stored.authentication_key, card.public_key(Slot::Authentication));
        assert_eq!(stored.card_authentication_key, card.public_key(Slot::CardAuthentication));
        assert_eq!((stored.state, stored.version), (CardState::Active, 0));
        let KeyRingState::Settled { current } = tables.key_rings[&card.guid].state else { panic!("it is settled") };
        assert!(tables.unlock_keys[&current].open(&OneKeyVault).unwrap() == card.unlock_key);
        let holder = &tables.people[&stored.holder];
        let named = tables.trail.iter().filter_map(TrailRecord::read).filter(|entry| {
            entry.event == Event::CardEnrolled
                && entry.person == Some(holder.trail_name())
                && entry.card == Some(holder.trail_salt.name_card(&card.guid))
        });
        assert_eq!(named.count(), 1);
    }
    assert_eq!(follow(&tables.trail), Ok(3));
    assert_ne!(tables.people[&number("1001")].trail_salt, tables.people[&number("1002")].trail_salt);
}

#[tokio::test]
async fn the_same_again_changes_nothing_whether_in_one_batch_or_in_two() {
    let world = with_people().await;
    assert_eq!(world.services.import.people(&[holder("1001", "Jane Smith")]).await.unwrap(), [UNCHANGED]);
    assert_eq!(take(&world, &[card(1, "1001"), card(1, "1001")]).await, [ADDED, UNCHANGED]);
    let before = world.store.tables().await;
    // After an unlock a card has another unlock key than the one that it was issued with.
    let stale = ImportedCard { unlock_key: UnlockKey::new([9; 8]), ..imported(&SoftwareCard::new(1, ORIGIN), "1001") };
    assert_eq!(take(&world, &[card(1, "1001"), stale]).await, [UNCHANGED; 2]);
    let after = world.store.tables().await;
    assert_eq!(before.trail, after.trail);
    assert_eq!(before.key_rings, after.key_rings);
    assert_eq!(before.unlock_keys, after.unlock_keys);
}

#[tokio::test]
async fn a_card_that_was_enrolled_by_itself_is_there_already() {
    let (world, jane) = World::with_card().await;
    assert_eq!(take(&world, &[imported(&jane, "1001")]).await, [UNCHANGED]);
    let again = world.services.enrolment.enrol(&new_card(&jane, "1001")).await.unwrap();
    assert_eq!(again, Enrolled::Unchanged);
}

#[tokio::test]
async fn a_card_of_nobody_is_refused_and_the_others_are_taken_in() {
    let world = with_people().await;
    let cards = [card(1, "1001"), card(2, "1003"), card(3, "1002")];
    let verdicts = take(&world, &cards).await;
    assert_eq!(verdicts, [ADDED, Err(Refusal::UnknownPerson), ADDED]);
    let tables = world.store.tables().await;
    assert_eq!((tables.cards.len(), follow(&tables.trail)), (2, Ok(2)));
}

#[tokio::test]
async fn a_guid_of_another_card_or_holder_is_refused_whether_in_one_batch_or_in_two() {
    let other_keys =
        || ImportedCard { guid: SoftwareCard::new(1, ORIGIN).guid, ..imported(&SoftwareCard::new(2, ORIGIN), "1001") };
    let one = with_people().await;
    let cards = [card(1, "1001"), other_keys(), card(1, "1002")];
    let taken = Err(Refusal::GuidTaken);
    assert_eq!(take(&one, &cards).await, [ADDED, taken, taken]);

    let two = with_people().await;
    assert_eq!(take(&two, &[card(1, "1001")]).await, [ADDED]);
    assert_eq!(take(&two, &[other_keys(), card(1, "1002")]).await, [taken, taken]);
}

#[tokio::test]
async fn a_key_that_was_seen_before_in_either_slot_is_refused_whether_in_one_batch_or_in_two() {
    let first = SoftwareCard::new(1, ORIGIN);
    let with_key_of_first = |slot: Slot, number: u8| {
        let card = imported(&SoftwareCard::new(number, ORIGIN), "1001");
        match slot {
            Slot::Authentication => {
                ImportedCard { authentication_key: first.public_key(Slot::CardAuthentication), ..card }
            }
            Slot::CardAuthentication => {
                ImportedCard { card_authentication_key: first.public_key(Slot::Authentication), ..card }
            }
        }
    };
    let taken = Err(Refusal::KeyTaken);
    let one = with_people().await;
    let cards =
        [card(1, "1001"), with_key_of_first(Slot::Authentication, 2), with_key_of_first(Slot::CardAuthentication, 3)];
    assert_eq!(take(&one, &cards).await, [ADDED, taken, taken]);

    let two = with_people().await;
    assert_eq!(take(&two, &cards[..1]).await, [ADDED]);
    assert_eq!(take(&two, &cards[1..]).await, [taken, taken]);
    // What is refused makes nothing known.
    assert_eq!(take(&two, &[card(2, "1001")]).await, [ADDED]);
}

#[test]
fn a_card_is_refused_by_itself() {
    let import = World::empty().services.import;
    let card = || card(1, "1001");
    let zero = ImportedCard { guid: card_protocol::Guid([0; 16]), ..card() };
    assert_eq!(import.check(zero).err(), Some(Refusal::ZeroGuid));
    let one_key = ImportedCard { card_authentication_key: card().authentication_key, ..card() };
    assert_eq!(import.check(one_key).err(), Some(Refusal::KeyTaken));
    for weak in [
        ImportedCard { authentication_key: crate::sign_in::weak_key(), ..card() },
        ImportedCard { card_authentication_key: crate::sign_in::weak_key(), ..card() },
    ] {
        assert_eq!(import.check(weak).err(), Some(Refusal::WeakKey));
    }
}

#[tokio::test]
async fn who_is_there_keeps_name_address_and_role() {
    let (world, _) = World::with_card().await;
    world.services.desk.grant(&number("1001"), Role::RaAgent).await.unwrap();
    let before = world.store.tables().await.people;
    let again = NewHolder {
        email: Some(EmailAddress::parse("somebody.else@nhs.net").unwrap()),
        ..holder("1001", "JANE  Smíth")
    };
    assert_eq!(world.services.import.people(&[again]).await.unwrap(), [UNCHANGED]);
    assert_eq!(world.store.tables().await.people, before);
}

#[tokio::test]
async fn another_name_for_a_number_is_refused_whether_in_one_batch_or_in_two() {
    let world = with_people().await;
    let people = [holder("1001", "John Jones"), holder("1003", "Ann Abel"), holder("1003", "Bob Bell")];
    let refused = Err(Refusal::OtherName);
    assert_eq!(world.services.import.people(&people).await.unwrap(), [refused, ADDED, refused]);
    assert_eq!(world.store.tables().await.people[&number("1003")].name, "Ann Abel");
}

#[tokio::test]
async fn who_is_registered_is_told_of_a_card_in_their_name() {
    let (world, jane) = World::with_card().await;
    let signed_in = world.sign_in(&jane).await;
    world.register(&signed_in, &jane).await;
    let people = [
        NewHolder { email: Some(EmailAddress::parse("john@nhs.net").unwrap()), ..holder("1002", "John Jones") },
        holder("1003", "Ann Abel"),
    ];
    world.services.import.people(&people).await.unwrap();
    let before = world.mails().await.len();
    let cards = [card(11, "1001"), card(12, "1002"), card(13, "1003"), card(14, "9999")];
    let verdicts = take(&world, &cards).await;
    assert_eq!(verdicts, [ADDED, ADDED, ADDED, Err(Refusal::UnknownPerson)]);
    // The same again tells nobody.
    take(&world, &cards).await;
    let registered = world.store.tables().await.registrations[&number("1001")].email.clone();
    let told = world.mails().await.split_off(before);
    assert!(told.iter().all(|mail| matches!(mail.message, Message::CardEnrolled) && mail.freeze.is_some()));
    let told: Vec<&str> = told.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(told, [registered.as_str()]);
}

#[tokio::test]
async fn who_begins_an_import_changes_nothing_of_their_own_record() {
    let world = with_people().await;
    let john = world.store.tables().await.people[&number("1002")].clone();
    let import = world.services.import.clone().begun_by(john.trail_name());
    let elsewhere = |user_number, name| {
        let organisation = Some(Organisation::parse("Trust A").unwrap());
        NewHolder { organisation, ..holder(user_number, name) }
    };
    let own = Err(Refusal::OwnRecord);
    let people = [elsewhere("1001", "Jane Smith"), elsewhere("1002", "John Jones"), holder("1002", "John Jones")];
    assert_eq!(import.people(&people).await.unwrap(), [Ok(Enrolled::Moved), own, UNCHANGED]);
    assert_eq!(take_by(&import, &[card(1, "1001"), card(2, "1002")]).await, [ADDED, own]);
    assert_eq!(world.store.tables().await.people[&number("1002")], john);

    let mut whole = import.whole().await.unwrap();
    assert_eq!(whole.cards(&fit(&import, &[card(2, "1002")])).await.unwrap(), [own]);
    drop(whole);
    // For another it is a card like others, and then it is there.
    assert_eq!(take(&world, &[card(2, "1002")]).await, [ADDED]);
    assert_eq!(take_by(&import, &[card(2, "1002")]).await, [UNCHANGED]);
}

#[tokio::test]
async fn a_whole_import_is_kept_at_its_commit_only() {
    let world = World::empty();
    let import = &world.services.import;
    let mut whole = import.whole().await.unwrap();
    assert_eq!(whole.people(&[holder("1001", "Jane Smith")]).await.unwrap(), [ADDED]);
    assert_eq!(whole.cards(&fit(import, &[card(1, "1001")])).await.unwrap(), [ADDED]);
    drop(whole);
    let tables = world.store.tables().await;
    assert!(tables.people.is_empty() && tables.cards.is_empty() && tables.trail.is_empty());

    let mut whole = import.whole().await.unwrap();
    assert_eq!(whole.people(&[holder("1001", "Jane Smith")]).await.unwrap(), [ADDED]);
    assert_eq!(whole.cards(&fit(import, &[card(1, "1001")])).await.unwrap(), [ADDED]);
    assert_eq!(whole.cards(&fit(import, &[card(2, "1001")])).await.unwrap(), [ADDED]);
    whole.commit().await.unwrap();
    let tables = world.store.tables().await;
    assert_eq!((tables.people.len(), tables.cards.len(), follow(&tables.trail)), (1, 2, Ok(2)));
}
