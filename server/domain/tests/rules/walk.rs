//! Random walks through both state machines: whatever is done in whatever order, the promises hold.

use card_protocol::Purpose;
use domain::{
    milestone::{FlowKind, Milestone, Stage, StageEnd},
    registration::{RegistrationView, Standing, flow::RegistrationStep as Stored, service::BackTo},
    token::{FormId, Token},
    unlock::service::{AnswerOutcome, CodeOutcome, FlowPurpose, Identified},
    unlock_key::KeyRingState,
};
use proptest::prelude::*;
use time::Duration;

use crate::{
    software_card::SoftwareCard,
    world::{ANSWERS, World, service_secret, wrong_code},
};

/// Something that a person, an impostor or a fault does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Identify,
    AnswerRight,
    AnswerWrong,
    CodeRight,
    CodeWrong,
    Resend,
    /// The server releases, the card never hears of it.
    ReleaseCutBefore,
    /// The card takes the key, the server never hears of it.
    ReleaseCutAfter,
    Unlock,
    Stop,
    Wait(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Identify),
        4 => Just(Step::AnswerRight),
        1 => Just(Step::AnswerWrong),
        4 => Just(Step::CodeRight),
        1 => Just(Step::CodeWrong),
        1 => Just(Step::Resend),
        2 => Just(Step::ReleaseCutBefore),
        2 => Just(Step::ReleaseCutAfter),
        2 => Just(Step::Unlock),
        1 => Just(Step::Stop),
        2 => (0..40_u8).prop_map(Step::Wait),
    ]
}

/// What a walk expects of the world, kept beside it.
struct Walk {
    world: World,
    card: SoftwareCard,
    token: Option<Token>,
    failed: u8,
}

impl Walk {
    async fn take(&mut self, step: Step) {
        match step {
            Step::Wait(minutes) => self.world.clock.advance(Duration::minutes(i64::from(minutes))),
            Step::Identify => match self.world.identify(&self.card).await {
                Identified::Flow(token) => self.token = Some(token),
                Identified::DeadEnd(_) => assert_eq!(self.failed, 3, "only a locked-out person meets a dead end"),
            },
            _ => {
                let Some(token) = self.token.clone() else { return };
                if self.world.services.unlock.view(&token).await.is_ok() {
                    self.take_in_flow(step, &token).await;
                }
            }
        }
    }

    async fn take_in_flow(&mut self, step: Step, token: &Token) {
        let unlock = &self.world.services.unlock;
        let asks = matches!(unlock.view(token).await.unwrap(), domain::unlock::service::UnlockView::Questions { .. });
        match step {
            Step::AnswerRight | Step::AnswerWrong if asks => {
                let answers = if step == Step::AnswerRight {
                    self.world.right_answers(token).await
                } else {
                    self.world.wrong_answers(token).await
                };
                match self.world.answer(token, &self.card, &answers).await {
                    Ok(AnswerOutcome::Right | AnswerOutcome::RightAndLast) => {
                        assert!(step == Step::AnswerRight && self.failed < 3);
                    }
                    Ok(AnswerOutcome::Wrong { .. } | AnswerOutcome::LockedOut(_)) => self.failed += 1,
                    Err(_) => {}
                }
            }
            Step::CodeRight | Step::CodeWrong => {
                let code = if step == Step::CodeRight { self.world.last_code().await } else { wrong_code() };
                match self.world.enter_code(token, &self.card, &code).await {
                    Ok(CodeOutcome::Right) => assert!(step == Step::CodeRight && self.failed < 3),
                    Ok(CodeOutcome::TriesUsedUp { .. } | CodeOutcome::LockedOut(_)) => self.failed += 1,
                    Ok(_) | Err(_) => {}
                }
            }
            Step::Resend => {
                let proof = self.world.attempt(token, &self.card).await;
                let _ = unlock.resend_code(token, &proof).await;
            }
            Step::ReleaseCutBefore | Step::ReleaseCutAfter | Step::Unlock => {
                let challenge = self.world.flow_challenge(token, FlowPurpose::Release).await;
                let proof = self.card.prove(Purpose::Release, challenge);
                let Ok(sealed) = unlock.release(token, &proof).await else { return };
                assert!(self.failed < 3, "nothing is released to a locked-out person");
                let keys = self.card.open(&service_secret(), &proof, &sealed);
                if step == Step::ReleaseCutBefore {
                    return;
                }
                assert!(self.card.take(&keys), "one of the candidates fits, whatever was cut before");
                if step == Step::Unlock {
                    let proof = self.card.prove(Purpose::Unlocked, keys.completion);
                    unlock.complete(token, &proof).await.unwrap();
                    self.failed = 0;
                }
            }
            Step::Stop => unlock.stop(token).await.unwrap(),
            _ => {}
        }
    }

    async fn check(&self) {
        let tables = self.world.store.tables().await;
        let standing = tables.registrations.values().next().unwrap().standing;
        match standing {
            Standing::Open { failed_attempts } => assert_eq!(failed_attempts, self.failed),
            Standing::LockedOut { .. } => assert_eq!(self.failed, 3),
            Standing::Frozen { .. } => panic!("nobody had it frozen"),
        }
        let open = tables.unlock_flows.iter().filter(|flow| flow.step.is_open()).count();
        assert!(open <= 1, "a card has one open flow");
        assert_every_one_is_counted(&tables.milestones, (FlowKind::Unlock, Stage::Passcode), open);
        let ring = tables.key_rings.values().next().unwrap();
        let known = match ring.state {
            KeyRingState::Settled { current } => vec![current],
            KeyRingState::Unresolved { current, pending, .. } => vec![current, pending],
        };
        let fits = known
            .iter()
            .any(|id| tables.unlock_keys[id].open(&crate::fakes::OneKeyVault).unwrap() == self.card.unlock_key);
        assert!(fits, "the server knows the key of the card");
    }
}

