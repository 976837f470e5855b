//! Unlocking.

use card_protocol::{Purpose, UnlockKey, sealed::Candidates};
use domain::{
    ProofFault,
    card::CardState,
    code::NotACode,
    language::Language,
    mail::Message,
    milestone::{FlowKind, Milestone, Stage, StageEnd},
    policy::Policy,
    registration::Standing,
    unlock::{
        EndReason,
        service::{
            AnswerOutcome, CodeOutcome, DeadEndReason, FlowPurpose, Identified, PasscodeView, ResendOutcome,
            UnlockError, UnlockView,
        },
    },
    unlock_key::KeyRingState,
};
use time::Duration;

use crate::{
    software_card::SoftwareCard,
    world::{ORIGIN, World, new_card, service_secret, wrong_code},
};

/// Proves, receives the unlock keys, and lets the card take them.
async fn release_and_take(
    world: &World,
    token: &domain::token::Token,
    card: &mut SoftwareCard,
) -> card_protocol::CardProof {
    let proof = card.prove(Purpose::Release, world.flow_challenge(token, FlowPurpose::Release).await);
    let sealed = world.services.unlock.release(token, &proof).await.unwrap();
    let keys = card.open(&service_secret(), &proof, &sealed);
    assert!(card.take(&keys), "no candidate fits the card");
    card.prove(Purpose::Unlocked, keys.completion)
}

async fn standing(world: &World) -> Standing {
    world.store.tables().await.registrations.into_values().next().unwrap().standing
}

#[tokio::test]
async fn right_answers_the_code_and_the_completion_proof_unlock_a_card() {
    let (world, mut card) = World::registered().await;
    let before = card.unlock_key.clone();
    let token = world.reach_passcode(&card).await;
    let completion = release_and_take(&world, &token, &mut card).await;
    world.services.unlock.complete(&token, &completion).await.unwrap();
    assert!(card.unlock_key != before, "the card has a fresh unlock key");
    assert_eq!(world.services.unlock.view(&token).await.unwrap(), UnlockView::Completed);
    assert!(matches!(world.mails().await.last().unwrap().message, Message::CardUnlocked));
    let ring = world.store.tables().await.key_rings.into_values().next().unwrap();
    assert!(matches!(ring.state, KeyRingState::Settled { .. }));
}

#[tokio::test]
async fn an_unlock_can_be_done_twice() {
    let (world, mut card) = World::registered().await;
    for _ in 0..2 {
        let token = world.reach_passcode(&card).await;
        let completion = release_and_take(&world, &token, &mut card).await;
        world.services.unlock.complete(&token, &completion).await.unwrap();
        world.clock.advance(Duration::hours(1));
    }
}

#[tokio::test]
async fn no_question_before_a_genuine_card() {
    let (world, card) = World::registered().await;
    let browser = world.token();
    let identify = async |proof| world.services.unlock.identify(&browser, &proof, Language::English).await;
    let unknown = SoftwareCard::new(9, ORIGIN);
    let wrong_slot = card.prove_with_other_slot(Purpose::Unlock, world.services.unlock.start(&browser).unwrap());
    let wrong_purpose = card.prove(Purpose::Hello, world.services.unlock.start(&browser).unwrap());
    let elsewhere = SoftwareCard::new(1, "https://elsewhere.test");
    for proof in [
        unknown.prove(Purpose::Unlock, world.services.unlock.start(&browser).unwrap()),
        elsewhere.prove(Purpose::Unlock, world.services.unlock.start(&browser).unwrap()),
        wrong_slot,
        wrong_purpose,
    ] {
        assert!(matches!(identify(proof).await, Err(UnlockError::Proof(ProofFault::Refused))));
    }
}

