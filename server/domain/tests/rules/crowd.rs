//! More people than can be hashed for, and who is hashed for at all.

use card_protocol::Purpose;
use domain::{
    challenge::Binding,
    change::Change,
    language::Language,
    policy::{Policy, Profile},
    ports::HasherError,
    ra::Action,
    registration::service::{RegistrationError, RegistrationView},
    role::Role,
    sign_in::HolderPurpose,
    unlock::service::{AnswerOutcome, CodeOutcome, Identified, ResendOutcome, UnlockError},
};
use time::Duration;

use crate::{
    desk::{at_desk, order},
    world::{ANSWERS, World},
};

#[tokio::test]
async fn while_many_wait_for_the_hasher_nobody_begins_and_whoever_has_begun_goes_on() {
    let (world, card) = World::registered().await;
    let token = world.begin_unlock(&card).await;
    world.hasher.crowd(true);
    assert_eq!(world.services.unlock.start(&world.token()), Err(HasherError::Busy));
    world.answer_right(&token, &card).await;
    let code = world.last_code().await;
    assert_eq!(world.enter_code(&token, &card, &code).await.unwrap(), CodeOutcome::Right);
    world.hasher.crowd(false);
    world.begin_unlock(&card).await;
}

#[tokio::test]
async fn while_many_wait_for_the_hasher_nobody_begins_to_register_and_the_same_proof_works_later() {
    let (world, card) = World::with_card().await;
    let signed_in = world.sign_in(&card).await;
    let binding = Binding::Session(signed_in.session.id);
    let hello = card.prove(Purpose::Hello, world.services.sign_in.challenge(binding));
    let challenge = world.services.sign_in.confirm_card(binding, &hello, HolderPurpose::Register).await.unwrap();
    let proof = card.prove(Purpose::Register, challenge);
    world.hasher.crowd(true);
    let refused = world.services.registration.begin(&signed_in, &proof).await;
    assert!(matches!(refused, Err(RegistrationError::Hasher(HasherError::Busy))));
    world.hasher.crowd(false);
    world.services.registration.begin(&signed_in, &proof).await.unwrap();
}

#[tokio::test]
async fn while_the_hasher_is_full_no_attempt_is_spent_and_the_same_proof_works_later() {
    let (world, card) = World::registered().await;
    let unlock = &world.services.unlock;
    let token = world.begin_unlock(&card).await;
    let answers = world.right_answers(&token).await;
    let proof = world.attempt(&token, &card).await;
    let (before, mails) = (unlock.view(&token).await.unwrap(), world.mails().await.len());
    world.hasher.fill(true);
    let refused = unlock.answer(&token, &proof, &answers).await;
    assert!(matches!(refused, Err(UnlockError::Hasher(HasherError::Busy))));
    assert_eq!((unlock.view(&token).await.unwrap(), world.mails().await.len()), (before, mails));
    world.hasher.fill(false);
    assert_eq!(unlock.answer(&token, &proof, &answers).await.unwrap(), AnswerOutcome::Right);

    let code = world.last_code().await;
    let proof = world.attempt(&token, &card).await;
    let before = unlock.view(&token).await.unwrap();
    world.hasher.fill(true);
    let refused = unlock.enter_code(&token, &proof, &code).await;
    assert!(matches!(refused, Err(UnlockError::Hasher(HasherError::Busy))));
    assert_eq!(unlock.view(&token).await.unwrap(), before);
    world.clock.advance(Duration::minutes(1));
    let another = world.attempt(&token, &card).await;
    let refused = unlock.resend_code(&token, &another).await;
    assert!(matches!(refused, Err(UnlockError::Hasher(HasherError::Busy))));
    world.hasher.fill(false);
    assert_eq!(unlock.resend_code(&token, &another).await.unwrap(), ResendOutcome::Sent);
    assert_eq!(unlock.enter_code(&token, &proof, &code).await.unwrap(), CodeOutcome::Right);
}