/// Each that was begun is under way, or has come to one end.
fn assert_every_one_is_counted(milestones: &[Milestone], (flow, last): (FlowKind, Stage), open: usize) {
    let of = |is_it: &dyn Fn(&Milestone) -> bool| milestones.iter().filter(|m| m.flow == flow && is_it(m)).count();
    let begun = of(&|milestone| milestone.stage == Stage::Begin && milestone.end == StageEnd::Passed);
    let ended = of(&|Milestone { stage, end, .. }| match end {
        StageEnd::Passed => *stage == last,
        StageEnd::WentBack => false,
        _ => *stage != Stage::Begin,
    });
    assert_eq!(begun, ended + open, "{milestones:?}");
}

/// Something that a person does in a registration.
#[derive(Clone, Copy, Debug)]
enum RegistrationStep {
    /// In another session.
    Begin,
    BeginAnew,
    SetQuestions,
    ConfirmEmail,
    CodeRight,
    CodeWrong,
    Resend,
    Change(bool),
    Stop,
    Wait(u8),
}

fn registration_step() -> impl Strategy<Value = RegistrationStep> {
    prop_oneof![
        2 => Just(RegistrationStep::Begin),
        1 => Just(RegistrationStep::BeginAnew),
        3 => Just(RegistrationStep::SetQuestions),
        3 => Just(RegistrationStep::ConfirmEmail),
        3 => Just(RegistrationStep::CodeRight),
        1 => Just(RegistrationStep::CodeWrong),
        1 => Just(RegistrationStep::Resend),
        1 => any::<bool>().prop_map(RegistrationStep::Change),
        1 => Just(RegistrationStep::Stop),
        1 => (0..40_u8).prop_map(RegistrationStep::Wait),
    ]
}

async fn walk_registration(steps: Vec<RegistrationStep>) {
    let (world, card) = World::with_card().await;
    let mut signed_in = world.sign_in(&card).await;
    let registration = &world.services.registration;
    for step in steps {
        let before = registration.view(&signed_in).await.unwrap();
        let registered_before = world.store.tables().await.registrations;
        let form = FormId::generate(&*world.dice);
        let done = match step {
            RegistrationStep::Begin => {
                signed_in = world.sign_in(&card).await;
                world.begin_registration(&signed_in, &card).await;
                true
            }
            RegistrationStep::BeginAnew => {
                world.begin_registration(&signed_in, &card).await;
                true
            }
            RegistrationStep::SetQuestions => {
                let chosen = ANSWERS.map(|(number, answer)| (Some(number), answer));
                registration.set_questions(&signed_in.session, form, &chosen).await.is_ok()
            }
            RegistrationStep::ConfirmEmail => {
                registration.confirm_email(&signed_in, form, "jane@nhs.net").await.is_ok()
            }
            RegistrationStep::CodeRight if world.mails().await.is_empty() => false,
            RegistrationStep::CodeRight => {
                registration.enter_code(&signed_in, form, &world.last_code().await).await.is_ok()
            }
            RegistrationStep::CodeWrong => registration.enter_code(&signed_in, form, &wrong_code()).await.is_ok(),
            RegistrationStep::Resend => registration.resend_code(&signed_in, form).await.is_ok(),
            RegistrationStep::Change(email) => {
                let to = if email { BackTo::Email } else { BackTo::Questions };
                registration.go_back(&signed_in.session, to).await.is_ok()
            }
            RegistrationStep::Stop => registration.stop(&signed_in.session).await.is_ok(),
            RegistrationStep::Wait(minutes) => {
                world.clock.advance(Duration::minutes(i64::from(minutes)));
                true
            }
        };
        let legal = match step {
            RegistrationStep::SetQuestions => matches!(before, RegistrationView::Questions { .. }),
            RegistrationStep::ConfirmEmail => matches!(before, RegistrationView::Email { .. }),
            RegistrationStep::CodeRight | RegistrationStep::CodeWrong | RegistrationStep::Resend => {
                matches!(before, RegistrationView::Code { .. })
            }
            _ => true,
        };
        assert!(legal || !done, "{step:?} was done from {before:?}");
        let registered = world.store.tables().await.registrations;
        let may_register =
            matches!(step, RegistrationStep::CodeRight) && matches!(before, RegistrationView::Code { .. });
        assert!(registered == registered_before || may_register, "{step:?} changed the registration from {before:?}");
        let tables = world.store.tables().await;
        let is_open = |step: &Stored| !matches!(step, Stored::Completed | Stored::Ended);
        let open = tables.registration_flows.values().filter(|flow| is_open(&flow.step)).count();
        assert_every_one_is_counted(&tables.milestones, (FlowKind::Registration, Stage::Code), open);
        let mails = tables.code_mails;
        let now = world.now();
        let within_hour = mails.iter().filter(|(_, at)| now - *at < Duration::hours(1)).count();
        assert!(within_hour <= 4, "an hour has four code mails");
    }
}

fn run(walk: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(walk);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_walk_through_unlocks_breaks_a_promise(steps in proptest::collection::vec(step(), 1..40)) {
        run(async {
            let (world, card) = World::registered().await;
            let mut walk = Walk { world, card, token: None, failed: 0 };
            for step in steps {
                walk.take(step).await;
                walk.check().await;
            }
        });
    }

    #[test]
    fn no_walk_through_registrations_breaks_a_promise(steps in proptest::collection::vec(registration_step(), 1..40)) {
        run(walk_registration(steps));
    }
}
