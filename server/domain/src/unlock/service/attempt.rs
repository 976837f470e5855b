//! Handing in answers and codes: each with a fresh proof of the card, and counted once however often it is posted.

use card_protocol::CardProof;
use serde::Deserialize;

use super::{
    Accepted, AnswerOutcome, CodeOutcome, DeadEnd, DeadEndReason, FlowPurpose, Loaded, ResendOutcome, UnlockError,
    UnlockService, dead_end, repeated,
};
use crate::{
    answer::Answer,
    card::Card,
    code::{Code, CodeMatch, IssuedCode},
    comparisons::{Comparisons, Entered},
    environment::retry_on_conflict,
    mail::Message,
    person::Person,
    policy::Profile,
    ports::{StoreError, Transaction},
    question::QuestionId,
    recovery::RecoveryCode,
    registration::{Registration, Standing},
    token::Token,
    trail::{Event, Outcome},
    unlock::{EndReason, UnlockFlow, UnlockStep, flow::AnswerQuestions, go_on},
};

impl UnlockService {
    /// Checks answers to the questions asked; when all are right, mails a code.
    ///
    /// # Errors
    ///
    /// [`UnlockError`]; then no attempt was spent.
    pub async fn answer(
        &self,
        token: &Token,
        proof: &CardProof,
        answers: &[(QuestionId, String)],
    ) -> Result<AnswerOutcome, UnlockError> {
        let mut comparisons = Comparisons::new(&self.environment.hasher);
        let ended = retry_on_conflict!(self.try_answer(token, proof, answers, &mut comparisons));
        self.noting_refusal(token, ended).await
    }

    async fn try_answer(
        &self,
        token: &Token,
        proof: &CardProof,
        answers: &[(QuestionId, String)],
        comparisons: &mut Comparisons,
    ) -> Result<AnswerOutcome, UnlockError> {
        let environment = &self.environment;
        let loaded = match self.attempt(token, proof).await? {
            Attempt::New(loaded) => *loaded,
            Attempt::Repeated(outcome) => return Ok(outcome),
        };
        let UnlockStep::Questions(questions) = &loaded.flow.step else {
            return Err(UnlockError::WrongStep);
        };
        dead_end(&loaded.card, Some(&loaded.registration)).map_err(UnlockError::dead_end)?;
        let questions = questions.clone();
        let folded = fold(&questions, answers)?;
        let comparisons = comparisons.enter::<UnlockError>(&loaded.flow.person).await?;
        let right = all_right(&loaded.registration, &folded, comparisons).await?;
        let event = Event::QuestionsAnswered;
        if right {
            let (code, issued) = environment.make_code(comparisons.hashing()).await?;
            let registration = self.hashed_anew(&loaded.registration, &folded, comparisons).await?;
            let mut transaction = environment.store.begin().await?;
            let person = self.person(&mut *transaction, &loaded.flow).await?;
            environment.record(&mut *transaction, event, Outcome::Done, &person.user_number, loaded.card.guid).await?;
            let sent = self.send_code(&mut *transaction, &loaded.card, &loaded.registration, &code, issued).await?;
            let step = UnlockStep::Code(questions.right(sent, &environment.policy));
            // Saved even where nothing in it changes: of two attempts at once one must lose.
            transaction.save_registration(&registration).await?;
            self.go_on(&mut *transaction, loaded.flow.clone(), step).await?;
            self.use_proof(&mut *transaction, loaded.flow.id, proof, &AnswerOutcome::Right).await?;
            transaction.commit().await?;
            return Ok(AnswerOutcome::Right);
        }
        let mut transaction = environment.store.begin().await?;
        environment.record(&mut *transaction, event, Outcome::Refused, &loaded.flow.person, loaded.card.guid).await?;
        let step = loaded.flow.step.clone();
        let flow = loaded.flow.id;
        let outcome = match self.fail(&mut *transaction, loaded, step).await? {
            Failed::Open { attempts_left } => AnswerOutcome::Wrong { attempts_left },
            Failed::LockedOut(end) => AnswerOutcome::LockedOut(end),
        };
        self.use_proof(&mut *transaction, flow, proof, &outcome).await?;
        transaction.commit().await?;
        Ok(outcome)
    }

