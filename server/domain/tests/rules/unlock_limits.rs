//! How often and for how long an unlock goes on, and what the trail keeps of whoever goes beyond.

use card_protocol::Purpose;
use domain::{
    ProofFault,
    language::Language,
    trail::{Event, Outcome},
    unlock::service::{FlowPurpose, Identified, UnlockError},
};
use time::Duration;

use crate::{
    software_card::SoftwareCard,
    world::{ORIGIN, World, new_card},
};

#[tokio::test]
async fn a_refused_proof_within_an_unlock_is_on_the_trail_and_a_forger_does_not_fill_it() {
    let (world, card) = World::registered().await;
    let token = world.reach_passcode(&card).await;
    let refused = async || {
        let trail = world.trail().await;
        trail.into_iter().filter(|entry| entry.event == Event::CardProofRefused).collect::<Vec<_>>()
    };
    let mut clone = SoftwareCard::new(9, ORIGIN);
    clone.guid = card.guid;
    for _ in 0..10 {
        let challenge = world.flow_challenge(&token, FlowPurpose::Release).await;
        let released = world.services.unlock.release(&token, &clone.prove(Purpose::Release, challenge)).await;
        assert!(matches!(released, Err(UnlockError::Proof(ProofFault::Refused))));
        let forged = clone.prove(Purpose::Unlocked, challenge);
        let completed = world.services.unlock.complete(&token, &forged).await;
        assert!(matches!(completed, Err(UnlockError::Proof(ProofFault::Refused))));
    }
    let noted = refused().await;
    assert_eq!(noted.len(), 3);
    let salt = world.store.tables().await.people.into_values().next().unwrap().trail_salt;
    let card_name = Some(salt.name_card(&card.guid));
    assert!(noted.iter().all(|entry| entry.card == card_name && entry.outcome == Outcome::Refused));
    // After something else happened there is room again.
    world.sign_in(&card).await;
    let challenge = world.flow_challenge(&token, FlowPurpose::Release).await;
    let _ = world.services.unlock.release(&token, &clone.prove(Purpose::Release, challenge)).await;
    assert_eq!(refused().await.len(), 4);
}

#[tokio::test]
async fn whoever_has_no_unlock_writes_nothing_with_a_forged_proof() {
    let (world, card) = World::registered().await;
    let before = world.trail().await.len();
    let mut clone = SoftwareCard::new(9, ORIGIN);
    clone.guid = card.guid;
    let browser = world.token();
    let proof = clone.prove(Purpose::Unlock, world.services.unlock.start(&browser).unwrap());
    assert!(world.services.unlock.identify(&browser, &proof, Language::English).await.is_err());
    let proof = clone.prove(Purpose::Release, world.services.unlock.start(&browser).unwrap());
    assert!(world.services.unlock.release(&world.token(), &proof).await.is_err());
    assert_eq!(world.trail().await.len(), before);
}

#[tokio::test]
async fn a_card_begins_twenty_unlocks_an_hour_and_no_more() {
    let (world, card) = World::registered().await;
    let identify = async || {
        let browser = world.token();
        let proof = card.prove(Purpose::Unlock, world.services.unlock.start(&browser).unwrap());
        world.services.unlock.identify(&browser, &proof, Language::English).await
    };
    for _ in 0..20 {
        assert!(matches!(identify().await, Ok(Identified::Flow(_))));
        world.clock.advance(Duration::seconds(30));
    }
    let wait = Duration::hours(1) - Duration::minutes(10);
    assert!(matches!(identify().await, Err(UnlockError::TooOften { wait: said }) if said == wait));
    // Another card of another person is not held up.
    let other = SoftwareCard::new(2, ORIGIN);
    world.services.enrolment.enrol(&new_card(&other, "1002")).await.unwrap();
    assert!(matches!(world.identify(&other).await, Identified::DeadEnd(_)));
    world.clock.advance(wait);
    assert!(matches!(identify().await, Ok(Identified::Flow(_))));
}

#[tokio::test]
async fn a_dead_end_that_is_met_again_has_the_same_reference_and_one_record() {
    let (world, card) = World::with_card().await;
    let reference = async || match world.identify(&card).await {
        Identified::DeadEnd(end) => end.reference,
        Identified::Flow(_) => panic!("a flow was opened"),
    };
    let first = reference().await;
    let records = world.trail().await.len();
    for _ in 0..5 {
        assert_eq!(reference().await, first);
    }
    assert_eq!(world.trail().await.len(), records);
    world.clock.advance(Duration::minutes(15));
    assert_ne!(reference().await, first, "later it is another visit");
    let second = reference().await;
    world.sign_in(&card).await;
    assert_ne!(reference().await, second, "something happened since");
}

#[tokio::test]
async fn an_unlock_ends_two_hours_after_it_began_however_it_is_kept_alive() {
    let (world, card) = World::registered().await;
    let token = world.begin_unlock(&card).await;
    for _ in 0..5 {
        world.clock.advance(Duration::minutes(20));
        world.services.unlock.extend(&token).await.unwrap();
    }
    assert_eq!(world.services.unlock.time_left(&token).await.unwrap(), Duration::minutes(20));
    world.clock.advance(Duration::minutes(20) - Duration::seconds(1));
    world.services.unlock.extend(&token).await.unwrap();
    world.clock.advance(Duration::seconds(1));
    assert!(matches!(world.services.unlock.extend(&token).await, Err(UnlockError::NoFlow)));
    assert!(matches!(world.services.unlock.view(&token).await, Err(UnlockError::NoFlow)));
}