#[tokio::test]
async fn an_attempt_without_the_card_of_the_flow_spends_nothing() {
    let (world, card) = World::registered().await;
    let other = SoftwareCard::new(2, ORIGIN);
    world.services.enrolment.enrol(&new_card(&other, "1002")).await.unwrap();
    let token = world.begin_unlock(&card).await;
    let answers = world.wrong_answers(&token).await;
    let refused = world.answer(&token, &other, &answers).await;
    assert!(matches!(refused, Err(UnlockError::Proof(ProofFault::Refused))));
    let wrong_slot =
        card.prove_with_other_slot(Purpose::Attempt, world.flow_challenge(&token, FlowPurpose::Attempt).await);
    assert!(world.services.unlock.answer(&token, &wrong_slot, &answers).await.is_err());
    let wrong_purpose = card.prove(Purpose::Release, world.flow_challenge(&token, FlowPurpose::Release).await);
    assert!(world.services.unlock.answer(&token, &wrong_purpose, &answers).await.is_err());
    assert_eq!(standing(&world).await, Standing::Open { failed_attempts: 0 });
}

#[tokio::test]
async fn a_challenge_of_another_flow_is_refused() {
    let (world, card) = World::registered().await;
    let first = world.begin_unlock(&card).await;
    let challenge = world.flow_challenge(&first, FlowPurpose::Attempt).await;
    let second = world.begin_unlock(&card).await;
    let answers = world.right_answers(&second).await;
    let refused = world.services.unlock.answer(&second, &card.prove(Purpose::Attempt, challenge), &answers).await;
    assert!(matches!(refused, Err(UnlockError::Proof(ProofFault::Refused))));
}

#[tokio::test]
async fn three_failed_attempts_lock_self_service_for_every_flow_and_card_of_the_person() {
    let (world, card) = World::registered().await;
    let second = SoftwareCard::new(2, ORIGIN);
    world.services.enrolment.enrol(&new_card(&second, "1001")).await.unwrap();
    let first = world.begin_unlock(&card).await;
    assert_eq!(world.answer_wrong(&first, &card).await, AnswerOutcome::Wrong { attempts_left: 2 });
    let other_flow = world.begin_unlock(&card).await;
    assert_eq!(world.answer_wrong(&other_flow, &card).await, AnswerOutcome::Wrong { attempts_left: 1 });
    let other_card = world.begin_unlock(&second).await;
    let AnswerOutcome::LockedOut(end) = world.answer_wrong(&other_card, &second).await else { panic!("not locked") };
    // A page that is loaded again shows the same reference.
    let ended = UnlockView::Ended { reason: EndReason::LockedOut, reference: Some(end.reference) };
    assert_eq!(world.services.unlock.view(&other_card).await.unwrap(), ended);

    for card in [&card, &second] {
        let Identified::DeadEnd(end) = world.identify(card).await else { panic!("a flow was opened") };
        assert_eq!(end.reason, DeadEndReason::LockedOut);
    }
    let answers = world.right_answers(&other_flow).await;
    let refused = world.answer(&other_flow, &card, &answers).await;
    let Err(UnlockError::DeadEnd { reason: DeadEndReason::LockedOut, reference: Some(reference) }) = refused else {
        panic!("not refused")
    };
    let noted = world.trail().await.into_iter().any(|entry| entry.reference.as_ref() == Some(&reference));
    assert!(noted, "the RA finds what is quoted");
    assert!(matches!(world.mails().await.last().unwrap().message, Message::SelfServiceLocked));
}

#[tokio::test]
async fn of_many_wrong_answers_at_once_three_count_and_no_right_one_passes_after_the_third() {
    let (world, card) = World::registered().await;
    let token = world.begin_unlock(&card).await;
    let (wrong, right) = (world.wrong_answers(&token).await, world.right_answers(&token).await);
    let mut attempts = Vec::new();
    let servers: Vec<_> = (0..10).map(|_| world.another_server()).collect();
    for number in 0..60 {
        let proof = world.attempt(&token, &card).await;
        let answers = if number % 10 == 9 { right.clone() } else { wrong.clone() };
        let (unlock, token) = (servers[number % servers.len()].unlock.clone(), token.clone());
        attempts.push(tokio::spawn(async move { unlock.answer(&token, &proof, &answers).await }));
    }
    let mut failed = 0;
    let mut right_after_third = 0;
    for attempt in attempts {
        match attempt.await.unwrap() {
            Ok(AnswerOutcome::Wrong { .. } | AnswerOutcome::LockedOut(_)) => failed += 1,
            Ok(AnswerOutcome::Right | AnswerOutcome::RightAndLast) => right_after_third += failed / 3,
            Err(_) => {}
        }
    }
    let trail = world.store.tables().await.trail;
    let counted =
        trail.iter().filter(|record| record.entry.contains("questions-answered") && record.entry.contains("refused"));
    assert_eq!(counted.count(), failed);
    assert!(failed <= 3);
    assert_eq!(right_after_third, 0);
}

