//! Recovery codes in place of security questions.

use domain::{
    mail::Message,
    recovery::{RECOVERY_CODES, RecoveryCode},
    registration::service::RegistrationCodeOutcome,
    token::Token,
    trail::Event,
    unlock::service::{AnswerOutcome, CodeOutcome, DeadEndReason, FlowPurpose, Identified, UnlockError, UnlockView},
};

use crate::{software_card::SoftwareCard, world::World};

/// Jane registers with recovery codes, and gets them.
pub async fn register_with_recovery_codes(world: &World, card: &SoftwareCard) -> Vec<String> {
    let signed_in = world.sign_in(card).await;
    world.begin_registration(&signed_in, card).await;
    let codes = world.services.registration.make_recovery_codes(&signed_in.session).await.unwrap();
    world.confirm_email(&signed_in, "jane.smith@nhs.net").await;
    let code = world.last_code().await;
    let entered = world.enter_registration_code(&signed_in, &code).await;
    assert!(matches!(entered.outcome, RegistrationCodeOutcome::Registered));
    world.clock.advance(time::Duration::hours(2));
    codes.iter().map(|code: &RecoveryCode| code.display().to_string()).collect()
}

pub async fn enter(
    world: &World,
    token: &Token,
    card: &SoftwareCard,
    code: &str,
) -> Result<AnswerOutcome, UnlockError> {
    let proof = world.attempt(token, card).await;
    world.services.unlock.enter_recovery_code(token, &proof, code).await
}

async fn registered() -> (World, SoftwareCard, Vec<String>) {
    let (world, card) = World::with_card().await;
    let codes = register_with_recovery_codes(&world, &card).await;
    (world, card, codes)
}

#[tokio::test]
async fn ten_codes_are_stored_as_hashes_and_each_unlocks_once() {
    let (world, card, codes) = registered().await;
    assert_eq!(codes.len(), RECOVERY_CODES);
    let stored = format!("{:?}", world.store.tables().await.registrations);
    assert_eq!(world.store.tables().await.registrations.values().next().unwrap().recovery_codes.len(), RECOVERY_CODES);
    for code in &codes {
        let letters = code.replace('-', "");
        assert!(!stored.contains(code.as_str()) && !stored.contains(&format!("\"{letters}\"")), "{stored}");
    }

    let token = world.begin_unlock(&card).await;
    let view = world.services.unlock.view(&token).await.unwrap();
    assert_eq!(view, UnlockView::RecoveryCode { attempts_left: 3 });
    assert_eq!(enter(&world, &token, &card, &codes[3].to_lowercase()).await.unwrap(), AnswerOutcome::Right);
    let mail = world.mails().await.into_iter().next_back().unwrap();
    assert!(matches!(mail.message, Message::UnlockCode { .. }));
    let code = world.last_code().await;
    assert_eq!(world.enter_code(&token, &card, &code).await.unwrap(), CodeOutcome::Right);

    let token = world.begin_unlock(&card).await;
    assert_eq!(enter(&world, &token, &card, &codes[3]).await.unwrap(), AnswerOutcome::Wrong { attempts_left: 2 });
    assert_eq!(enter(&world, &token, &card, &codes[4]).await.unwrap(), AnswerOutcome::Right);
    let trail = world.trail().await;
    assert_eq!(trail.iter().filter(|entry| entry.event == Event::RecoveryCodeEntered).count(), 3);
}

#[tokio::test]
async fn three_wrong_codes_lock_self_service_and_what_is_none_spends_nothing() {
    let (world, card, codes) = registered().await;
    let token = world.begin_unlock(&card).await;
    for typed in ["", "KTRW-MGBD", "12345678"] {
        assert!(matches!(enter(&world, &token, &card, typed).await, Err(UnlockError::NotARecoveryCode(_))), "{typed}");
    }
    for attempts_left in [2, 1] {
        let first = &codes[0][..1];
        let wrong = format!("{first}BBB-BBBB-BBBB");
        assert_eq!(enter(&world, &token, &card, &wrong).await.unwrap(), AnswerOutcome::Wrong { attempts_left });
    }
    let last = enter(&world, &token, &card, "BBBB-BBBB-BBBB").await.unwrap();
    assert!(matches!(last, AnswerOutcome::LockedOut(_)));
    let right = enter(&world, &token, &card, &codes[1]).await;
    assert!(matches!(right, Err(UnlockError::WrongStep | UnlockError::DeadEnd { .. })));
    let Identified::DeadEnd(end) = world.identify(&card).await else { panic!("a flow") };
    assert_eq!(end.reason, DeadEndReason::LockedOut);
}

#[tokio::test]
async fn one_post_is_counted_once_and_one_code_used_once_however_many_come_at_once() {
    let (world, card, codes) = registered().await;
    let token = world.begin_unlock(&card).await;
    let proof = world.attempt(&token, &card).await;
    for _ in 0..3 {
        let wrong = world.services.unlock.enter_recovery_code(&token, &proof, "BBBB-BBBB-BBBB").await.unwrap();
        assert_eq!(wrong, AnswerOutcome::Wrong { attempts_left: 2 });
    }
    let challenges = [
        world.flow_challenge(&token, FlowPurpose::Attempt).await,
        world.flow_challenge(&token, FlowPurpose::Attempt).await,
    ];
    let [first, second] = challenges.map(|challenge| card.prove(card_protocol::Purpose::Attempt, challenge));
    let service = &world.services.unlock;
    let (first, second) = tokio::join!(
        service.enter_recovery_code(&token, &first, &codes[0]),
        service.enter_recovery_code(&token, &second, &codes[0]),
    );
    let right = [first, second].into_iter().filter(|outcome| matches!(outcome, Ok(AnswerOutcome::Right))).count();
    assert_eq!(right, 1);
    assert_eq!(world.store.tables().await.registrations.values().next().unwrap().recovery_codes.len(), 9);
}

#[tokio::test]
async fn questions_that_are_set_later_end_the_codes() {
    let (world, card, codes) = registered().await;
    let signed_in = world.sign_in(&card).await;
    world.register(&signed_in, &card).await;
    world.clock.advance(time::Duration::hours(2));
    let token = world.begin_unlock(&card).await;
    assert!(matches!(world.services.unlock.view(&token).await.unwrap(), UnlockView::Questions { .. }));
    assert!(matches!(enter(&world, &token, &card, &codes[0]).await, Err(UnlockError::WrongStep)));
}

#[tokio::test]
async fn without_a_code_left_only_the_ra_can_help() {
    let (world, card, codes) = registered().await;
    for code in &codes {
        let token = world.begin_unlock(&card).await;
        assert_eq!(enter(&world, &token, &card, code).await.unwrap(), AnswerOutcome::Right);
        world.clock.advance(time::Duration::hours(1));
    }
    let Identified::DeadEnd(end) = world.identify(&card).await else { panic!("a flow") };
    assert_eq!(end.reason, DeadEndReason::NotRegistered);
}