    /// Loads what a proof is for, or the outcome where it was handled before.
    async fn attempt<T: for<'de> Deserialize<'de>>(
        &self,
        token: &Token,
        proof: &CardProof,
    ) -> Result<Attempt<T>, UnlockError> {
        let mut transaction = self.environment.store.begin().await?;
        let loaded = self.load(&mut *transaction, token).await?;
        Ok(match self.accept(&mut *transaction, (loaded.flow.id, &loaded.card), proof, FlowPurpose::Attempt).await? {
            Accepted::New => Attempt::New(Box::new(loaded)),
            Accepted::Repeated(outcome) => Attempt::Repeated(repeated(&outcome)?),
        })
    }

    /// Checks a recovery code; a right one is used up, and a code is mailed where none was entered before.
    ///
    /// # Errors
    ///
    /// [`UnlockError`]; then no attempt was spent.
    pub async fn enter_recovery_code(
        &self,
        token: &Token,
        proof: &CardProof,
        typed: &str,
    ) -> Result<AnswerOutcome, UnlockError> {
        let code = RecoveryCode::parse(typed)?;
        let mut comparisons = Comparisons::new(&self.environment.hasher);
        let ended = retry_on_conflict!(self.try_enter_recovery_code(token, proof, &code, &mut comparisons));
        self.noting_refusal(token, ended).await
    }

    async fn try_enter_recovery_code(
        &self,
        token: &Token,
        proof: &CardProof,
        entered: &RecoveryCode,
        comparisons: &mut Comparisons,
    ) -> Result<AnswerOutcome, UnlockError> {
        let environment = &self.environment;
        let loaded = match self.attempt(token, proof).await? {
            Attempt::New(loaded) => *loaded,
            Attempt::Repeated(outcome) => return Ok(outcome),
        };
        let UnlockStep::RecoveryCode(step) = loaded.flow.step.clone() else {
            return Err(UnlockError::WrongStep);
        };
        dead_end(&loaded.card, Some(&loaded.registration)).map_err(UnlockError::dead_end)?;
        let comparisons = comparisons.enter::<UnlockError>(&loaded.flow.person).await?;
        let found = entered.find(&loaded.registration.recovery_codes, comparisons).await?;
        let is_before_code = environment.policy.profile == Profile::Classic;
        let code = if found.is_some() && is_before_code {
            Some(environment.make_code(comparisons.hashing()).await?)
        } else {
            None
        };

        let mut transaction = environment.store.begin().await?;
        let how = if found.is_some() { Outcome::Done } else { Outcome::Refused };
        let event = Event::RecoveryCodeEntered;
        environment.record(&mut *transaction, event, how, &loaded.flow.person, loaded.card.guid).await?;
        let flow = loaded.flow.id;
        let outcome = if let Some(position) = found {
            let mut registration = loaded.registration.clone();
            registration.recovery_codes.remove(position);
            let (step, outcome) = match code {
                Some((code, issued)) => {
                    let sent = self.send_code(&mut *transaction, &loaded.card, &registration, &code, issued).await?;
                    let step = UnlockStep::Code(step.right_before_code(sent, &environment.policy));
                    (step, AnswerOutcome::Right)
                }
                None => (UnlockStep::Passcode(step.right_after_code()), AnswerOutcome::RightAndLast),
            };
            // Of two attempts at once one loses here, so that a code is used once.
            transaction.save_registration(&registration).await?;
            self.go_on(&mut *transaction, loaded.flow, step).await?;
            outcome
        } else {
            let step = loaded.flow.step.clone();
            match self.fail(&mut *transaction, loaded, step).await? {
                Failed::Open { attempts_left } => AnswerOutcome::Wrong { attempts_left },
                Failed::LockedOut(end) => AnswerOutcome::LockedOut(end),
            }
        };
        self.use_proof(&mut *transaction, flow, proof, &outcome).await?;
        transaction.commit().await?;
        Ok(outcome)
    }

