//! Erasing a person.

use std::fmt::Write as _;

use card_protocol::Purpose;
use domain::{
    ProofFault,
    challenge::Binding,
    erasure::EraseError,
    language::Language,
    mail::Message,
    person::UserNumber,
    ports::ErasedRows,
    sign_in::{HolderPurpose, SignInError},
    trail::{ChainEnd, Event, TrailEntry, TrailKey},
    unlock::service::UnlockError,
};
use time::Duration;

use crate::{
    former_address::register_with,
    memory_store::Tables,
    software_card::SoftwareCard,
    world::{ORIGIN, TRAIL_KEY, World, new_card},
};

fn jane() -> UserNumber {
    UserNumber::parse("1001").unwrap()
}

/// Jane is registered, registers anew, and has unlocks behind her and under way.
async fn busy_world() -> (World, SoftwareCard) {
    let (world, card) = World::registered().await;
    let signed_in = world.sign_in(&card).await;
    world.begin_registration(&signed_in, &card).await;
    world.set_questions(&signed_in).await;
    world.reach_passcode(&card).await;
    world.begin_unlock(&card).await;
    (world, card)
}

/// Everything that is stored in the clear.
fn text(tables: &Tables) -> String {
    let mut text = String::new();
    write!(text, "{:?} {:?} {:?} ", tables.people, tables.cards, tables.key_rings).unwrap();
    write!(text, "{:?} {:?} ", tables.unlock_keys, tables.registrations).unwrap();
    write!(text, "{:?} {:?} {:?} ", tables.registration_flows, tables.unlock_flows, tables.sessions).unwrap();
    write!(text, "{:?} {:?} {:?} ", tables.used_challenges, tables.handled_forms, tables.code_mails).unwrap();
    write!(text, "{:?} {:?}", tables.trail, tables.outbox).unwrap();
    text
}

fn entries(tables: &Tables) -> Vec<TrailEntry> {
    tables.trail.iter().map(|record| serde_json::from_str(&record.entry).unwrap()).collect()
}

/// Who was told of an erasure, in order.
async fn told(world: &World) -> Vec<String> {
    let mails = world.mails().await.into_iter();
    let told = mails.filter(|mail| matches!(mail.message, Message::Erased));
    told.map(|mail| mail.to.as_str().to_owned()).collect()
}

