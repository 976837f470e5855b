//! Registering.

use card_protocol::Purpose;
use domain::{
    challenge::Binding,
    mail::Message,
    policy::Policy,
    registration::{
        RegistrationView, Standing,
        service::{BackTo, RegistrationCodeOutcome, RegistrationError, RegistrationStatus},
    },
    sign_in::HolderPurpose,
};
use time::Duration;

use crate::{
    fakes::OneKeyVault,
    former_address::told_of_a_change,
    software_card::SoftwareCard,
    world::{ANSWERS, ORIGIN, World, new_card, wrong_code},
};

#[tokio::test]
async fn four_questions_an_address_and_its_code_make_a_registration() {
    let (world, card) = World::with_card().await;
    let signed_in = world.sign_in(&card).await;
    world.register(&signed_in, &card).await;
    let RegistrationStatus::Registered { email, standing, .. } =
        world.services.registration.status(&signed_in).await.unwrap()
    else {
        panic!("not registered");
    };
    assert_eq!(email.as_str(), "jane.smith@nhs.net");
    assert_eq!(standing, Standing::Open { failed_attempts: 0 });
    let told = world.mails().await.into_iter().any(|mail| matches!(mail.message, Message::RegistrationComplete));
    assert!(told);
}

#[tokio::test]
async fn the_address_on_file_is_offered() {
    let (world, card) = World::with_card().await;
    let signed_in = world.sign_in(&card).await;
    world.begin_registration(&signed_in, &card).await;
    world.set_questions(&signed_in).await;
    let view = world.services.registration.view(&signed_in).await.unwrap();
    assert!(
        matches!(view, RegistrationView::Email { on_file: Some(email), .. } if email.as_str() == "jane.smith@nhs.net")
    );
}

#[tokio::test]
async fn another_card_cannot_begin_the_registration_of_a_session() {
    let (world, card) = World::with_card().await;
    let other = SoftwareCard::new(2, ORIGIN);
    world.services.enrolment.enrol(&new_card(&other, "1002")).await.unwrap();
    let signed_in = world.sign_in(&card).await;
    let binding = Binding::Session(signed_in.session.id);
    let hello = other.prove(Purpose::Hello, world.services.sign_in.challenge(binding));
    let challenge = world.services.sign_in.confirm_card(binding, &hello, HolderPurpose::Register).await.unwrap();
    let proof = other.prove(Purpose::Register, challenge);
    let refused = world.services.registration.begin(&signed_in, &proof).await;
    assert!(matches!(refused, Err(RegistrationError::Proof(_))));
}

#[tokio::test]
async fn an_address_that_is_not_approved_gets_no_code() {
    let (world, card) = World::with_card().await;
    let signed_in = world.sign_in(&card).await;
    world.begin_registration(&signed_in, &card).await;
    world.set_questions(&signed_in).await;
    let form = world.form(&signed_in).await;
    let confirm = async |address| world.services.registration.confirm_email(&signed_in, form, address).await;
    assert!(matches!(confirm("jane@example.com").await, Err(RegistrationError::DomainNotApproved)));
    assert!(matches!(confirm("jane").await, Err(RegistrationError::NotAnEmailAddress(_))));
    assert!(world.mails().await.is_empty());
}

#[tokio::test]
async fn a_registration_code_works_for_fifteen_minutes_and_then_another_is_sent() {
    let (world, card) = World::with_card().await;
    let signed_in = world.sign_in(&card).await;
    world.begin_registration(&signed_in, &card).await;
    world.set_questions(&signed_in).await;
    world.confirm_email(&signed_in, "jane@nhs.net").await;
    let code = world.last_code().await;
    world.clock.advance(Duration::minutes(15));
    let entered = world.enter_registration_code(&signed_in, &code).await;
    assert!(matches!(entered.outcome, RegistrationCodeOutcome::Expired { resent: true }));
    let another = world.last_code().await;
    assert_ne!(code, another);
    world.clock.advance(Duration::minutes(15) - Duration::seconds(1));
    let entered = world.enter_registration_code(&signed_in, &another).await;
    assert!(matches!(entered.outcome, RegistrationCodeOutcome::Registered));
}