#[tokio::test]
async fn a_right_answer_that_is_overtaken_by_the_third_failure_on_another_card_does_not_pass() {
    let (world, card) = World::registered().await;
    let second = SoftwareCard::new(2, ORIGIN);
    world.services.enrolment.enrol(&new_card(&second, "1001")).await.unwrap();
    let (first_flow, second_flow) = (world.begin_unlock(&card).await, world.begin_unlock(&second).await);
    world.answer_wrong(&second_flow, &second).await;
    world.answer_wrong(&second_flow, &second).await;
    let (right, wrong) = (world.right_answers(&first_flow).await, world.wrong_answers(&second_flow).await);
    // Right answers take one hash longer, the code's: the third failure is counted meanwhile.
    let proof = world.attempt(&second_flow, &second).await;
    let elsewhere = world.another_server().unlock;
    let (right, wrong) =
        tokio::join!(world.answer(&first_flow, &card, &right), elsewhere.answer(&second_flow, &proof, &wrong));
    assert!(matches!(wrong, Ok(AnswerOutcome::LockedOut(_))));
    assert!(matches!(right, Err(UnlockError::DeadEnd { reason: DeadEndReason::LockedOut, .. })));
}

#[tokio::test]
async fn a_repeated_post_spends_no_attempt_and_no_try() {
    let (world, card) = World::registered().await;
    let token = world.begin_unlock(&card).await;
    let proof = world.attempt(&token, &card).await;
    let answers = world.wrong_answers(&token).await;
    for _ in 0..4 {
        let outcome = world.services.unlock.answer(&token, &proof, &answers).await.unwrap();
        assert_eq!(outcome, AnswerOutcome::Wrong { attempts_left: 2 });
    }
    world.answer_right(&token, &card).await;
    let proof = world.attempt(&token, &card).await;
    for _ in 0..6 {
        let outcome = world.services.unlock.enter_code(&token, &proof, &wrong_code()).await.unwrap();
        assert_eq!(outcome, CodeOutcome::Wrong { tries_left: 4 });
    }
}

#[tokio::test]
async fn missing_answers_and_what_is_no_code_spend_nothing() {
    let (world, card) = World::registered().await;
    let token = world.begin_unlock(&card).await;
    let mut answers = world.right_answers(&token).await;
    " - ".clone_into(&mut answers[1].1);
    assert!(matches!(world.answer(&token, &card, &answers).await, Err(UnlockError::AnswersMissing)));
    answers.pop();
    assert!(matches!(world.answer(&token, &card, &answers).await, Err(UnlockError::AnswersMissing)));
    assert_eq!(standing(&world).await, Standing::Open { failed_attempts: 0 });
    world.answer_right(&token, &card).await;
    let refused = world.enter_code(&token, &card, "12345678").await;
    assert!(matches!(refused, Err(UnlockError::NotACode(NotACode::Letters))));
}

#[tokio::test]
async fn answers_are_compared_folded() {
    let (world, card) = World::registered().await;
    let token = world.begin_unlock(&card).await;
    let mut answers = world.right_answers(&token).await;
    for (_, answer) in &mut answers {
        *answer = format!("  {}! ", answer.to_uppercase());
    }
    assert_eq!(world.answer(&token, &card, &answers).await.unwrap(), AnswerOutcome::Right);
}