#[tokio::test]
async fn all_that_is_kept_of_a_person_goes() {
    let (world, card) = busy_world().await;
    let before = text(&world.store.tables().await);
    let traces = [r#"UserNumber("1001")"#.to_owned(), format!("{:?}", card.guid), "Jane Smith".to_owned()];
    for trace in &traces {
        assert!(before.contains(trace), "{trace} is not even there: {before}");
    }
    let erased = world.services.erasure.erase(&jane()).await.unwrap();
    let expected = ErasedRows {
        references: 0,
        cards: 1,
        unlock_keys: 1,
        issuances: 0,
        registrations: 1,
        sessions: 2,
        flows: 4,
        forms: 4,
        challenges: 2,
        code_mails: 2,
    };
    assert_eq!((erased.rows, erased.told), (expected, 1));
    let tables = world.store.tables().await;
    let after = text(&tables);
    for trace in &traces {
        assert!(!after.contains(trace), "{trace} is still there: {after}");
    }
    assert!(tables.handled_forms.is_empty() && tables.code_mails.is_empty() && tables.sessions.is_empty());
    assert!(tables.used_challenges.values().all(|used| used.flow.is_none()));
}

#[tokio::test]
async fn other_people_keep_what_is_theirs() {
    let (world, _) = World::registered().await;
    let before = world.store.tables().await;
    let other = SoftwareCard::new(2, ORIGIN);
    world.services.enrolment.enrol(&new_card(&other, "1002")).await.unwrap();
    let signed_in = world.sign_in(&other).await;
    world.register(&signed_in, &other).await;
    world.reach_passcode(&other).await;
    world.services.erasure.erase(&UserNumber::parse("1002").unwrap()).await.unwrap();
    let after = world.store.tables().await;
    assert_eq!(after.people, before.people);
    assert_eq!(after.cards, before.cards);
    assert_eq!(after.key_rings, before.key_rings);
    assert_eq!(after.unlock_keys, before.unlock_keys);
    assert_eq!(after.registrations, before.registrations);
    assert_eq!(after.registration_flows, before.registration_flows);
    assert_eq!(after.sessions, before.sessions);
    assert_eq!(after.handled_forms, before.handled_forms);
    assert_eq!(after.code_mails, before.code_mails);
}

#[tokio::test]
async fn the_trail_says_that_somebody_was_erased_and_loses_nothing() {
    let (world, _) = busy_world().await;
    let before = world.store.tables().await;
    world.services.erasure.erase(&jane()).await.unwrap();
    let after = world.store.tables().await;
    assert_eq!(after.trail[..before.trail.len()], before.trail);
    assert_eq!(after.trail.len(), before.trail.len() + 1);
    let entries = entries(&after);
    let last = entries.last().unwrap();
    assert_eq!(last.event, Event::PersonErased);
    assert_eq!(last.person, entries[0].person, "the same name as before");
    let end = TrailKey::new(TRAIL_KEY).follow(ChainEnd::START, &after.trail).unwrap();
    assert_eq!(end.number, after.trail.len() as u64);
}

#[tokio::test]
async fn every_address_is_told_once() {
    let (world, card) = World::with_card().await;
    register_with(&world, &card, "jane.smith@nhs.net").await;
    world.services.erasure.erase(&jane()).await.unwrap();
    assert_eq!(told(&world).await, ["jane.smith@nhs.net"]);

    let (world, card) = World::with_card().await;
    register_with(&world, &card, "second@nhs.net").await;
    world.clock.advance(Duration::hours(25));
    register_with(&world, &card, "third@nhs.net").await;
    world.services.erasure.erase(&jane()).await.unwrap();
    assert_eq!(told(&world).await, ["third@nhs.net", "second@nhs.net", "jane.smith@nhs.net"]);
}

#[tokio::test]
async fn a_person_who_never_registered_is_told_at_the_address_that_the_ra_holds() {
    let (world, _) = World::with_card().await;
    world.services.erasure.erase(&jane()).await.unwrap();
    assert_eq!(told(&world).await, ["jane.smith@nhs.net"]);
}

#[tokio::test]
async fn the_card_is_unknown_afterwards() {
    let (world, card) = World::registered().await;
    world.services.erasure.erase(&jane()).await.unwrap();
    let browser = world.token();
    let proof = card.prove(Purpose::Unlock, world.services.unlock.start(&browser).unwrap());
    let unlocked = world.services.unlock.identify(&browser, &proof, Language::English).await;
    assert!(matches!(unlocked, Err(UnlockError::Proof(ProofFault::Refused))));
    let binding = Binding::Browser(&browser);
    let hello = card.prove(Purpose::Hello, world.services.sign_in.challenge(binding));
    let confirmed = world.services.sign_in.confirm_card(binding, &hello, HolderPurpose::SignIn).await;
    assert!(matches!(confirmed, Err(SignInError::Proof(ProofFault::Refused))));
}

#[tokio::test]
async fn what_is_under_way_at_that_moment_finds_nobody_and_leaves_nothing() {
    for is_right in [true, false] {
        let (world, card) = World::registered().await;
        let token = world.begin_unlock(&card).await;
        let answers = if is_right { world.right_answers(&token).await } else { world.wrong_answers(&token).await };
        let proof = world.attempt(&token, &card).await;
        let number = jane();
        // While the answers are compared, the person goes.
        let (answered, erased) = tokio::join!(
            world.services.unlock.answer(&token, &proof, &answers),
            world.services.erasure.erase(&number),
        );
        erased.unwrap();
        assert!(matches!(answered, Err(UnlockError::NoFlow)), "{answered:?}");
        let last = entries(&world.store.tables().await).pop().unwrap();
        assert_eq!(last.event, Event::PersonErased);
    }
}

#[tokio::test]
async fn a_preview_says_what_would_go_and_changes_nothing() {
    let (world, _) = busy_world().await;
    let before = text(&world.store.tables().await);
    let preview = world.services.erasure.preview(&jane()).await.unwrap();
    assert_eq!(text(&world.store.tables().await), before);
    assert_eq!(world.services.erasure.erase(&jane()).await.unwrap(), preview);
}

#[tokio::test]
async fn an_erasure_that_cannot_be_kept_changes_nothing() {
    let (world, _) = busy_world().await;
    let before = text(&world.store.tables().await);
    world.store.break_commits(true);
    assert!(matches!(world.services.erasure.erase(&jane()).await, Err(EraseError::Store(_))));
    assert_eq!(text(&world.store.tables().await), before);
}

#[tokio::test]
async fn nobody_is_erased_who_is_not_there() {
    let (world, _) = World::registered().await;
    let before = text(&world.store.tables().await);
    let stranger = UserNumber::parse("1002").unwrap();
    assert!(matches!(world.services.erasure.erase(&stranger).await, Err(EraseError::UnknownPerson)));
    assert!(matches!(world.services.erasure.preview(&stranger).await, Err(EraseError::UnknownPerson)));
    assert_eq!(text(&world.store.tables().await), before);
}

#[tokio::test]
async fn who_is_taken_in_again_is_nobody_whom_the_trail_knows() {
    let (world, card) = World::registered().await;
    world.services.erasure.erase(&jane()).await.unwrap();
    let before = entries(&world.store.tables().await);
    world.services.enrolment.enrol(&new_card(&card, "1001")).await.unwrap();
    let signed_in = world.sign_in(&card).await;
    let activity = world.services.sign_in.activity(&signed_in, None, 100).await.unwrap().entries;
    let events: Vec<Event> = activity.iter().map(|entry| entry.event).collect();
    assert_eq!(events, [Event::SignedIn, Event::CardEnrolled]);
    let names: Vec<_> = before.iter().flat_map(|entry| [&entry.person, &entry.card]).flatten().collect();
    for entry in &activity {
        assert!(!names.contains(&entry.person.as_ref().unwrap()) && !names.contains(&entry.card.as_ref().unwrap()));
    }
}