#[tokio::test]
async fn a_registration_code_gives_five_tries() {
    let (world, card) = World::with_card().await;
    let signed_in = world.sign_in(&card).await;
    world.begin_registration(&signed_in, &card).await;
    world.set_questions(&signed_in).await;
    world.confirm_email(&signed_in, "jane@nhs.net").await;
    for left in (1..5).rev() {
        let entered = world.enter_registration_code(&signed_in, &wrong_code()).await;
        assert!(matches!(entered.outcome, RegistrationCodeOutcome::Wrong { tries_left } if tries_left == left));
    }
    let entered = world.enter_registration_code(&signed_in, &wrong_code()).await;
    assert!(matches!(entered.outcome, RegistrationCodeOutcome::TriesUsedUp));
    assert_eq!(world.services.registration.view(&signed_in).await.unwrap(), RegistrationView::Ended);
}

#[tokio::test]
async fn a_repeated_post_of_a_form_gets_its_first_outcome_and_spends_nothing() {
    let (world, card) = World::with_card().await;
    let signed_in = world.sign_in(&card).await;
    world.begin_registration(&signed_in, &card).await;
    world.set_questions(&signed_in).await;
    let registration = &world.services.registration;
    let form = world.form(&signed_in).await;
    for _ in 0..3 {
        registration.confirm_email(&signed_in, form, "jane@nhs.net").await.unwrap();
    }
    assert_eq!(world.mails().await.len(), 1);
    let form = world.form(&signed_in).await;
    for _ in 0..3 {
        let entered = registration.enter_code(&signed_in, form, &wrong_code()).await.unwrap();
        assert!(matches!(entered.outcome, RegistrationCodeOutcome::Wrong { tries_left: 4 }));
    }
}

#[tokio::test]
async fn another_code_waits_a_minute_and_an_hour_has_four() {
    let (world, card) = World::with_card().await;
    let signed_in = world.sign_in(&card).await;
    world.begin_registration(&signed_in, &card).await;
    world.set_questions(&signed_in).await;
    world.confirm_email(&signed_in, "jane@nhs.net").await;
    let registration = &world.services.registration;
    let early = registration.resend_code(&signed_in, world.form(&signed_in).await).await;
    assert!(matches!(early, Err(RegistrationError::TooEarly { at }) if at == world.now() + Duration::minutes(1)));
    for _ in 0..3 {
        world.clock.advance(Duration::minutes(1));
        registration.resend_code(&signed_in, world.form(&signed_in).await).await.unwrap();
    }
    world.clock.advance(Duration::minutes(1));
    let fifth = registration.resend_code(&signed_in, world.form(&signed_in).await).await;
    assert!(matches!(fifth, Err(RegistrationError::TooEarly { at }) if at == world.now() + Duration::minutes(56)));
    assert_eq!(world.mails().await.len(), 4);
}

#[tokio::test]
async fn an_earlier_code_keeps_its_own_time() {
    let (world, card) = World::with_card().await;
    let signed_in = world.sign_in(&card).await;
    world.begin_registration(&signed_in, &card).await;
    world.set_questions(&signed_in).await;
    world.confirm_email(&signed_in, "jane@nhs.net").await;
    let first = world.last_code().await;
    world.clock.advance(Duration::minutes(1));
    world.services.registration.resend_code(&signed_in, world.form(&signed_in).await).await.unwrap();
    let entered = world.enter_registration_code(&signed_in, &first).await;
    assert!(matches!(entered.outcome, RegistrationCodeOutcome::Registered));
}

#[tokio::test]
async fn a_changed_address_makes_the_code_sent_before_worthless() {
    let (world, card) = World::with_card().await;
    let signed_in = world.sign_in(&card).await;
    world.begin_registration(&signed_in, &card).await;
    world.set_questions(&signed_in).await;
    world.confirm_email(&signed_in, "jane@nhs.net").await;
    let code = world.last_code().await;
    world.services.registration.go_back(&signed_in.session, BackTo::Email).await.unwrap();
    world.confirm_email(&signed_in, "other@nhs.net").await;
    let entered = world.enter_registration_code(&signed_in, &code).await;
    assert!(matches!(entered.outcome, RegistrationCodeOutcome::Wrong { .. }));
}

#[tokio::test]
async fn an_earlier_registration_stays_until_the_code_of_the_next_is_entered() {
    let (world, card) = World::registered().await;
    let signed_in = world.sign_in(&card).await;
    let before = world.store.tables().await.registrations;
    world.begin_registration(&signed_in, &card).await;
    world.set_questions(&signed_in).await;
    world.confirm_email(&signed_in, "other@nhs.net").await;
    assert_eq!(world.store.tables().await.registrations, before);
    let code = world.last_code().await;
    world.enter_registration_code(&signed_in, &code).await;
    assert_eq!(told_of_a_change(&world).await, ["other@nhs.net", "jane.smith@nhs.net"]);
}