    /// Hashes right answers again whose hash was made with a former pepper or fewer passes: only now they are known.
    async fn hashed_anew(
        &self,
        registration: &Registration,
        right: &[(QuestionId, Answer)],
        comparisons: &Entered,
    ) -> Result<Registration, UnlockError> {
        let hasher = &self.environment.hasher;
        let mut registration = registration.clone();
        for stored in registration.answers.iter_mut().filter(|stored| hasher.is_outdated(&stored.hash)) {
            if let Some((_, answer)) = right.iter().find(|(question, _)| *question == stored.question) {
                stored.hash = comparisons.hashing().hash(answer.expose_secret()).await?;
            }
        }
        Ok(registration)
    }

    /// Checks a code.
    ///
    /// # Errors
    ///
    /// [`UnlockError`]; then no try was spent.
    pub async fn enter_code(&self, token: &Token, proof: &CardProof, typed: &str) -> Result<CodeOutcome, UnlockError> {
        let code = Code::parse(typed)?;
        let mut comparisons = Comparisons::new(&self.environment.hasher);
        let ended = retry_on_conflict!(self.try_enter_code(token, proof, &code, &mut comparisons));
        self.noting_refusal(token, ended).await
    }

    async fn try_enter_code(
        &self,
        token: &Token,
        proof: &CardProof,
        code: &Code,
        comparisons: &mut Comparisons,
    ) -> Result<CodeOutcome, UnlockError> {
        let environment = &self.environment;
        let loaded = match self.attempt(token, proof).await? {
            Attempt::New(loaded) => *loaded,
            Attempt::Repeated(outcome) => return Ok(outcome),
        };
        let UnlockStep::Code(step) = loaded.flow.step.clone() else {
            return Err(UnlockError::WrongStep);
        };
        dead_end(&loaded.card, Some(&loaded.registration)).map_err(UnlockError::dead_end)?;
        let comparisons = comparisons.enter::<UnlockError>(&loaded.flow.person).await?;
        let compared = step.codes.compare(code, comparisons, environment.now()).await?;
        let another = if compared == CodeMatch::Expired {
            Some(environment.make_code(comparisons.hashing()).await?)
        } else {
            None
        };
        let mut transaction = environment.store.begin().await?;
        let how = if compared == CodeMatch::Right { Outcome::Done } else { Outcome::Refused };
        environment
            .record(&mut *transaction, Event::UnlockCodeEntered, how, &loaded.flow.person, loaded.card.guid)
            .await?;
        let flow = loaded.flow.id;
        let outcome = match compared {
            CodeMatch::Right => {
                // As in `try_answer`: no right code passes beside a last failed attempt.
                transaction.save_registration(&loaded.registration).await?;
                let step = match environment.policy.profile {
                    Profile::Classic | Profile::CodeOnly => UnlockStep::Passcode(step.right()),
                    Profile::Strict => UnlockStep::RecoveryCode(step.right_before_recovery_code()),
                };
                self.go_on(&mut *transaction, loaded.flow, step).await?;
                CodeOutcome::Right
            }
            CodeMatch::Expired => {
                let sent = match another {
                    Some((code, issued)) => {
                        self.send_code(&mut *transaction, &loaded.card, &loaded.registration, &code, issued).await?
                    }
                    None => None,
                };
                let resent = sent.is_some();
                let step = match sent {
                    Some(issued) => step.resent(issued),
                    None => step,
                };
                self.go_on(&mut *transaction, loaded.flow, UnlockStep::Code(step)).await?;
                CodeOutcome::Expired { resent }
            }
            CodeMatch::Wrong => match step.wrong() {
                UnlockStep::Code(step) => {
                    let tries_left = step.codes.tries_left;
                    self.go_on(&mut *transaction, loaded.flow, UnlockStep::Code(step)).await?;
                    CodeOutcome::Wrong { tries_left }
                }
                ended => match self.fail(&mut *transaction, loaded, ended).await? {
                    Failed::Open { attempts_left } => CodeOutcome::TriesUsedUp { attempts_left },
                    Failed::LockedOut(end) => CodeOutcome::LockedOut(end),
                },
            },
        };
        self.use_proof(&mut *transaction, flow, proof, &outcome).await?;
        transaction.commit().await?;
        Ok(outcome)
    }

