//! What a person changes of their own: passcode, what they answer with, address, the end of their registration.

use card_protocol::{CardProof, Purpose};
use domain::{
    ProofFault,
    challenge::Binding,
    change::Change,
    email::EmailAddress,
    mail::Message,
    policy::{Policy, Profile},
    registration::{
        RegistrationView, Standing,
        service::{
            AfterFactor, BackTo, Factor, FlowAim, RegistrationCodeOutcome, RegistrationError, RegistrationStatus,
        },
    },
    sign_in::SignedIn,
    token::Token,
    trail::Event,
    unlock::service::{AnswerOutcome, DeadEndReason, Identified, UnlockView},
};
use time::Duration;

use crate::{
    former_address::told_of_a_change,
    recovery::{enter, register_with_recovery_codes},
    software_card::SoftwareCard,
    world::{ANSWERS, ORIGIN, World, new_card},
};

/// Other questions than the ones that Jane has registered.
const OTHERS: [(u8, &str); 4] = [(2, "Bruno"), (5, "the gravel pit"), (6, "Whitby"), (18, "Skipton")];

/// What the holder of the session's card signs for a change.
async fn proof(world: &World, signed_in: &SignedIn, card: &SoftwareCard, change: Change) -> CardProof {
    let hello = hello(world, signed_in, card);
    let challenge = world.services.changes.confirm_card(signed_in, &hello, change).await.unwrap();
    card.prove(Purpose::Change, challenge)
}

fn hello(world: &World, signed_in: &SignedIn, card: &SoftwareCard) -> CardProof {
    card.prove(Purpose::Hello, world.services.sign_in.challenge(Binding::Session(signed_in.session.id)))
}

/// The session under the token that it got.
async fn renewed(world: &World, before: &SignedIn, token: &Token) -> SignedIn {
    let signed_in = world.services.sign_in.session(token).await.unwrap().unwrap();
    assert_eq!(signed_in.session.id, before.session.id);
    assert_ne!(signed_in.session.token, before.session.token);
    assert_eq!(world.store.tables().await.sessions.len(), 1, "the other sessions have ended");
    signed_in
}

async fn begin_factor(world: &World, card: &SoftwareCard) -> SignedIn {
    let signed_in = world.sign_in(card).await;
    let proof = proof(world, &signed_in, card, Change::Factor).await;
    world.services.changes.begin_factor(&signed_in, &proof).await.unwrap();
    signed_in
}

async fn begin_email(world: &World, card: &SoftwareCard) -> SignedIn {
    let signed_in = world.sign_in(card).await;
    let proof = proof(world, &signed_in, card, Change::Email).await;
    world.services.changes.begin_email(&signed_in, &proof).await.unwrap();
    signed_in
}

async fn end(world: &World, card: &SoftwareCard) -> SignedIn {
    let signed_in = world.sign_in(card).await;
    let proof = proof(world, &signed_in, card, Change::EndRegistration).await;
    let token = world.services.changes.end_registration(&signed_in, &proof).await.unwrap();
    renewed(world, &signed_in, &token).await
}

async fn status(world: &World, signed_in: &SignedIn) -> RegistrationStatus {
    world.services.registration.status(signed_in).await.unwrap()
}

async fn standing(world: &World) -> Standing {
    world.store.tables().await.registrations.into_values().next().unwrap().standing
}

/// To whom a mail went, of those that are like this one.
async fn told(world: &World, like: impl Fn(&Message) -> bool) -> Vec<String> {
    let mails = world.mails().await.into_iter().filter(|mail| like(&mail.message));
    mails.map(|mail| mail.to.as_str().to_owned()).collect()
}

async fn is_on_the_trail(world: &World, event: Event) -> bool {
    world.trail().await.iter().any(|entry| entry.event == event)
}