#[tokio::test]
async fn an_unlock_code_works_once_in_its_flow_and_time() {
    let (world, card) = World::registered().await;
    let first = world.begin_unlock(&card).await;
    world.answer_right(&first, &card).await;
    let code = world.last_code().await;

    let second = world.begin_unlock(&card).await;
    world.answer_right(&second, &card).await;
    assert_eq!(world.enter_code(&second, &card, &code).await.unwrap(), CodeOutcome::Wrong { tries_left: 4 });

    let late = world.last_code().await;
    world.clock.advance(Duration::minutes(15));
    assert_eq!(world.enter_code(&second, &card, &late).await.unwrap(), CodeOutcome::Expired { resent: true });
    let code = world.last_code().await;
    assert_eq!(world.enter_code(&second, &card, &code).await.unwrap(), CodeOutcome::Right);
    assert!(matches!(world.enter_code(&second, &card, &code).await, Err(UnlockError::WrongStep)));
}

#[tokio::test]
async fn five_wrong_codes_end_the_flow_and_count_as_one_failed_attempt() {
    let (world, card) = World::registered().await;
    let token = world.begin_unlock(&card).await;
    world.answer_right(&token, &card).await;
    for left in (1..5).rev() {
        let outcome = world.enter_code(&token, &card, &wrong_code()).await.unwrap();
        assert_eq!(outcome, CodeOutcome::Wrong { tries_left: left });
    }
    let outcome = world.enter_code(&token, &card, &wrong_code()).await.unwrap();
    assert_eq!(outcome, CodeOutcome::TriesUsedUp { attempts_left: 2 });
    let ended = UnlockView::Ended { reason: EndReason::CodeTriesUsedUp, reference: None };
    assert_eq!(world.services.unlock.view(&token).await.unwrap(), ended);
    assert_eq!(standing(&world).await, Standing::Open { failed_attempts: 1 });
}

#[tokio::test]
async fn the_questions_stay_the_same_until_an_unlock_completes() {
    let (world, card) = World::registered().await;
    let asked = async || {
        let token = world.begin_unlock(&card).await;
        let UnlockView::Questions { asked, .. } = world.services.unlock.view(&token).await.unwrap() else {
            panic!("no questions");
        };
        asked
    };
    let first = asked().await;
    assert_eq!(first.len(), 3);
    for _ in 0..10 {
        assert_eq!(asked().await, first);
    }
}

#[tokio::test]
async fn a_completed_unlock_clears_the_failed_attempts() {
    let (world, mut card) = World::registered().await;
    let token = world.begin_unlock(&card).await;
    world.answer_wrong(&token, &card).await;
    let token = world.reach_passcode(&card).await;
    assert_eq!(standing(&world).await, Standing::Open { failed_attempts: 1 });
    let completion = release_and_take(&world, &token, &mut card).await;
    world.services.unlock.complete(&token, &completion).await.unwrap();
    assert_eq!(standing(&world).await, Standing::Open { failed_attempts: 0 });
}

#[tokio::test]
async fn nothing_is_released_before_the_code() {
    let (world, card) = World::registered().await;
    let token = world.begin_unlock(&card).await;
    let proof = card.prove(Purpose::Release, world.flow_challenge(&token, FlowPurpose::Release).await);
    assert!(matches!(world.services.unlock.release(&token, &proof).await, Err(UnlockError::WrongStep)));
    world.answer_right(&token, &card).await;
    let proof = card.prove(Purpose::Release, world.flow_challenge(&token, FlowPurpose::Release).await);
    assert!(matches!(world.services.unlock.release(&token, &proof).await, Err(UnlockError::WrongStep)));
}

#[tokio::test]
async fn a_release_that_was_cut_is_repeated_with_both_keys_until_one_completes() {
    let (world, mut card) = World::registered().await;
    let token = world.reach_passcode(&card).await;
    // Cut after the card took the key, before it was reported: three times.
    for _ in 0..3 {
        release_and_take(&world, &token, &mut card).await;
        assert_eq!(world.services.unlock.view(&token).await.unwrap(), UnlockView::Passcode(PasscodeView::Again));
    }
    let completion = release_and_take(&world, &token, &mut card).await;
    world.services.unlock.complete(&token, &completion).await.unwrap();
    assert_eq!(world.store.tables().await.unlock_keys.len(), 2, "the pending key was used again each time");
}