#[tokio::test]
async fn while_the_hasher_is_full_a_registration_stays_where_it_is_and_the_same_form_works_later() {
    let (world, card) = World::with_card().await;
    let signed_in = world.sign_in(&card).await;
    world.begin_registration(&signed_in, &card).await;
    let registration = &world.services.registration;
    let is_busy = |refused: &RegistrationError| matches!(refused, RegistrationError::Hasher(HasherError::Busy));

    let chosen = ANSWERS.map(|(number, answer)| (Some(number), answer));
    let form = world.form(&signed_in).await;
    world.hasher.fill(true);
    assert!(registration.set_questions(&signed_in.session, form, &chosen).await.is_err_and(|fault| is_busy(&fault)));
    assert!(registration.make_recovery_codes(&signed_in.session).await.is_err_and(|fault| is_busy(&fault)));
    world.hasher.fill(false);
    registration.set_questions(&signed_in.session, form, &chosen).await.unwrap();

    let form = world.form(&signed_in).await;
    world.hasher.fill(true);
    let refused = registration.confirm_email(&signed_in, form, "jane@nhs.net").await;
    assert!(refused.is_err_and(|fault| is_busy(&fault)));
    world.hasher.fill(false);
    registration.confirm_email(&signed_in, form, "jane@nhs.net").await.unwrap();

    let code = world.last_code().await;
    let form = world.form(&signed_in).await;
    world.hasher.fill(true);
    let refused = registration.enter_code(&signed_in, form, &code).await;
    assert!(refused.is_err_and(|fault| is_busy(&fault)));
    world.hasher.fill(false);
    registration.enter_code(&signed_in, form, &code).await.unwrap();
}

#[tokio::test]
async fn nothing_is_hashed_for_somebody_without_a_flow_or_within_the_pause() {
    let (world, card) = World::registered().await;
    let token = world.begin_unlock(&card).await;
    world.answer_right(&token, &card).await;
    let hashed = world.hasher.hashed();
    let proof = world.attempt(&token, &card).await;
    let early = world.services.unlock.resend_code(&token, &proof).await.unwrap();
    assert!(matches!(early, ResendOutcome::TooEarly { .. }));
    let nobody = world.services.unlock.resend_code(&world.token(), &proof).await;
    assert!(matches!(nobody, Err(UnlockError::NoFlow)));
    assert_eq!(world.hasher.hashed(), hashed);
}

#[tokio::test]
async fn nothing_is_hashed_for_a_form_of_another_step_or_one_that_was_handled() {
    let (world, card) = World::with_card().await;
    let signed_in = world.sign_in(&card).await;
    let registration = &world.services.registration;
    let chosen = ANSWERS.map(|(number, answer)| (Some(number), answer));
    world.begin_registration(&signed_in, &card).await;
    let questions = world.form(&signed_in).await;
    let early = registration.confirm_email(&signed_in, questions, "jane@nhs.net").await;
    assert!(matches!(early, Err(RegistrationError::WrongStep)));
    assert!(matches!(registration.resend_code(&signed_in, questions).await, Err(RegistrationError::WrongStep)));
    assert_eq!(world.hasher.hashed(), 0);

    registration.set_questions(&signed_in.session, questions, &chosen).await.unwrap();
    let email = world.form(&signed_in).await;
    let hashed = world.hasher.hashed();
    registration.set_questions(&signed_in.session, questions, &chosen).await.unwrap();
    let late = registration.set_questions(&signed_in.session, email, &chosen).await;
    assert!(matches!(late, Err(RegistrationError::WrongStep)));
    assert_eq!(world.hasher.hashed(), hashed);

    registration.confirm_email(&signed_in, email, "jane@nhs.net").await.unwrap();
    let hashed = world.hasher.hashed();
    registration.confirm_email(&signed_in, email, "jane@nhs.net").await.unwrap();
    assert!(matches!(registration.make_recovery_codes(&signed_in.session).await, Err(RegistrationError::WrongStep)));
    assert_eq!(world.hasher.hashed(), hashed);
}

