//! An officer lets a person unlock their card in front of them.

use card_protocol::Purpose;
use domain::{
    card::CardState,
    mail::Message,
    ra::{Action, DeskError, Given},
    registration::Standing,
    role::Role,
    token::Token,
    unlock::service::{DeadEndReason, FlowPurpose, UnlockError, UnlockView},
};

use crate::{
    desk::{AtDesk, at_desk, jane, order},
    software_card::SoftwareCard,
    world::{World, service_secret},
};

async fn allow(world: &World, desk: &AtDesk, card: &SoftwareCard) -> Token {
    match desk.order(world, &order(Action::UnlockCard { card: card.guid })).await.unwrap().0 {
        Given::Unlock(token) => token,
        _ => panic!("no unlock"),
    }
}

/// The card takes the keys that are released, and says so.
async fn unlock(world: &World, token: &Token, card: &mut SoftwareCard) -> Result<(), UnlockError> {
    let release = card.prove(Purpose::Release, world.flow_challenge(token, FlowPurpose::Release).await);
    let sealed = world.services.unlock.release(token, &release).await?;
    let keys = card.open(&service_secret(), &release, &sealed);
    assert!(card.take(&keys));
    world.services.unlock.complete(token, &card.prove(Purpose::Unlocked, keys.completion)).await
}

#[tokio::test]
async fn a_person_who_has_not_registered_chooses_a_passcode_in_front_of_an_officer() {
    let (world, mut card) = World::with_card().await;
    let ray = at_desk(&world, 7, Role::RaAgent).await;
    let token = allow(&world, &ray, &card).await;
    assert!(matches!(world.services.unlock.view(&token).await, Ok(UnlockView::Passcode(_))));
    unlock(&world, &token, &mut card).await.unwrap();
    assert!(matches!(world.services.unlock.view(&token).await, Ok(UnlockView::Completed)));
    // At the address that the RA holds.
    let mails = world.mails().await;
    assert!(mails.iter().any(|mail| matches!(mail.message, Message::CardUnlocked)));
}

#[tokio::test]
async fn the_officer_is_signed_out_when_the_keyboard_goes_to_somebody_else() {
    let (world, card) = World::registered().await;
    let ray = at_desk(&world, 7, Role::RaAgent).await;
    let sessions = |tables: crate::memory_store::Tables| {
        tables.sessions.iter().filter(|session| session.card == ray.card.guid).count()
    };
    assert_eq!(sessions(world.store.tables().await), 1);
    allow(&world, &ray, &card).await;
    assert_eq!(sessions(world.store.tables().await), 0);
}

#[tokio::test]
async fn who_is_locked_out_is_not_any_more_afterwards() {
    let (world, mut card) = World::registered().await;
    let token = world.begin_unlock(&card).await;
    for _ in 0..3 {
        world.answer_wrong(&token, &card).await;
    }
    let ray = at_desk(&world, 7, Role::RaAgent).await;
    let token = allow(&world, &ray, &card).await;
    unlock(&world, &token, &mut card).await.unwrap();
    let standing = world.store.tables().await.registrations[&jane()].standing;
    assert_eq!(standing, Standing::Open { failed_attempts: 0 });
}

#[tokio::test]
async fn a_frozen_registration_stays_frozen() {
    let (world, mut card) = World::registered().await;
    let ray = at_desk(&world, 7, Role::RaAgent).await;
    ray.act(&world, &order(Action::Freeze)).await.unwrap();
    let token = allow(&world, &ray, &card).await;
    unlock(&world, &token, &mut card).await.unwrap();
    assert!(matches!(world.store.tables().await.registrations[&jane()].standing, Standing::Frozen { .. }));
}

#[tokio::test]
async fn a_card_that_has_refused_every_key_may_be_tried_again_and_is_in_use_once_it_takes_one() {
    let (world, mut card) = World::registered().await;
    let token = world.reach_passcode(&card).await;
    let release = card.prove(Purpose::Release, world.flow_challenge(&token, FlowPurpose::Release).await);
    world.services.unlock.release(&token, &release).await.unwrap();
    let attempt = world.attempt(&token, &card).await;
    world.services.unlock.refused(&token, &attempt).await.unwrap();
    assert_eq!(world.store.tables().await.cards[&card.guid].state, CardState::UnlockKeyUnknown);

    let ray = at_desk(&world, 7, Role::RaAgent).await;
    let token = allow(&world, &ray, &card).await;
    unlock(&world, &token, &mut card).await.unwrap();
    assert_eq!(world.store.tables().await.cards[&card.guid].state, CardState::Active);
}

#[tokio::test]
async fn another_card_gets_nothing_from_it() {
    let (world, card) = World::registered().await;
    let ray = at_desk(&world, 7, Role::RaAgent).await;
    let token = allow(&world, &ray, &card).await;
    let challenge = world.flow_challenge(&token, FlowPurpose::Release).await;
    let refused = world.services.unlock.release(&token, &ray.card.prove(Purpose::Release, challenge)).await;
    assert!(matches!(refused, Err(UnlockError::Proof(_))));
}

#[tokio::test]
async fn a_cancelled_card_is_not_unlocked_even_if_it_is_cancelled_meanwhile() {
    let (world, mut card) = World::registered().await;
    let ray = at_desk(&world, 7, Role::RaAgent).await;
    let token = allow(&world, &ray, &card).await;
    ray.act(&world, &order(Action::CancelCard { card: card.guid })).await.unwrap();
    let refused = unlock(&world, &token, &mut card).await;
    assert!(matches!(
        refused,
        Err(UnlockError::WrongStep | UnlockError::DeadEnd { reason: DeadEndReason::Cancelled, .. })
    ));
    let refused = ray.act(&world, &order(Action::UnlockCard { card: card.guid })).await;
    assert!(matches!(refused, Err(DeskError::NothingToDo)));
}
