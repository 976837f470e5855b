//! What a person answers with, for a registration that is under way and for one that is there: questions, or recovery codes.

use super::{
    super::{NewFactor, Registration, RegistrationFlow, RegistrationStep, flow::SetQuestions, hash_answers},
    RegistrationError, RegistrationService, refuse_closed,
};
use crate::{
    answer::AnswerSet,
    environment::retry_on_conflict,
    mail::Message,
    policy::QUESTIONS_SET,
    ports::Transaction,
    recovery::{RecoveryCode, StoredRecoveryCode},
    session::Session,
    sign_in::renew_session,
    token::{FormId, Token},
    trail::{Event, Outcome},
    unlock::{EndReason, UnlockStep, end_unlocks},
};

/// What was set, and the session's new token where the session got one.
pub struct FactorSet {
    /// What comes then.
    pub then: AfterFactor,
    /// The new token: what the person answers with is another.
    pub token: Option<Token>,
}

/// What comes after questions were set or recovery codes kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterFactor {
    /// The address is to be confirmed: a registration is under way.
    ConfirmEmail,
    /// Nothing: the registration that is there was changed.
    Changed,
}

impl RegistrationService {
    /// Sets the four questions: for each the number of the question and the answer as typed.
    ///
    /// # Errors
    ///
    /// [`RegistrationError`].
    pub async fn set_questions(
        &self,
        session: &Session,
        form: FormId,
        chosen: &[(Option<u8>, &str); QUESTIONS_SET],
    ) -> Result<FactorSet, RegistrationError> {
        if !self.environment.policy.profile.has_questions() {
            return Err(RegistrationError::WrongStep);
        }
        let set = AnswerSet::parse(chosen).map_err(RegistrationError::Answers)?;
        let hashing = self.environment.hasher.enter(&session.person).await?;
        // Hashing is dear: not for whoever is at another step, or repeats a form.
        if let QuestionsForm::Handled(then) =
            self.questions_form(&mut *self.environment.store.begin().await?, session, form).await?
        {
            return Ok(FactorSet { then, token: None });
        }
        let answers = hash_answers(&set, &*hashing).await?;
        retry_on_conflict!(self.try_set_questions(session, form, NewFactor::questions(answers.clone())))
    }

    async fn try_set_questions(
        &self,
        session: &Session,
        form: FormId,
        factor: NewFactor,
    ) -> Result<FactorSet, RegistrationError> {
        let mut transaction = self.environment.store.begin().await?;
        let set = match self.questions_form(&mut *transaction, session, form).await? {
            QuestionsForm::Handled(then) => return Ok(FactorSet { then, token: None }),
            QuestionsForm::OfNew(flow, step) => {
                transaction.insert_handled_form(flow.id, form, "").await?;
                let step = RegistrationStep::Email(step.set(factor));
                self.go_on(&mut *transaction, flow, step).await?;
                FactorSet { then: AfterFactor::ConfirmEmail, token: None }
            }
            QuestionsForm::OfChange(flow, registration) => {
                transaction.insert_handled_form(flow.id, form, "").await?;
                self.change_factor(&mut *transaction, session, flow, *registration, factor).await?
            }
        };
        transaction.commit().await?;
        Ok(set)
    }

    /// What a form with questions is for.
    async fn questions_form(
        &self,
        transaction: &mut dyn Transaction,
        session: &Session,
        form: FormId,
    ) -> Result<QuestionsForm, RegistrationError> {
        let flow = self.flow(transaction, session).await?;
        if transaction.handled_form(flow.id, form).await?.is_some() {
            let is_changed = matches!(flow.step, RegistrationStep::Completed);
            return Ok(QuestionsForm::Handled(if is_changed {
                AfterFactor::Changed
            } else {
                AfterFactor::ConfirmEmail
            }));
        }
        match flow.step.clone() {
            RegistrationStep::Questions(step) => Ok(QuestionsForm::OfNew(flow, step)),
            RegistrationStep::Factor(_) | RegistrationStep::Keep(_) => {
                let registration = Box::new(changeable(transaction, &flow).await?);
                Ok(QuestionsForm::OfChange(flow, registration))
            }
            _ => Err(RegistrationError::WrongStep),
        }
    }