    /// Mails another code.
    ///
    /// # Errors
    ///
    /// [`UnlockError`].
    pub async fn resend_code(&self, token: &Token, proof: &CardProof) -> Result<ResendOutcome, UnlockError> {
        let mut comparisons = Comparisons::new(&self.environment.hasher);
        let ended = retry_on_conflict!(self.try_resend_code(token, proof, &mut comparisons));
        self.noting_refusal(token, ended).await
    }

    async fn try_resend_code(
        &self,
        token: &Token,
        proof: &CardProof,
        comparisons: &mut Comparisons,
    ) -> Result<ResendOutcome, UnlockError> {
        let environment = &self.environment;
        let mut transaction = environment.store.begin().await?;
        let loaded = self.load(&mut *transaction, token).await?;
        if let Accepted::Repeated(outcome) =
            self.accept(&mut *transaction, (loaded.flow.id, &loaded.card), proof, FlowPurpose::Attempt).await?
        {
            return repeated(&outcome);
        }
        let UnlockStep::Code(step) = loaded.flow.step.clone() else {
            return Err(UnlockError::WrongStep);
        };
        dead_end(&loaded.card, Some(&loaded.registration)).map_err(UnlockError::dead_end)?;
        let sent_at = step.codes.sent_at();
        if let Some(at) = environment.next_code_at(&mut *transaction, &loaded.flow.person, sent_at).await? {
            return Ok(ResendOutcome::TooEarly { at });
        }
        drop(transaction);
        // Hashing is dear: nobody has it done without a card that may have a code.
        let comparisons = comparisons.enter::<UnlockError>(&loaded.flow.person).await?;
        let (code, issued) = environment.make_code(comparisons.hashing()).await?;
        let mut transaction = environment.store.begin().await?;
        let person = self.person(&mut *transaction, &loaded.flow).await?;
        let flow = loaded.flow.id;
        let Some(issued) = self.send_code(&mut *transaction, &loaded.card, &loaded.registration, &code, issued).await?
        else {
            // Another flow of the person came first, and had the last one of the hour.
            let at = environment.next_code_at(&mut *transaction, &person.user_number, None).await?;
            return Ok(ResendOutcome::TooEarly { at: at.unwrap_or_else(|| environment.now()) });
        };
        self.go_on(&mut *transaction, loaded.flow, UnlockStep::Code(step.resent(issued))).await?;
        self.use_proof(&mut *transaction, flow, proof, &ResendOutcome::Sent).await?;
        transaction.commit().await?;
        Ok(ResendOutcome::Sent)
    }

    pub(super) async fn go_on(
        &self,
        transaction: &mut dyn Transaction,
        flow: UnlockFlow,
        step: UnlockStep,
    ) -> Result<(), StoreError> {
        go_on(transaction, flow, step, self.environment.now()).await
    }

    pub(super) async fn person(
        &self,
        transaction: &mut dyn Transaction,
        flow: &UnlockFlow,
    ) -> Result<Person, UnlockError> {
        transaction.person(&flow.person).await?.ok_or(UnlockError::NoFlow)
    }