#[tokio::test]
async fn a_changed_passcode_is_told_and_on_the_trail_and_renews_the_session() {
    let (world, card) = World::registered().await;
    world.sign_in(&card).await;
    let signed_in = world.sign_in(&card).await;
    let proof = proof(&world, &signed_in, &card, Change::Passcode).await;
    let token = world.services.changes.passcode_changed(&signed_in, &proof).await.unwrap();
    renewed(&world, &signed_in, &token).await;
    assert_eq!(told(&world, |message| matches!(message, Message::PasscodeChanged)).await, ["jane.smith@nhs.net"]);
    assert!(world.mails().await.last().unwrap().freeze.is_some(), "it has the link for whoever did not do that");
    assert!(is_on_the_trail(&world, Event::PasscodeChanged).await);
}

#[tokio::test]
async fn who_has_not_registered_is_told_of_a_changed_passcode_at_the_address_that_the_ra_holds() {
    let (world, card) = World::with_card().await;
    let signed_in = world.sign_in(&card).await;
    let proof = proof(&world, &signed_in, &card, Change::Passcode).await;
    world.services.changes.passcode_changed(&signed_in, &proof).await.unwrap();
    assert_eq!(told(&world, |message| matches!(message, Message::PasscodeChanged)).await, ["jane.smith@nhs.net"]);
}

#[tokio::test]
async fn a_proof_counts_once_within_its_time_and_for_its_own_change() {
    let (world, card) = World::registered().await;
    let signed_in = world.sign_in(&card).await;
    let changes = &world.services.changes;
    let other = proof(&world, &signed_in, &card, Change::EndRegistration).await;
    let refused = changes.passcode_changed(&signed_in, &other).await;
    assert!(matches!(refused, Err(RegistrationError::Proof(ProofFault::Refused))));
    let other = proof(&world, &signed_in, &card, Change::Passcode).await;
    let refused = changes.end_registration(&signed_in, &other).await;
    assert!(matches!(refused, Err(RegistrationError::Proof(ProofFault::Refused))));
    let refused = changes.begin_email(&signed_in, &other).await;
    assert!(matches!(refused, Err(RegistrationError::Proof(ProofFault::Refused))));
    assert!(is_on_the_trail(&world, Event::CardProofRefused).await);

    let late = proof(&world, &signed_in, &card, Change::Passcode).await;
    world.clock.advance(Duration::seconds(121));
    let refused = changes.passcode_changed(&signed_in, &late).await;
    assert!(matches!(refused, Err(RegistrationError::Proof(ProofFault::Stale))));

    let once = proof(&world, &signed_in, &card, Change::Passcode).await;
    changes.passcode_changed(&signed_in, &once).await.unwrap();
    let refused = changes.passcode_changed(&signed_in, &once).await;
    assert!(matches!(refused, Err(RegistrationError::Proof(ProofFault::Stale))));
}

#[tokio::test]
async fn a_proof_of_another_session_and_one_to_sign_in_change_nothing() {
    let (world, card) = World::registered().await;
    let [first, second] = [world.sign_in(&card).await, world.sign_in(&card).await];
    let of_first = proof(&world, &first, &card, Change::EndRegistration).await;
    let refused = world.services.changes.end_registration(&second, &of_first).await;
    assert!(matches!(refused, Err(RegistrationError::Proof(ProofFault::Refused))));
    let hello = hello(&world, &first, &card);
    let challenge = world.services.changes.confirm_card(&first, &hello, Change::EndRegistration).await.unwrap();
    let refused = world.services.changes.end_registration(&first, &card.prove(Purpose::SignIn, challenge)).await;
    assert!(matches!(refused, Err(RegistrationError::Proof(ProofFault::Refused))));
}

#[tokio::test]
async fn no_passcode_is_asked_for_where_another_card_is_in_the_reader() {
    let (world, card) = World::registered().await;
    let other = SoftwareCard::new(2, ORIGIN);
    world.services.enrolment.enrol(&new_card(&other, "1002")).await.unwrap();
    let signed_in = world.sign_in(&card).await;
    let hello = hello(&world, &signed_in, &other);
    let refused = world.services.changes.confirm_card(&signed_in, &hello, Change::Passcode).await;
    assert!(matches!(refused, Err(RegistrationError::Proof(ProofFault::Refused))));
}