#[tokio::test]
async fn registering_anew_clears_no_failed_attempt_and_lifts_no_lock() {
    let (world, card) = World::registered().await;
    let token = world.begin_unlock(&card).await;
    world.answer_wrong(&token, &card).await;
    let signed_in = world.sign_in(&card).await;
    world.register(&signed_in, &card).await;
    let standing = world.store.tables().await.registrations.into_values().next().unwrap().standing;
    assert_eq!(standing, Standing::Open { failed_attempts: 1 });

    let token = world.begin_unlock(&card).await;
    world.answer_wrong(&token, &card).await;
    world.answer_wrong(&token, &card).await;
    let signed_in = world.sign_in(&card).await;
    let binding = Binding::Session(signed_in.session.id);
    let hello = card.prove(Purpose::Hello, world.services.sign_in.challenge(binding));
    let challenge = world.services.sign_in.confirm_card(binding, &hello, HolderPurpose::Register).await.unwrap();
    let refused = world.services.registration.begin(&signed_in, &card.prove(Purpose::Register, challenge)).await;
    assert!(matches!(refused, Err(RegistrationError::LockedOut)));
}

#[tokio::test]
async fn a_completed_registration_renews_the_session_and_ends_the_others() {
    let (world, card) = World::with_card().await;
    let other = world.sign_in(&card).await;
    let signed_in = world.sign_in(&card).await;
    world.register(&signed_in, &card).await;
    let sessions = world.store.tables().await.sessions;
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0].id, signed_in.session.id);
    assert_ne!(sessions[0].token, signed_in.session.token);
    assert_ne!(sessions[0].id, other.session.id);
}

#[tokio::test]
async fn a_step_that_is_done_cannot_be_done_again_by_another_form() {
    let (world, card) = World::with_card().await;
    let signed_in = world.sign_in(&card).await;
    world.begin_registration(&signed_in, &card).await;
    world.set_questions(&signed_in).await;
    let form = world.form(&signed_in).await;
    let chosen = ANSWERS.map(|(number, answer)| (Some(number), answer));
    let again = world.services.registration.set_questions(&signed_in.session, form, &chosen).await;
    assert!(matches!(again, Err(RegistrationError::WrongStep)));
}

#[tokio::test]
async fn a_registration_ends_after_half_an_hour_without_a_request() {
    let (world, card) = World::with_card().await;
    let signed_in = world.sign_in(&card).await;
    world.begin_registration(&signed_in, &card).await;
    world.clock.advance(Policy::default().flow_idle);
    world.services.registration.extend(&signed_in.session).await.unwrap();
    assert_eq!(world.services.registration.view(&signed_in).await.unwrap(), RegistrationView::NotBegun);
}

#[tokio::test]
async fn a_registration_can_be_kept_alive() {
    let (world, card) = World::with_card().await;
    let signed_in = world.sign_in(&card).await;
    world.begin_registration(&signed_in, &card).await;
    for _ in 0..2 {
        world.clock.advance(Policy::default().flow_idle - time::Duration::seconds(1));
        world.services.registration.extend(&signed_in.session).await.unwrap();
    }
    let view = world.services.registration.view(&signed_in).await.unwrap();
    assert!(matches!(view, RegistrationView::Questions { .. }), "{view:?}");
}

#[tokio::test]
async fn answers_and_codes_stand_nowhere_in_the_store() {
    let (world, card) = World::with_card().await;
    let signed_in = world.sign_in(&card).await;
    world.register(&signed_in, &card).await;
    let code = world.last_code().await.replace('-', "");
    let tables = world.store.tables().await;
    let stored = format!(
        "{:?} {:?} {:?} {:?} {:?}",
        tables.registrations, tables.registration_flows, tables.handled_forms, tables.trail, tables.outbox
    )
    .to_lowercase();
    for (_, answer) in ANSWERS {
        assert!(!stored.contains(&answer.to_lowercase().replace(' ', "")), "{answer}");
    }
    assert!(!stored.contains(&code.to_lowercase()));
}

#[tokio::test]
async fn a_mail_that_somebody_waits_for_is_known_without_its_seal() {
    let (world, card) = World::with_card().await;
    let signed_in = world.sign_in(&card).await;
    world.register(&signed_in, &card).await;
    let outbox = world.store.tables().await.outbox.clone();
    let known: Vec<(bool, bool)> = outbox
        .iter()
        .map(|mail| {
            (mail.holds_code, matches!(mail.open(&OneKeyVault).unwrap().message, Message::RegistrationCode { .. }))
        })
        .collect();
    assert_eq!(known, [(true, true), (false, false)]);
}
