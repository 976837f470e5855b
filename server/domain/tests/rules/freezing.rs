//! Freezing self-service by the link of a mail.

use card_protocol::Purpose;
use domain::{
    freezing::{Freezable, FreezeToken, FreezingError, LINK_LIFE},
    mail::{Mail, Message},
    registration::{Standing, service::RegistrationError},
    trail::Event,
    unlock::{
        EndReason,
        service::{DeadEndReason, FlowPurpose, Identified, UnlockError, UnlockView},
    },
};
use time::Duration;

use crate::{
    software_card::SoftwareCard,
    world::{World, service_secret},
};

/// The link of the latest mail that has one.
async fn link(world: &World) -> FreezeToken {
    world.mails().await.into_iter().rev().find_map(|mail| mail.freeze).expect("a mail has a link")
}

async fn standing(world: &World) -> Standing {
    world.store.tables().await.registrations.into_values().next().unwrap().standing
}

#[tokio::test]
async fn a_link_freezes_self_service_once_it_is_confirmed_and_not_before() {
    let (world, card) = World::registered().await;
    let link = link(&world).await;
    for _ in 0..2 {
        assert_eq!(world.services.freezing.look(&link).await.unwrap(), Freezable::Yes);
    }
    assert_eq!(standing(&world).await, Standing::Open { failed_attempts: 0 });
    assert!(matches!(world.identify(&card).await, Identified::Flow(_)));

    world.services.freezing.freeze(&link).await.unwrap();
    assert_eq!(standing(&world).await, Standing::Frozen { since: world.now() });
    let frozen = Freezable::Frozen { since: world.now() };
    assert_eq!(world.services.freezing.look(&link).await.unwrap(), frozen);
    let Identified::DeadEnd(end) = world.identify(&card).await else { panic!("a flow was opened") };
    assert_eq!(end.reason, DeadEndReason::Frozen);
    assert!(world.trail().await.iter().any(|entry| entry.event == Event::SelfServiceFrozen));
    let mail = world.mails().await.into_iter().next_back().unwrap();
    assert!(matches!(mail.message, Message::SelfServiceFrozen) && mail.freeze.is_none());
}

#[tokio::test]
async fn what_is_under_way_ends() {
    let (world, card) = World::registered().await;
    let signed_in = world.sign_in(&card).await;
    world.begin_registration(&signed_in, &card).await;
    let token = world.reach_passcode(&card).await;
    let challenge = world.flow_challenge(&token, FlowPurpose::Release).await;
    world.services.freezing.freeze(&link(&world).await).await.unwrap();

    let released = world.services.unlock.release(&token, &card.prove(Purpose::Release, challenge)).await;
    assert!(matches!(released, Err(UnlockError::WrongStep)), "no key is released");
    let UnlockView::Ended { reason: EndReason::Frozen, reference: Some(reference) } =
        world.services.unlock.view(&token).await.unwrap()
    else {
        panic!("the unlock goes on");
    };
    assert!(world.trail().await.iter().any(|entry| entry.reference.as_ref() == Some(&reference)));
    assert!(world.store.tables().await.sessions.is_empty(), "nobody is signed in");
}

#[tokio::test]
async fn a_card_that_was_written_already_does_not_thaw_it() {
    let (world, mut card) = World::registered().await;
    let token = world.reach_passcode(&card).await;
    let proof = card.prove(Purpose::Release, world.flow_challenge(&token, FlowPurpose::Release).await);
    let sealed = world.services.unlock.release(&token, &proof).await.unwrap();
    let keys = card.open(&service_secret(), &proof, &sealed);
    assert!(card.take(&keys));
    world.services.freezing.freeze(&link(&world).await).await.unwrap();
    let completed = world.services.unlock.complete(&token, &card.prove(Purpose::Unlocked, keys.completion)).await;
    assert!(matches!(completed, Err(UnlockError::WrongStep)));
    assert!(matches!(standing(&world).await, Standing::Frozen { .. }));
}