    /// Mails a code, unless the mails of the hour are used up. The pause between two codes is not asked for here: a
    /// person who waits for it gets the answer of [`UnlockService::resend_code`].
    pub(super) async fn send_code(
        &self,
        transaction: &mut dyn Transaction,
        card: &Card,
        registration: &Registration,
        code: &Code,
        mut issued: IssuedCode,
    ) -> Result<Option<IssuedCode>, StoreError> {
        let environment = &self.environment;
        let person = transaction.person(&registration.person).await?.ok_or(StoreError::Conflict)?;
        if environment.next_code_at(transaction, &person.user_number, None).await?.is_some() {
            return Ok(None);
        }
        let message = Message::UnlockCode { code: code.display().to_string(), valid_until: issued.valid_until };
        let to = registration.code_address(issued.sent_at);
        issued.mail = Some(environment.post(transaction, &person, to, message).await?);
        transaction.insert_code_mail(&person.user_number, issued.sent_at).await?;
        environment.record(transaction, Event::UnlockCodeSent, Outcome::Done, &person.user_number, card.guid).await?;
        Ok(Some(issued))
    }

    /// Counts a failed attempt; `step` is where the flow stands if it was not the last.
    async fn fail(
        &self,
        transaction: &mut dyn Transaction,
        loaded: Loaded,
        step: UnlockStep,
    ) -> Result<Failed, UnlockError> {
        let environment = &self.environment;
        let person = self.person(transaction, &loaded.flow).await?;
        let registration = loaded.registration.fail(&environment.policy, environment.now());
        transaction.save_registration(&registration).await?;
        match registration.standing {
            Standing::Open { .. } => {
                self.go_on(transaction, loaded.flow, step).await?;
                Ok(Failed::Open { attempts_left: registration.attempts_left(&environment.policy) })
            }
            Standing::LockedOut { .. } | Standing::Frozen { .. } => {
                let reference = environment
                    .record_dead_end(transaction, Event::SelfServiceLocked, &person.user_number, Some(loaded.card.guid))
                    .await?;
                let ended = UnlockStep::Ended { reason: EndReason::LockedOut, reference: Some(reference.clone()) };
                self.go_on(transaction, loaded.flow, ended).await?;
                environment.tell(transaction, &person, Some(&registration), &Message::SelfServiceLocked).await?;
                Ok(Failed::LockedOut(DeadEnd { reason: DeadEndReason::LockedOut, reference }))
            }
        }
    }
}

/// The answers to the questions that were asked, as they are compared: one to each and to no other.
fn fold(
    questions: &AnswerQuestions,
    answers: &[(QuestionId, String)],
) -> Result<Vec<(QuestionId, Answer)>, UnlockError> {
    let given = |question: QuestionId| {
        let mut found = answers.iter().filter(|(id, _)| *id == question);
        let (_, typed) = found.next()?;
        let answer = Answer::fold(typed);
        (found.next().is_none() && answer.characters() > 0).then_some(answer)
    };
    let folded: Option<Vec<_>> = questions.asked.iter().map(|question| Some((*question, given(*question)?))).collect();
    folded.filter(|folded| folded.len() == answers.len()).ok_or(UnlockError::AnswersMissing)
}

/// Compares every answer, also after a wrong one: how long it takes tells nothing.
async fn all_right(
    registration: &Registration,
    folded: &[(QuestionId, Answer)],
    comparisons: &mut Entered,
) -> Result<bool, UnlockError> {
    let mut all = true;
    for (question, answer) in folded {
        let stored = registration.answers.iter().find(|stored| stored.question == *question);
        let right = match stored {
            Some(stored) => comparisons.matches(&stored.hash, answer.expose_secret()).await?,
            None => false,
        };
        all &= right;
    }
    Ok(all)
}

/// What a proof within a flow is for.
enum Attempt<T> {
    /// Something new.
    New(Box<Loaded>),
    /// It was handled before; this is what came of it.
    Repeated(T),
}

/// Where a failed attempt leads.
enum Failed {
    /// The person may try again.
    Open { attempts_left: u8 },
    /// Only the RA can help.
    LockedOut(DeadEnd),
}
