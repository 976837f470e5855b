//! The profiles beside the classic one: what they ask for, and in which order.

use card_protocol::Purpose;
use domain::{
    challenge::Binding,
    email::EmailAddress,
    enrolment::{NewCard, NewHolder},
    language::Language,
    policy::{Policy, Profile},
    registration::service::RegistrationError,
    sign_in::HolderPurpose,
    unlock::service::{AnswerOutcome, CodeOutcome, DeadEndReason, Identified, UnlockView},
};
use time::Duration;

use crate::{
    recovery::{enter, register_with_recovery_codes},
    software_card::SoftwareCard,
    world::{ORIGIN, World, new_card, wrong_code},
};

fn policy(profile: Profile) -> Policy {
    Policy { profile, code_life: profile.code_life(), ..Policy::default() }
}

#[tokio::test]
async fn code_only_asks_whoever_has_the_card_for_the_code_that_the_address_of_the_ra_gets() {
    let (world, card) = World::with_card_under(policy(Profile::CodeOnly)).await;
    let token = world.begin_unlock(&card).await;
    let mail = world.mails().await.into_iter().next_back().unwrap();
    assert_eq!(mail.to, EmailAddress::parse("jane.smith@nhs.net").unwrap());
    assert!(matches!(world.services.unlock.view(&token).await.unwrap(), UnlockView::Code { .. }));
    let code = world.last_code().await;
    assert_eq!(world.enter_code(&token, &card, &code).await.unwrap(), CodeOutcome::Right);
    assert!(matches!(world.services.unlock.view(&token).await.unwrap(), UnlockView::Passcode(_)));
}

#[tokio::test]
async fn where_nobody_signs_in_a_mail_is_in_the_language_of_the_page() {
    for (profile, expected) in [(Profile::CodeOnly, Language::Welsh), (Profile::Strict, Language::English)] {
        let (world, card) = World::with_card_under(policy(profile)).await;
        if profile == Profile::Strict {
            register_with_recovery_codes(&world, &card).await;
        }
        let unlock = &world.services.unlock;
        let browser = world.token();
        let proof = card.prove(Purpose::Unlock, unlock.start(&browser).unwrap());
        assert!(matches!(unlock.identify(&browser, &proof, Language::Welsh).await, Ok(Identified::Flow(_))));
        assert_eq!(world.mails().await.last().unwrap().language, expected, "{profile:?}");
    }
}

#[tokio::test]
async fn in_code_only_too_three_failed_attempts_are_three() {
    let (world, card) = World::with_card_under(policy(Profile::CodeOnly)).await;
    for attempt in 1..=3 {
        let token = world.begin_unlock(&card).await;
        for _ in 0..4 {
            let wrong = world.enter_code(&token, &card, &wrong_code()).await.unwrap();
            assert!(matches!(wrong, CodeOutcome::Wrong { .. }));
        }
        let last = world.enter_code(&token, &card, &wrong_code()).await.unwrap();
        match attempt {
            3 => assert!(matches!(last, CodeOutcome::LockedOut(_))),
            attempt => assert_eq!(last, CodeOutcome::TriesUsedUp { attempts_left: 3 - attempt }),
        }
    }
    let Identified::DeadEnd(end) = world.identify(&card).await else { panic!("a flow") };
    assert_eq!(end.reason, DeadEndReason::LockedOut);
}

#[tokio::test]
async fn in_code_only_whoever_has_no_address_needs_the_ra_and_gets_no_registration() {
    let world = World::under(policy(Profile::CodeOnly));
    let card = SoftwareCard::new(1, ORIGIN);
    let new = new_card(&card, "1001");
    let holder = NewHolder { email: None, ..new.holder };
    world.services.enrolment.enrol(&NewCard { holder, ..new }).await.unwrap();
    let Identified::DeadEnd(end) = world.identify(&card).await else { panic!("a flow") };
    assert_eq!(end.reason, DeadEndReason::NoAddress);
    assert!(world.mails().await.is_empty() && world.store.tables().await.registrations.is_empty());
}

#[tokio::test]
async fn a_proof_that_does_not_hold_has_no_code_made_and_no_mail_sent() {
    let (world, card) = World::with_card_under(policy(Profile::CodeOnly)).await;
    let (browser, other) = (world.token(), SoftwareCard::new(9, ORIGIN));
    for forger in [&other, &card] {
        let challenge = world.services.unlock.start(&world.token()).unwrap();
        let proof = forger.prove(Purpose::Unlock, challenge);
        assert!(world.services.unlock.identify(&browser, &proof, Language::English).await.is_err());
    }
    assert_eq!((world.hasher.hashed(), world.mails().await.len()), (0, 0));
    assert!(world.store.tables().await.registrations.is_empty());
}

#[tokio::test]
async fn in_code_only_nobody_registers() {
    let (world, card) = World::with_card_under(policy(Profile::CodeOnly)).await;
    let signed_in = world.sign_in(&card).await;
    let binding = Binding::Session(signed_in.session.id);
    let hello = card.prove(Purpose::Hello, world.services.sign_in.challenge(binding));
    let challenge = world.services.sign_in.confirm_card(binding, &hello, HolderPurpose::Register).await.unwrap();
    let refused = world.services.registration.begin(&signed_in, &card.prove(Purpose::Register, challenge)).await;
    assert!(matches!(refused, Err(RegistrationError::NotOffered)), "{refused:?}");
    assert!(world.store.tables().await.registration_flows.is_empty());
}

#[tokio::test]
async fn strict_asks_for_the_code_and_then_for_a_recovery_code() {
    let (world, card) = World::with_card_under(policy(Profile::Strict)).await;
    let codes = register_with_recovery_codes(&world, &card).await;
    let token = world.begin_unlock(&card).await;
    assert!(matches!(world.services.unlock.view(&token).await.unwrap(), UnlockView::Code { .. }));
    let code = world.last_code().await;
    assert_eq!(world.enter_code(&token, &card, &code).await.unwrap(), CodeOutcome::Right);
    assert_eq!(world.services.unlock.view(&token).await.unwrap(), UnlockView::RecoveryCode { attempts_left: 3 });
    let wrong = enter(&world, &token, &card, "BBBB-BBBB-BBBB").await.unwrap();
    assert_eq!(wrong, AnswerOutcome::Wrong { attempts_left: 2 });
    let mails = world.mails().await.len();
    assert_eq!(enter(&world, &token, &card, &codes[0]).await.unwrap(), AnswerOutcome::RightAndLast);
    assert_eq!(world.mails().await.len(), mails, "the code was before");
    assert!(matches!(world.services.unlock.view(&token).await.unwrap(), UnlockView::Passcode(_)));
}

#[tokio::test]
async fn in_strict_a_code_lives_ten_minutes_and_nobody_sets_questions() {
    let (world, card) = World::with_card_under(policy(Profile::Strict)).await;
    let signed_in = world.sign_in(&card).await;
    world.begin_registration(&signed_in, &card).await;
    let form = world.form(&signed_in).await;
    let chosen = crate::world::ANSWERS.map(|(number, answer)| (Some(number), answer));
    let set = world.services.registration.set_questions(&signed_in.session, form, &chosen).await;
    assert!(matches!(set, Err(RegistrationError::WrongStep)));

    register_with_recovery_codes(&world, &card).await;
    let token = world.begin_unlock(&card).await;
    let code = world.last_code().await;
    world.clock.advance(Duration::minutes(11));
    let late = world.enter_code(&token, &card, &code).await.unwrap();
    assert!(matches!(late, CodeOutcome::Expired { .. }));
}