#[tokio::test]
async fn other_questions_are_asked_after_they_were_set_and_the_former_ones_are_not() {
    let (world, card) = World::registered().await;
    let signed_in = begin_factor(&world, &card).await;
    let view = world.services.registration.view(&signed_in).await.unwrap();
    assert!(matches!(view, RegistrationView::Questions { aim: FlowAim::Change, .. }), "{view:?}");
    let chosen = OTHERS.map(|(number, answer)| (Some(number), answer));
    let form = world.form(&signed_in).await;
    let set = world.services.registration.set_questions(&signed_in.session, form, &chosen).await.unwrap();
    assert_eq!(set.then, AfterFactor::Changed);
    renewed(&world, &signed_in, &set.token.unwrap()).await;
    assert_eq!(told(&world, |message| matches!(message, Message::QuestionsChanged)).await, ["jane.smith@nhs.net"]);
    assert!(is_on_the_trail(&world, Event::QuestionsChanged).await);

    let token = world.begin_unlock(&card).await;
    let UnlockView::Questions { asked, .. } = world.services.unlock.view(&token).await.unwrap() else {
        panic!("no questions");
    };
    let answer = |number: u8| OTHERS.iter().find(|(other, _)| *other == number).unwrap().1.to_owned();
    let answers: Vec<_> = asked.iter().map(|question| (*question, answer(u8::from(*question)))).collect();
    assert_eq!(world.answer(&token, &card, &answers).await.unwrap(), AnswerOutcome::Right);
}

#[tokio::test]
async fn recovery_codes_made_later_take_the_place_of_questions_once_they_are_kept() {
    let (world, card) = World::registered().await;
    let signed_in = begin_factor(&world, &card).await;
    let registration = &world.services.registration;
    let before = world.store.tables().await.registrations;
    let not_seen = registration.make_recovery_codes(&signed_in.session).await.unwrap();
    let codes = registration.make_recovery_codes(&signed_in.session).await.unwrap();
    assert_eq!(world.store.tables().await.registrations, before, "the questions work until the codes are kept");
    let unlock = world.begin_unlock(&card).await;

    let token = registration.keep_recovery_codes(&signed_in.session).await.unwrap();
    let view = world.services.unlock.view(&unlock).await.unwrap();
    assert!(matches!(view, UnlockView::Ended { .. }), "it would ask for what is no more: {view:?}");
    let signed_in = renewed(&world, &signed_in, &token).await;
    let RegistrationStatus::Registered { factor, .. } = status(&world, &signed_in).await else { panic!("not there") };
    assert_eq!(factor, Factor::RecoveryCodes { left: 10 });
    assert_eq!(told(&world, |message| matches!(message, Message::RecoveryCodesChanged)).await, ["jane.smith@nhs.net"]);
    assert!(is_on_the_trail(&world, Event::RecoveryCodesMade).await);
    let again = registration.keep_recovery_codes(&signed_in.session).await;
    assert!(matches!(again, Err(RegistrationError::WrongStep)));

    let token = world.begin_unlock(&card).await;
    let not_kept = enter(&world, &token, &card, &not_seen[0].display()).await.unwrap();
    assert_eq!(not_kept, AnswerOutcome::Wrong { attempts_left: 2 });
    assert_eq!(enter(&world, &token, &card, &codes[0].display()).await.unwrap(), AnswerOutcome::Right);
}

#[tokio::test]
async fn recovery_codes_made_anew_end_the_former_ones() {
    let (world, card) = World::with_card().await;
    let former = register_with_recovery_codes(&world, &card).await;
    let signed_in = begin_factor(&world, &card).await;
    let codes = world.services.registration.make_recovery_codes(&signed_in.session).await.unwrap();
    world.services.registration.keep_recovery_codes(&signed_in.session).await.unwrap();
    let token = world.begin_unlock(&card).await;
    let wrong = enter(&world, &token, &card, &former[0]).await.unwrap();
    assert_eq!(wrong, AnswerOutcome::Wrong { attempts_left: 2 });
    assert_eq!(enter(&world, &token, &card, &codes[9].display()).await.unwrap(), AnswerOutcome::Right);
}

