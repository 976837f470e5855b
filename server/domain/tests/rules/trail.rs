//! The audit trail.

use domain::trail::{BrokenChain, ChainEnd, TrailKey, TrailRecord};

use crate::world::{TRAIL_KEY, World};

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