#[tokio::test]
async fn a_release_that_never_reached_the_card_loses_nothing() {
    let (world, mut card) = World::registered().await;
    let token = world.reach_passcode(&card).await;
    for _ in 0..2 {
        let proof = card.prove(Purpose::Release, world.flow_challenge(&token, FlowPurpose::Release).await);
        world.services.unlock.release(&token, &proof).await.unwrap();
    }
    world.clock.advance(Duration::hours(1));
    let token = world.reach_passcode(&card).await;
    let completion = release_and_take(&world, &token, &mut card).await;
    world.services.unlock.complete(&token, &completion).await.unwrap();
}

#[tokio::test]
async fn a_release_whose_commit_fails_reveals_nothing_and_changes_nothing() {
    let (world, mut card) = World::registered().await;
    let token = world.reach_passcode(&card).await;
    let proof = card.prove(Purpose::Release, world.flow_challenge(&token, FlowPurpose::Release).await);
    world.store.break_commits(true);
    assert!(matches!(world.services.unlock.release(&token, &proof).await, Err(UnlockError::Store(_))));
    world.store.break_commits(false);
    assert_eq!(world.store.tables().await.unlock_keys.len(), 1);
    let completion = release_and_take(&world, &token, &mut card).await;
    world.services.unlock.complete(&token, &completion).await.unwrap();
}

#[tokio::test]
async fn the_released_keys_open_under_the_connection_that_the_card_vouched_for_only() {
    let (world, card) = World::registered().await;
    let token = world.reach_passcode(&card).await;
    let mut proof = card.prove(Purpose::Release, world.flow_challenge(&token, FlowPurpose::Release).await);
    proof.connection_key = SoftwareCard::new(7, ORIGIN).connection.public();
    let swapped = world.services.unlock.release(&token, &proof).await;
    assert!(matches!(swapped, Err(UnlockError::Proof(ProofFault::Refused))));
}

#[tokio::test]
async fn a_release_proof_works_once() {
    let (world, card) = World::registered().await;
    let token = world.reach_passcode(&card).await;
    let proof = card.prove(Purpose::Release, world.flow_challenge(&token, FlowPurpose::Release).await);
    world.services.unlock.release(&token, &proof).await.unwrap();
    let again = world.services.unlock.release(&token, &proof).await;
    assert!(matches!(again, Err(UnlockError::Proof(ProofFault::Stale))));
}

#[tokio::test]
async fn a_completion_that_the_card_did_not_sign_promotes_nothing() {
    let (world, mut card) = World::registered().await;
    let token = world.reach_passcode(&card).await;
    let proof = card.prove(Purpose::Release, world.flow_challenge(&token, FlowPurpose::Release).await);
    let sealed = world.services.unlock.release(&token, &proof).await.unwrap();
    let keys = card.open(&service_secret(), &proof, &sealed);
    let complete = async |proof| world.services.unlock.complete(&token, &proof).await;
    let forged = card.prove_with_other_slot(Purpose::Unlocked, keys.completion);
    assert!(complete(forged).await.is_err());
    let other_challenge = card.prove(Purpose::Unlocked, proof.challenge);
    assert!(complete(other_challenge).await.is_err());
    let other_card = SoftwareCard::new(2, ORIGIN).prove(Purpose::Unlocked, keys.completion);
    assert!(complete(other_card).await.is_err());
    let ring = world.store.tables().await.key_rings.into_values().next().unwrap();
    assert!(matches!(ring.state, KeyRingState::Unresolved { .. }));
    card.take(&keys);
    let completion = card.prove(Purpose::Unlocked, keys.completion);
    complete(completion.clone()).await.unwrap();
    complete(completion).await.expect("the same proof again is answered alike");
}