    /// Makes ten recovery codes in place of questions, and gives them: this once. For a registration that is there they
    /// work when [they are kept](Self::keep_recovery_codes); until then others can be made.
    ///
    /// # Errors
    ///
    /// [`RegistrationError`].
    pub async fn make_recovery_codes(&self, session: &Session) -> Result<Vec<RecoveryCode>, RegistrationError> {
        let environment = &self.environment;
        let hashing = environment.hasher.enter(&session.person).await?;
        // Hashing is dear: not for whoever is at another step.
        let mut transaction = environment.store.begin().await?;
        let flow = self.flow(&mut *transaction, session).await?;
        if let RegistrationStep::Factor(_) | RegistrationStep::Keep(_) = flow.step {
            changeable(&mut *transaction, &flow).await?;
        }
        with_codes(flow.step, Vec::new())?;
        drop(transaction);
        let codes = RecoveryCode::generate(&*environment.randomness);
        let stored = RecoveryCode::hash_all(&codes, &*hashing).await?;
        retry_on_conflict!(async {
            let mut transaction = environment.store.begin().await?;
            let flow = self.flow(&mut *transaction, session).await?;
            let step = with_codes(flow.step.clone(), stored.clone())?;
            self.go_on(&mut *transaction, flow, step).await?;
            Ok::<_, RegistrationError>(transaction.commit().await?)
        })?;
        Ok(codes)
    }

    /// The person has kept the recovery codes that were made for their registration: these work now, and what they
    /// answered with before does not.
    ///
    /// # Errors
    ///
    /// [`RegistrationError`].
    pub async fn keep_recovery_codes(&self, session: &Session) -> Result<Token, RegistrationError> {
        retry_on_conflict!(async {
            let mut transaction = self.environment.store.begin().await?;
            let flow = self.flow(&mut *transaction, session).await?;
            let RegistrationStep::Keep(step) = flow.step.clone() else {
                return Err(RegistrationError::WrongStep);
            };
            let factor = NewFactor::recovery_codes(step.recovery_codes);
            let registration = changeable(&mut *transaction, &flow).await?;
            let set = self.change_factor(&mut *transaction, session, flow, registration, factor).await?;
            transaction.commit().await?;
            set.token.ok_or(RegistrationError::WrongStep)
        })
    }

    /// Gives a registration something else to answer with, and tells its person. An unlock that is under way ends.
    async fn change_factor(
        &self,
        transaction: &mut dyn Transaction,
        session: &Session,
        flow: RegistrationFlow,
        registration: Registration,
        factor: NewFactor,
    ) -> Result<FactorSet, RegistrationError> {
        let environment = &self.environment;
        let person = transaction.person(&flow.person).await?.ok_or(RegistrationError::NotRegistered)?;
        let (event, message) = if factor.answers.is_empty() {
            (Event::RecoveryCodesMade, Message::RecoveryCodesChanged)
        } else {
            (Event::QuestionsChanged, Message::QuestionsChanged)
        };
        let registration = registration.with_factor(factor, &environment.policy, &*environment.randomness);
        transaction.save_registration(&registration).await?;
        // It would be about what is no more.
        end_unlocks(transaction, &flow.person, &UnlockStep::ended(EndReason::Stopped)).await?;
        environment.tell_everywhere(transaction, &person, Some(&registration), &message).await?;
        environment.record(transaction, event, Outcome::Done, &flow.person, flow.card).await?;
        self.go_on(transaction, flow, RegistrationStep::Completed).await?;
        let token = Some(renew_session(environment, transaction, session).await?);
        Ok(FactorSet { then: AfterFactor::Changed, token })
    }
}

/// What a form with questions is for.
enum QuestionsForm {
    /// Nothing: it was handled already.
    Handled(AfterFactor),
    /// A registration that is under way.
    OfNew(RegistrationFlow, SetQuestions),
    /// The registration that is there.
    OfChange(RegistrationFlow, Box<Registration>),
}

/// The registration that a flow changes.
async fn changeable(
    transaction: &mut dyn Transaction,
    flow: &RegistrationFlow,
) -> Result<Registration, RegistrationError> {
    let registration = transaction.registration(&flow.person).await?;
    refuse_closed(registration.as_ref())?;
    registration.filter(|found| found.ended_at.is_none()).ok_or(RegistrationError::NotRegistered)
}

/// The step after recovery codes were made.
fn with_codes(step: RegistrationStep, codes: Vec<StoredRecoveryCode>) -> Result<RegistrationStep, RegistrationError> {
    match step {
        RegistrationStep::Questions(step) => Ok(RegistrationStep::Email(step.set(NewFactor::recovery_codes(codes)))),
        RegistrationStep::Factor(step) => Ok(RegistrationStep::Keep(step.made(codes))),
        RegistrationStep::Keep(step) => Ok(RegistrationStep::Keep(step.made_anew(codes))),
        _ => Err(RegistrationError::WrongStep),
    }
}