#[tokio::test]
async fn no_code_is_made_within_the_pause_or_for_the_address_on_file() {
    let (world, card) = World::with_card().await;
    let signed_in = world.sign_in(&card).await;
    let registration = &world.services.registration;
    world.begin_registration(&signed_in, &card).await;
    world.set_questions(&signed_in).await;
    world.confirm_email(&signed_in, "jane.smith@nhs.net").await;
    let hashed = world.hasher.hashed();
    let RegistrationView::Code { resend_form, .. } = registration.view(&signed_in).await.unwrap() else {
        panic!("no code was sent")
    };
    for _ in 0..2 {
        let early = registration.resend_code(&signed_in, resend_form).await;
        assert!(matches!(early, Err(RegistrationError::TooEarly { .. })));
    }
    assert_eq!(world.hasher.hashed(), hashed);

    world.enter_registration_code(&signed_in, &world.last_code().await).await;
    let signed_in = world.sign_in(&card).await;
    let binding = Binding::Session(signed_in.session.id);
    let hello = card.prove(Purpose::Hello, world.services.sign_in.challenge(binding));
    let challenge = world.services.changes.confirm_card(&signed_in, &hello, Change::Email).await.unwrap();
    let proof = card.prove(Purpose::Change, challenge);
    world.services.changes.begin_email(&signed_in, &proof).await.unwrap();
    let hashed = world.hasher.hashed();
    let form = world.form(&signed_in).await;
    let same = registration.confirm_email(&signed_in, form, "jane.smith@nhs.net").await;
    assert!(matches!(same, Err(RegistrationError::SameEmail)));
    assert_eq!(world.hasher.hashed(), hashed);
}

#[tokio::test]
async fn where_an_unlock_begins_with_a_code_none_is_made_for_a_card_that_may_not_begin() {
    let policy = Policy { profile: Profile::CodeOnly, unlocks_an_hour: 1, ..Policy::default() };
    let (world, card) = World::with_card_under(policy).await;
    world.begin_unlock(&card).await;
    assert_eq!(world.hasher.hashed(), 1);
    let browser = world.token();
    let proof = card.prove(Purpose::Unlock, world.services.unlock.start(&browser).unwrap());
    for _ in 0..2 {
        let refused = world.services.unlock.identify(&browser, &proof, Language::English).await;
        assert!(matches!(refused, Err(UnlockError::TooOften { .. })));
    }
    world.clock.advance(Duration::hours(1));
    let ray = at_desk(&world, 7, Role::RaAgent).await;
    ray.act(&world, &order(Action::CancelCard { card: card.guid })).await.unwrap();
    assert!(matches!(world.identify(&card).await, Identified::DeadEnd(_)));
    assert_eq!(world.hasher.hashed(), 1);
}

#[tokio::test]
async fn one_proof_is_hashed_for_once_however_often_it_is_sent_at_once() {
    let (world, card) = World::registered().await;
    let unlock = &world.services.unlock;
    let token = world.begin_unlock(&card).await;
    let answers = world.right_answers(&token).await;
    let proof = world.attempt(&token, &card).await;
    let before = world.hasher.hashed();
    let sent = || unlock.answer(&token, &proof, &answers);
    let (first, second, third) = tokio::join!(sent(), sent(), sent());
    for outcome in [first, second, third] {
        assert_eq!(outcome.unwrap(), AnswerOutcome::Right);
    }
    assert_eq!(world.hasher.hashed() - before, answers.len() as u64 + 1, "the answers and a code");

    let code = world.last_code().await;
    let proof = world.attempt(&token, &card).await;
    let before = world.hasher.hashed();
    let sent = || unlock.enter_code(&token, &proof, &code);
    let (first, second) = tokio::join!(sent(), sent());
    assert_eq!((first.unwrap(), second.unwrap()), (CodeOutcome::Right, CodeOutcome::Right));
    assert_eq!(world.hasher.hashed() - before, 1);
}