#[tokio::test]
async fn after_refused_keys_nothing_is_released_without_the_ra() {
    let (world, mut card) = World::registered().await;
    card.unlock_key = UnlockKey::new([99; 8]);
    let token = world.reach_passcode(&card).await;
    let early = world.attempt(&token, &card).await;
    assert!(matches!(world.services.unlock.refused(&token, &early).await, Err(UnlockError::WrongStep)));
    let proof = card.prove(Purpose::Release, world.flow_challenge(&token, FlowPurpose::Release).await);
    let sealed = world.services.unlock.release(&token, &proof).await.unwrap();
    let keys = card.open(&service_secret(), &proof, &sealed);
    assert!(matches!(keys.candidates, Candidates::One(_)));
    assert!(!card.take(&keys));
    let proof = world.attempt(&token, &card).await;
    let end = world.services.unlock.refused(&token, &proof).await.unwrap();
    assert_eq!(end.reason, DeadEndReason::UnlockKeyRefused);
    let ended = UnlockView::Ended { reason: EndReason::UnlockKeyRefused, reference: Some(end.reference) };
    assert_eq!(world.services.unlock.view(&token).await.unwrap(), ended);
    let state = world.store.tables().await.cards.into_values().next().unwrap().state;
    assert_eq!(state, CardState::UnlockKeyUnknown);
    assert!(matches!(world.mails().await.last().unwrap().message, Message::UnlockKeyRefused));
    let Identified::DeadEnd(end) = world.identify(&card).await else { panic!("a flow was opened") };
    assert_eq!(end.reason, DeadEndReason::UnlockKeyRefused);
}

#[tokio::test]
async fn a_new_flow_of_a_card_ends_the_earlier_one() {
    let (world, card) = World::registered().await;
    let first = world.begin_unlock(&card).await;
    world.begin_unlock(&card).await;
    let ended = UnlockView::Ended { reason: EndReason::Superseded, reference: None };
    assert_eq!(world.services.unlock.view(&first).await.unwrap(), ended);
}

#[tokio::test]
async fn a_flow_ends_after_half_an_hour_without_a_request_and_can_be_kept_alive() {
    let (world, card) = World::registered().await;
    let token = world.begin_unlock(&card).await;
    world.clock.advance(Policy::default().flow_idle - Duration::seconds(1));
    assert_eq!(world.services.unlock.time_left(&token).await.unwrap(), Duration::seconds(1), "asking is no use");
    world.services.unlock.extend(&token).await.unwrap();
    world.clock.advance(Policy::default().flow_idle - Duration::seconds(1));
    assert_eq!(world.services.unlock.time_left(&token).await.unwrap(), Duration::seconds(1));
    assert!(world.services.unlock.view(&token).await.is_ok());
    world.clock.advance(Duration::seconds(1));
    assert!(matches!(world.services.unlock.view(&token).await, Err(UnlockError::NoFlow)));
}

#[tokio::test]
async fn being_active_is_written_down_twice_a_minute_at_most() {
    let (world, card) = World::registered().await;
    let token = world.begin_unlock(&card).await;
    let left = async || world.services.unlock.time_left(&token).await.unwrap();
    let idle = Policy::default().flow_idle;
    for (seconds, noted) in [(29, false), (1, true), (29, false)] {
        world.clock.advance(Duration::seconds(seconds));
        let before = left().await;
        world.flow_challenge(&token, FlowPurpose::Attempt).await;
        assert_eq!(left().await, if noted { idle } else { before });
    }
}

#[tokio::test]
async fn a_stopped_flow_goes_no_further() {
    let (world, card) = World::registered().await;
    let token = world.begin_unlock(&card).await;
    let answers = world.right_answers(&token).await;
    world.services.unlock.stop(&token).await.unwrap();
    world.services.unlock.stop(&token).await.unwrap();
    assert!(matches!(world.answer(&token, &card, &answers).await, Err(UnlockError::WrongStep)));
}

#[tokio::test]
async fn a_person_who_has_not_registered_is_told_so() {
    let (world, card) = World::with_card().await;
    let Identified::DeadEnd(end) = world.identify(&card).await else { panic!("a flow was opened") };
    assert_eq!(end.reason, DeadEndReason::NotRegistered);
    let trail = world.store.tables().await.trail;
    assert!(trail.last().unwrap().entry.contains(end.reference.as_str()), "the RA finds the reference");
}