#[tokio::test]
async fn nobody_registers_anew_while_it_is_frozen() {
    let (world, card) = World::registered().await;
    world.services.freezing.freeze(&link(&world).await).await.unwrap();
    let signed_in = world.sign_in(&card).await;
    let binding = domain::challenge::Binding::Session(signed_in.session.id);
    let hello = card.prove(Purpose::Hello, world.services.sign_in.challenge(binding));
    let purpose = domain::sign_in::HolderPurpose::Register;
    let challenge = world.services.sign_in.confirm_card(binding, &hello, purpose).await.unwrap();
    let begun = world.services.registration.begin(&signed_in, &card.prove(Purpose::Register, challenge)).await;
    assert!(matches!(begun, Err(RegistrationError::Frozen)));
}

#[tokio::test]
async fn self_service_that_is_locked_can_be_frozen_too_and_is_told_of_once() {
    let (world, card) = World::registered().await;
    let token = world.begin_unlock(&card).await;
    for _ in 0..3 {
        world.answer_wrong(&token, &card).await;
    }
    let link = link(&world).await;
    for _ in 0..3 {
        world.services.freezing.freeze(&link).await.unwrap();
        world.clock.advance(Duration::minutes(1));
    }
    assert!(matches!(standing(&world).await, Standing::Frozen { .. }));
    let is_told = |mail: &Mail| matches!(mail.message, Message::SelfServiceFrozen);
    assert_eq!(world.mails().await.iter().filter(|mail| is_told(mail)).count(), 1);
}

#[tokio::test]
async fn every_mail_but_that_of_a_code_has_a_link() {
    let (world, card) = World::registered().await;
    let token = world.begin_unlock(&card).await;
    world.answer_right(&token, &card).await;
    let token = world.begin_unlock(&card).await;
    for _ in 0..3 {
        world.answer_wrong(&token, &card).await;
    }
    let mails = world.mails().await;
    let links: Vec<bool> = mails.iter().map(|mail| mail.freeze.is_some()).collect();
    assert_eq!(links, [false, true, false, true], "code, registered, code, locked");
}

#[tokio::test]
async fn a_link_works_for_thirty_days_and_as_it_was_made_only() {
    let (world, _) = World::registered().await;
    let link = link(&world).await;
    let mut letters = link.as_str().to_owned();
    let last = letters.pop().unwrap();
    letters.push(if last == 'A' { 'Q' } else { 'A' });
    let outbox = world.store.tables().await.outbox;
    let sealed_mail = <base64ct::Base64UrlUnpadded as base64ct::Encoding>::encode_string(&outbox[0].sealed.0);
    for text in [letters, sealed_mail, String::new(), "555000000017".to_owned(), "/".repeat(5000)] {
        let token = FreezeToken::new(text);
        assert!(matches!(world.services.freezing.look(&token).await, Err(FreezingError::NoLink)));
        assert!(matches!(world.services.freezing.freeze(&token).await, Err(FreezingError::NoLink)));
    }
    // `registered` went on for two hours since.
    world.clock.advance(LINK_LIFE - Duration::hours(2) - Duration::seconds(1));
    assert_eq!(world.services.freezing.look(&link).await.unwrap(), Freezable::Yes);
    world.clock.advance(Duration::seconds(1));
    assert!(matches!(world.services.freezing.freeze(&link).await, Err(FreezingError::NoLink)));
    assert_eq!(standing(&world).await, Standing::Open { failed_attempts: 0 });
}

#[tokio::test]
async fn the_link_of_one_person_is_nothing_to_another() {
    let (world, _) = World::registered().await;
    let link = link(&world).await;
    let other = SoftwareCard::new(2, crate::world::ORIGIN);
    world.services.enrolment.enrol(&crate::world::new_card(&other, "1002")).await.unwrap();
    let signed_in = world.sign_in(&other).await;
    world.register(&signed_in, &other).await;
    world.services.freezing.freeze(&link).await.unwrap();
    assert!(matches!(world.identify(&other).await, Identified::Flow(_)));
}
