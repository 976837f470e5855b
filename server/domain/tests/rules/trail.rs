//! The audit trail.

use domain::trail::{BrokenChain, ChainEnd, Event, TrailKey, TrailName, TrailRecord};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{
    software_card::SoftwareCard,
    world::{ORIGIN, TRAIL_KEY, World, new_card},
};

async fn trail() -> Vec<TrailRecord> {
    let (world, card) = World::registered().await;
    world.reach_passcode(&card).await;
    world.store.tables().await.trail
}

fn follow(records: &[TrailRecord]) -> Result<u64, BrokenChain> {
    TrailKey::new(TRAIL_KEY).follow(ChainEnd::START, records).map(|end| end.number)
}

#[tokio::test]
async fn the_trail_of_a_registration_and_an_unlock_can_be_followed() {
    let records = trail().await;
    assert_eq!(follow(&records), Ok(records.len() as u64));
    let events: Vec<String> = records
        .iter()
        .map(|record| {
            let entry: serde_json::Value = serde_json::from_str(&record.entry).unwrap();
            entry["event"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(
        events,
        [
            "card-enrolled",
            "signed-in",
            "registration-begun",
            "registration-code-sent",
            "registration-code-entered",
            "registered",
            "unlock-begun",
            "questions-answered",
            "unlock-code-sent",
            "unlock-code-entered",
        ]
    );
}

#[tokio::test]
async fn a_record_that_is_changed_removed_or_moved_breaks_the_chain() {
    let records = trail().await;

    let mut changed = records.clone();
    changed[2].entry = changed[2].entry.replace("done", "refused");
    assert_eq!(follow(&changed), Err(BrokenChain { number: 3 }));

    let mut person = records.clone();
    person[2].person = None;
    assert_eq!(follow(&person), Err(BrokenChain { number: 3 }));

    let mut removed = records.clone();
    removed.remove(2);
    assert_eq!(follow(&removed), Err(BrokenChain { number: 3 }));

    let mut moved = records.clone();
    moved.swap(2, 3);
    assert_eq!(follow(&moved), Err(BrokenChain { number: 3 }));

    let (later, card) = World::registered().await;
    later.clock.advance(time::Duration::days(1));
    later.reach_passcode(&card).await;
    let mut spliced = records.clone();
    spliced[9] = later.store.tables().await.trail[9].clone();
    assert_eq!(follow(&spliced), Err(BrokenChain { number: 10 }), "a record of another trail with the same key");

    assert!(TrailKey::new([0; 32]).follow(ChainEnd::START, &records).is_err());
}

#[tokio::test]
async fn nobody_and_no_card_is_named_by_a_number_that_others_know() {
    let (world, card) = World::registered().await;
    world.reach_passcode(&card).await;
    let (number, guid) = (r#""1001""#, card.guid.to_string());
    for record in world.store.tables().await.trail {
        assert!(!record.entry.contains(number) && !record.entry.contains(&guid), "{}", record.entry);
        assert_eq!(record.person.unwrap().as_str().len(), 32);
    }
}

#[tokio::test]
async fn people_see_their_own_part_of_the_trail() {
    let (world, card) = World::with_card().await;
    let other = SoftwareCard::new(2, ORIGIN);
    world.services.enrolment.enrol(&new_card(&other, "1002")).await.unwrap();
    let signed_in = world.sign_in(&card).await;
    world.sign_in(&other).await;
    let activity = world.services.sign_in.activity(&signed_in, None, 100).await.unwrap().entries;
    let events: Vec<Event> = activity.iter().map(|entry| entry.event).collect();
    assert_eq!(events, [Event::SignedIn, Event::CardEnrolled]);
    let salt = &signed_in.person.trail_salt;
    assert!(activity.iter().all(|entry| entry.card == Some(salt.name_card(&card.guid))));
}

#[test]
fn a_record_that_names_a_user_number_and_a_guid_still_fits() {
    let entry = r#"{"at":1790000000000,"event":"signed-in","outcome":"done","person":"1001","card":"01010101010101010101010101010101"}"#;
    let mut mac = Hmac::<Sha256>::new_from_slice(&TRAIL_KEY).unwrap();
    mac.update(&1_u64.to_be_bytes());
    mac.update(&[0; 32]);
    mac.update(entry.as_bytes());
    let person = Some(TrailName::of_record("1001".to_owned()));
    let record = TrailRecord { number: 1, entry: entry.to_owned(), person, mac: mac.finalize().into_bytes().into() };
    assert_eq!(follow(&[record]), Ok(1));
}

#[tokio::test]
async fn the_own_activity_is_read_page_by_page_and_nothing_is_left_out() {
    let (world, card) = World::registered().await;
    let signed_in = world.sign_in(&card).await;
    let sign_in = &world.services.sign_in;
    let all = sign_in.activity(&signed_in, None, 100).await.unwrap();
    assert_eq!(all.older, None);
    let (mut read, mut before) = (Vec::new(), None);
    loop {
        let page = sign_in.activity(&signed_in, before, 2).await.unwrap();
        assert!(page.entries.len() <= 2);
        read.extend(page.entries);
        before = page.older;
        if before.is_none() {
            break;
        }
    }
    assert!(read.len() > 4);
    assert_eq!(read, all.entries);
}