#[tokio::test]
async fn another_unlock_code_waits_a_minute_and_an_hour_has_four() {
    let (world, card) = World::registered().await;
    let token = world.begin_unlock(&card).await;
    world.answer_right(&token, &card).await;
    let resend = async || {
        let proof = world.attempt(&token, &card).await;
        world.services.unlock.resend_code(&token, &proof).await.unwrap()
    };
    assert_eq!(resend().await, ResendOutcome::TooEarly { at: world.now() + Duration::minutes(1) });
    for _ in 0..3 {
        world.clock.advance(Duration::minutes(1));
        assert_eq!(resend().await, ResendOutcome::Sent);
    }
    world.clock.advance(Duration::minutes(1));
    assert!(matches!(resend().await, ResendOutcome::TooEarly { .. }));
}

#[tokio::test]
async fn a_flow_whose_hour_is_used_up_waits_for_its_code() {
    let (world, card) = World::registered().await;
    for _ in 0..5 {
        let token = world.begin_unlock(&card).await;
        world.answer_right(&token, &card).await;
    }
    let token = world.begin_unlock(&card).await;
    world.answer_right(&token, &card).await;
    let view = world.services.unlock.view(&token).await.unwrap();
    assert!(matches!(view, UnlockView::Code { valid_until: None, resend_at: Some(_), .. }));
    let codes = world.mails().await.into_iter().filter(|mail| matches!(mail.message, Message::UnlockCode { .. }));
    assert_eq!(codes.count(), 4);
}

#[tokio::test]
async fn right_answers_are_hashed_anew_with_the_pepper_in_use_and_wrong_ones_change_nothing() {
    let (world, card) = World::registered().await;
    let hashes = async || {
        let registration = world.store.tables().await.registrations.into_values().next().unwrap();
        let asked = registration.asked.clone();
        registration.answers.into_iter().partition::<Vec<_>, _>(|stored| asked.contains(&stored.question))
    };
    let before = hashes().await;
    world.hasher.rotate();
    let token = world.begin_unlock(&card).await;
    world.answer_wrong(&token, &card).await;
    assert_eq!(hashes().await, before);
    world.answer_right(&token, &card).await;
    let (asked, others) = hashes().await;
    assert!(asked.iter().all(|stored| stored.hash.0.starts_with("1:")), "{asked:?}");
    assert_eq!(others, before.1, "an answer that was not given cannot be hashed");
    let token = world.begin_unlock(&card).await;
    world.answer_right(&token, &card).await;
}

#[tokio::test]
async fn a_completed_unlock_ends_the_sessions_of_the_person_and_of_nobody_else() {
    let (world, mut card) = World::registered().await;
    let other = SoftwareCard::new(3, ORIGIN);
    world.services.enrolment.enrol(&new_card(&other, "1002")).await.unwrap();
    world.sign_in(&card).await;
    let others = world.sign_in(&other).await.session;
    let token = world.reach_passcode(&card).await;
    let completion = release_and_take(&world, &token, &mut card).await;
    world.services.unlock.complete(&token, &completion).await.unwrap();
    let left: Vec<_> = world.store.tables().await.sessions.iter().map(|session| session.id).collect();
    assert_eq!(left, [others.id]);
}

#[tokio::test]
async fn an_unlock_whose_time_was_over_is_counted_as_that_when_the_next_begins() {
    for (minutes, end) in [(1, StageEnd::Superseded), (31, StageEnd::Expired)] {
        let (world, card) = World::registered().await;
        world.begin_unlock(&card).await;
        world.clock.advance(Duration::minutes(minutes));
        world.begin_unlock(&card).await;
        let milestones = world.store.tables().await.milestones;
        assert!(
            milestones.contains(&Milestone { flow: FlowKind::Unlock, stage: Stage::Questions, end }),
            "{milestones:?}"
        );
    }
}
