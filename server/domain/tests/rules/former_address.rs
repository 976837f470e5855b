//! A changed address: who is told, and where the codes go meanwhile.

use card_protocol::Purpose;
use domain::{
    email::EmailAddress,
    mail::Message,
    registration::service::RegistrationCodeOutcome,
    unlock::service::{FlowPurpose, UnlockView},
};
use time::Duration;

use crate::{
    software_card::SoftwareCard,
    world::{World, service_secret},
};

/// Who was told of a changed address, in order.
pub async fn told_of_a_change(world: &World) -> Vec<String> {
    let mails = world.mails().await.into_iter();
    let told = mails.filter(|mail| matches!(mail.message, Message::EmailChanged { .. }));
    told.map(|mail| mail.to.as_str().to_owned()).collect()
}

/// Registers with an address; no limit of codes is in the way.
pub async fn register_with(world: &World, card: &SoftwareCard, email: &str) {
    let signed_in = world.sign_in(card).await;
    world.begin_registration(&signed_in, card).await;
    world.set_questions(&signed_in).await;
    world.confirm_email(&signed_in, email).await;
    let code = world.last_code().await;
    let entered = world.enter_registration_code(&signed_in, &code).await;
    assert!(matches!(entered.outcome, RegistrationCodeOutcome::Registered));
}

/// Where the code of an unlock goes that begins now.
async fn code_goes_to(world: &World, card: &SoftwareCard) -> String {
    let token = world.begin_unlock(card).await;
    world.answer_right(&token, card).await;
    let mail = world.mails().await.into_iter().next_back().unwrap();
    assert!(matches!(mail.message, Message::UnlockCode { .. }));
    let UnlockView::Code { sent_to, .. } = world.services.unlock.view(&token).await.unwrap() else { panic!("no code") };
    assert_eq!(sent_to, mail.to.masked(), "the page says where it went");
    mail.to.as_str().to_owned()
}

#[tokio::test]
async fn codes_go_to_the_former_address_for_a_day() {
    let (world, card) = World::registered().await;
    register_with(&world, &card, "other@nhs.net").await;
    assert_eq!(code_goes_to(&world, &card).await, "jane.smith@nhs.net");
    world.clock.advance(Duration::hours(24) - Duration::seconds(1));
    assert_eq!(code_goes_to(&world, &card).await, "jane.smith@nhs.net");
    world.clock.advance(Duration::seconds(1));
    assert_eq!(code_goes_to(&world, &card).await, "other@nhs.net");
}

#[tokio::test]
async fn the_address_that_the_ra_holds_is_the_former_one_of_a_first_registration() {
    let (world, card) = World::with_card().await;
    register_with(&world, &card, "other@nhs.net").await;
    assert_eq!(told_of_a_change(&world).await, ["other@nhs.net", "jane.smith@nhs.net"]);
    assert_eq!(code_goes_to(&world, &card).await, "jane.smith@nhs.net");
}

#[tokio::test]
async fn the_address_that_the_ra_holds_receives_codes_at_once() {
    let (world, card) = World::with_card().await;
    register_with(&world, &card, "jane.smith@nhs.net").await;
    assert!(told_of_a_change(&world).await.is_empty());
    assert_eq!(code_goes_to(&world, &card).await, "jane.smith@nhs.net");
}

#[tokio::test]
async fn a_second_change_within_a_day_does_not_make_the_first_one_count() {
    let (world, card) = World::registered().await;
    register_with(&world, &card, "thief@nhs.net").await;
    world.clock.advance(Duration::hours(23));
    register_with(&world, &card, "thief@nhs.uk").await;
    let told = told_of_a_change(&world).await;
    assert_eq!(told[2..], ["thief@nhs.uk", "jane.smith@nhs.net", "thief@nhs.net"]);
    world.clock.advance(Duration::hours(23));
    assert_eq!(code_goes_to(&world, &card).await, "jane.smith@nhs.net");
    // The same address once more neither shortens nor lengthens its day.
    register_with(&world, &card, "thief@nhs.uk").await;
    assert_eq!(code_goes_to(&world, &card).await, "jane.smith@nhs.net");
    world.clock.advance(Duration::hours(2));
    assert_eq!(code_goes_to(&world, &card).await, "thief@nhs.uk");
}

#[tokio::test]
async fn who_takes_the_address_back_is_told_and_gets_the_codes() {
    let (world, card) = World::registered().await;
    register_with(&world, &card, "other@nhs.net").await;
    world.clock.advance(Duration::hours(2));
    register_with(&world, &card, "jane.smith@nhs.net").await;
    world.clock.advance(Duration::hours(48));
    assert_eq!(code_goes_to(&world, &card).await, "jane.smith@nhs.net");
}

#[tokio::test]
async fn both_addresses_are_told_of_an_unlock_while_the_new_one_is_new() {
    let (world, mut card) = World::registered().await;
    register_with(&world, &card, "other@nhs.net").await;
    let token = world.reach_passcode(&card).await;
    let proof = card.prove(Purpose::Release, world.flow_challenge(&token, FlowPurpose::Release).await);
    let sealed = world.services.unlock.release(&token, &proof).await.unwrap();
    let keys = card.open(&service_secret(), &proof, &sealed);
    assert!(card.take(&keys));
    world.services.unlock.complete(&token, &card.prove(Purpose::Unlocked, keys.completion)).await.unwrap();
    let mails = world.mails().await.into_iter();
    let told: Vec<_> = mails.filter(|mail| matches!(mail.message, Message::CardUnlocked)).map(|mail| mail.to).collect();
    assert_eq!(told.iter().map(EmailAddress::as_str).collect::<Vec<_>>(), ["other@nhs.net", "jane.smith@nhs.net"]);
}