#[tokio::test]
async fn another_address_leaves_the_questions_as_they_are_and_gets_codes_after_a_day() {
    let (world, card) = World::registered().await;
    let signed_in = begin_email(&world, &card).await;
    let view = world.services.registration.view(&signed_in).await.unwrap();
    assert!(matches!(view, RegistrationView::Email { aim: FlowAim::Change, .. }), "{view:?}");
    let before = world.store.tables().await.registrations.into_values().next().unwrap();
    world.confirm_email(&signed_in, "other@nhs.net").await;
    let code = world.last_code().await;
    let entered = world.enter_registration_code(&signed_in, &code).await;
    assert!(matches!(entered.outcome, RegistrationCodeOutcome::EmailChanged));
    renewed(&world, &signed_in, &entered.token.unwrap()).await;
    let after = world.store.tables().await.registrations.into_values().next().unwrap();
    assert_eq!((&after.answers, &after.asked), (&before.answers, &before.asked));
    assert_eq!(after.registered_at, before.registered_at);
    assert_eq!(told_of_a_change(&world).await, ["other@nhs.net", "jane.smith@nhs.net"]);
    assert_eq!(told(&world, |message| matches!(message, Message::RegistrationComplete)).await.len(), 1);
    assert!(is_on_the_trail(&world, Event::EmailChanged).await);

    let goes_to = async || {
        let token = world.begin_unlock(&card).await;
        world.answer_right(&token, &card).await;
        world.mails().await.last().unwrap().to.as_str().to_owned()
    };
    assert_eq!(goes_to().await, "jane.smith@nhs.net");
    world.clock.advance(Duration::hours(24));
    assert_eq!(goes_to().await, "other@nhs.net");
}

#[tokio::test]
async fn an_address_that_is_taken_back_is_told_at_both() {
    let (world, card) = World::registered().await;
    for email in ["other@nhs.net", "jane.smith@nhs.net"] {
        let signed_in = begin_email(&world, &card).await;
        world.confirm_email(&signed_in, email).await;
        let code = world.last_code().await;
        world.enter_registration_code(&signed_in, &code).await;
        world.clock.advance(Duration::hours(2));
    }
    let told = told_of_a_change(&world).await;
    assert_eq!(told, ["other@nhs.net", "jane.smith@nhs.net", "jane.smith@nhs.net", "other@nhs.net"]);
}

#[tokio::test]
async fn the_address_on_file_is_no_other_one_and_the_questions_are_no_step_of_this_change() {
    let (world, card) = World::registered().await;
    let signed_in = begin_email(&world, &card).await;
    let form = world.form(&signed_in).await;
    let registration = &world.services.registration;
    let same = registration.confirm_email(&signed_in, form, "jane.smith@nhs.net").await;
    assert!(matches!(same, Err(RegistrationError::SameEmail)), "{same:?}");
    let back = registration.go_back(&signed_in.session, BackTo::Questions).await;
    assert!(matches!(back, Err(RegistrationError::WrongStep)));
    let chosen = ANSWERS.map(|(number, answer)| (Some(number), answer));
    let set = registration.set_questions(&signed_in.session, form, &chosen).await;
    assert!(matches!(set, Err(RegistrationError::WrongStep)));
    assert!(matches!(registration.make_recovery_codes(&signed_in.session).await, Err(RegistrationError::WrongStep)));
}

#[tokio::test]
async fn an_ended_registration_unlocks_nothing_and_is_told() {
    let (world, card) = World::registered().await;
    let token = world.begin_unlock(&card).await;
    let signed_in = end(&world, &card).await;
    assert_eq!(status(&world, &signed_in).await, RegistrationStatus::NotRegistered);
    assert_eq!(told(&world, |message| matches!(message, Message::RegistrationEnded)).await, ["jane.smith@nhs.net"]);
    assert!(is_on_the_trail(&world, Event::RegistrationEnded).await);
    let stored = world.store.tables().await.registrations.into_values().next().unwrap();
    assert!(stored.answers.is_empty() && stored.recovery_codes.is_empty() && stored.asked.is_empty());

    let view = world.services.unlock.view(&token).await.unwrap();
    assert!(matches!(view, UnlockView::Ended { .. }), "{view:?}");
    let Identified::DeadEnd(dead_end) = world.identify(&card).await else { panic!("a flow") };
    assert_eq!(dead_end.reason, DeadEndReason::NotRegistered);
    for change in [Change::Factor, Change::Email, Change::EndRegistration] {
        let hello = hello(&world, &signed_in, &card);
        let refused = world.services.changes.confirm_card(&signed_in, &hello, change).await;
        assert!(matches!(refused, Err(RegistrationError::NotRegistered)), "{change:?}");
    }
}

#[tokio::test]
async fn who_ends_and_registers_anew_is_rid_of_no_failed_attempt_and_not_of_the_former_address() {
    let (world, card) = World::registered().await;
    let token = world.begin_unlock(&card).await;
    world.answer_wrong(&token, &card).await;
    world.answer_wrong(&token, &card).await;
    end(&world, &card).await;
    let signed_in = world.sign_in(&card).await;
    world.begin_registration(&signed_in, &card).await;
    world.set_questions(&signed_in).await;
    world.confirm_email(&signed_in, "thief@nhs.net").await;
    let code = world.last_code().await;
    world.enter_registration_code(&signed_in, &code).await;
    assert!(matches!(status(&world, &signed_in).await, RegistrationStatus::Registered { .. }));
    assert_eq!(standing(&world).await, Standing::Open { failed_attempts: 2 });
    let token = world.begin_unlock(&card).await;
    world.answer_right(&token, &card).await;
    assert_eq!(world.mails().await.last().unwrap().to, EmailAddress::parse("jane.smith@nhs.net").unwrap());
}

#[tokio::test]
async fn who_is_locked_out_changes_nothing_but_the_passcode() {
    let (world, card) = World::registered().await;
    let token = world.begin_unlock(&card).await;
    for _ in 0..3 {
        world.answer_wrong(&token, &card).await;
    }
    let signed_in = world.sign_in(&card).await;
    for change in [Change::Factor, Change::Email, Change::EndRegistration] {
        let hello = hello(&world, &signed_in, &card);
        let refused = world.services.changes.confirm_card(&signed_in, &hello, change).await;
        assert!(matches!(refused, Err(RegistrationError::LockedOut)), "{change:?}");
    }
    let proof = proof(&world, &signed_in, &card, Change::Passcode).await;
    assert!(world.services.changes.passcode_changed(&signed_in, &proof).await.is_ok());
}

#[tokio::test]
async fn who_is_locked_out_meanwhile_completes_no_change() {
    let (world, card) = World::registered().await;
    let signed_in = begin_factor(&world, &card).await;
    let codes = &world.services.registration;
    codes.make_recovery_codes(&signed_in.session).await.unwrap();
    let token = world.begin_unlock(&card).await;
    for _ in 0..3 {
        world.answer_wrong(&token, &card).await;
    }
    let refused = codes.keep_recovery_codes(&signed_in.session).await;
    assert!(matches!(refused, Err(RegistrationError::LockedOut)));
}

#[tokio::test]
async fn each_profile_offers_what_it_has() {
    for (profile, factor) in [(Profile::Classic, true), (Profile::Strict, true), (Profile::CodeOnly, false)] {
        let policy = Policy { profile, code_life: profile.code_life(), ..Policy::default() };
        let (world, card) = World::with_card_under(policy).await;
        if factor {
            register_with_recovery_codes(&world, &card).await;
        }
        let signed_in = world.sign_in(&card).await;
        for change in [Change::Factor, Change::Email, Change::EndRegistration] {
            let hello = hello(&world, &signed_in, &card);
            let confirmed = world.services.changes.confirm_card(&signed_in, &hello, change).await;
            match confirmed {
                Ok(_) => assert!(factor, "{profile:?} {change:?}"),
                Err(fault) => assert!(!factor && matches!(fault, RegistrationError::NotOffered), "{profile:?}"),
            }
        }
        let proof = proof(&world, &signed_in, &card, Change::Passcode).await;
        assert!(world.services.changes.passcode_changed(&signed_in, &proof).await.is_ok());
    }
}
