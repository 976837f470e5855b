//! The use cases of registration. All but the first need only the session: the card was proved in it.

mod code;
mod factor;

use std::sync::Arc;

use card_protocol::{CardProof, Purpose};
use serde::{Deserialize, Serialize};

pub use factor::{AfterFactor, FactorSet};

use super::{
    FormerAddress, Registration, RegistrationFlow, RegistrationStep, Standing,
    flow::{ConfirmEmail, FlowFactor, SetQuestions},
};
use crate::{
    Environment, Timestamp,
    answer::AnswerSetFault,
    challenge::Binding,
    code::NotACode,
    delivery::CodeDelivery,
    email::{EmailAddress, NotAnEmailAddress},
    environment::{ProofFault, retry_on_conflict},
    milestone::{Milestone, StageEnd},
    ports::{HasherError, StoreError, Transaction},
    session::Session,
    sign_in::{SignInError, SignedIn, proved_card, use_challenge},
    token::{FlowId, FormId, Token},
    trail::{Event, Outcome},
};

/// The use cases of registration.
#[derive(Clone)]
pub struct RegistrationService {
    environment: Arc<Environment>,
}

/// What the profile says of a registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistrationStatus {
    /// There is none.
    NotRegistered,
    /// There is one.
    Registered {
        /// When it was completed.
        at: Timestamp,
        /// The address on file.
        email: EmailAddress,
        /// The address before, while unlock codes still go there.
        former: Option<FormerAddress>,
        /// Whether the person may try.
        standing: Standing,
        /// What is asked for beside the card and the code by e-mail.
        factor: Factor,
    },
}

/// What is asked for beside the card and the code by e-mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    /// Security questions.
    Questions,
    /// Recovery codes.
    RecoveryCodes {
        /// How many are left.
        left: u32,
    },
}

impl Factor {
    fn of(registration: &Registration) -> Self {
        if registration.answers.is_empty() {
            Self::RecoveryCodes { left: u32::try_from(registration.recovery_codes.len()).unwrap_or(u32::MAX) }
        } else {
            Self::Questions
        }
    }
}

/// What the page shows of a registration that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistrationView {
    /// It has not begun, or its time is over: the passcode is to be proved.
    NotBegun,
    /// The questions are to be set.
    Questions {
        /// Names this rendering of the form.
        form: FormId,
        /// For which registration.
        aim: FlowAim,
    },
    /// The address is to be confirmed.
    Email {
        /// Names this rendering of the form.
        form: FormId,
        /// For which registration.
        aim: FlowAim,
        /// The address on file.
        on_file: Option<EmailAddress>,
    },
    /// The code is to be entered.
    Code {
        /// Names this rendering of the form.
        form: FormId,
        /// Names this rendering of the form that asks for another code.
        resend_form: FormId,
        /// For which registration.
        aim: FlowAim,
        /// Where it was sent.
        sent_to: EmailAddress,
        /// Until when the latest works.
        valid_until: Option<Timestamp>,
        /// How far its mail is.
        delivery: CodeDelivery,
        /// From when another can be asked for.
        resend_at: Option<Timestamp>,
        /// How many wrong entries are left.
        tries_left: u8,
    },
    /// The registration is complete.
    Completed,
    /// It was stopped, or the tries of its code are used up.
    Ended,
}

/// What a flow leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowAim {
    /// A registration, all of it.
    Registration,
    /// The change of one part of a registration that is there.
    Change,
}

impl FlowAim {
    fn of(factor: &FlowFactor) -> Self {
        match factor {
            FlowFactor::New(_) => Self::Registration,
            FlowFactor::Kept {} => Self::Change,
        }
    }
}

/// What became of a code that was entered.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum RegistrationCodeOutcome {
    /// It is right: the registration is complete.
    Registered,
    /// It is right: the address is changed.
    EmailChanged,
    /// It is wrong.
    Wrong {
        /// How many tries are left.
        tries_left: u8,
    },
    /// It was right once; another is on its way, unless the mails of the hour are used up.
    Expired {
        /// Whether another was sent.
        resent: bool,
    },
    /// That was the last try.
    TriesUsedUp,
}

/// A code that was entered, and the session's new token where the session got one.
pub struct CodeEntered {
    /// What became of it.
    pub outcome: RegistrationCodeOutcome,
    /// The new token: the session was proved by one more factor.
    pub token: Option<Token>,
}

/// Why a request of a registration was not carried out. Nothing was spent and nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// None has begun, or its time is over.
    #[error("no registration is under way")]
    NotBegun,
    /// It is at another step.
    #[error("the registration is at another step")]
    WrongStep,
    /// There is no registration to change.
    #[error("the person is not registered")]
    NotRegistered,
    /// Nobody registers here, as the policy is.
    #[error("nobody registers here")]
    NotOffered,
    /// Too many attempts have failed: only the RA can help.
    #[error("self-service is locked for this person")]
    LockedOut,
    /// The person said that something was not done by them: only the RA can help.
    #[error("self-service is frozen for this person")]
    Frozen,
    /// The proof does not count.
    #[error(transparent)]
    Proof(#[from] ProofFault),
    /// The card was cancelled.
    #[error("the card is cancelled")]
    Cancelled,
    /// The questions or answers do not follow the rules.
    #[error("the questions or answers do not follow the rules")]
    Answers(Vec<AnswerSetFault>),
    /// What was entered is no address.
    #[error(transparent)]
    NotAnEmailAddress(#[from] NotAnEmailAddress),
    /// The address is not at an approved domain.
    #[error("the domain is not approved")]
    DomainNotApproved,
    /// The address is the one on file.
    #[error("the address is the one on file")]
    SameEmail,
    /// What was entered is no code.
    #[error(transparent)]
    NotACode(#[from] NotACode),
    /// Another code cannot be sent yet.
    #[error("another code cannot be sent yet")]
    TooEarly {
        /// From when.
        at: Timestamp,
    },
    /// The hasher failed.
    #[error(transparent)]
    Hasher(#[from] HasherError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RegistrationError {
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(StoreError::Conflict))
    }
}

impl From<SignInError> for RegistrationError {
    fn from(fault: SignInError) -> Self {
        match fault {
            SignInError::Proof(fault) => Self::Proof(fault),
            SignInError::Cancelled => Self::Cancelled,
            SignInError::Store(fault) => Self::Store(fault),
        }
    }
}

/// Which step to go back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackTo {
    /// Set other questions.
    Questions,
    /// Confirm another address.
    Email,
}

impl RegistrationService {
    pub(crate) fn new(environment: Arc<Environment>) -> Self {
        Self { environment }
    }

    /// Says whether a person is registered.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn status(&self, signed_in: &SignedIn) -> Result<RegistrationStatus, StoreError> {
        let mut transaction = self.environment.store.begin().await?;
        let registration = transaction.registration(&signed_in.person.user_number).await?;
        let now = self.environment.now();
        Ok(registration.filter(Registration::is_to_be_shown).map_or(
            RegistrationStatus::NotRegistered,
            |registration| RegistrationStatus::Registered {
                at: registration.registered_at,
                factor: Factor::of(&registration),
                former: registration.pending_former(now).cloned(),
                email: registration.email,
                standing: registration.standing,
            },
        ))
    }

    /// Begins a registration: the card of the session has proved its holder again (purpose `register`). One that was
    /// under way in this session ends.
    ///
    /// # Errors
    ///
    /// [`RegistrationError`].
    pub async fn begin(&self, signed_in: &SignedIn, proof: &CardProof) -> Result<(), RegistrationError> {
        self.environment.let_begin()?;
        let begun = retry_on_conflict!(self.try_begin(signed_in, proof));
        if let Err(RegistrationError::Proof(ProofFault::Refused)) = &begun {
            let session = &signed_in.session;
            self.environment.record_refused_proof(&session.person, session.card).await?;
        }
        begun
    }

    async fn try_begin(&self, signed_in: &SignedIn, proof: &CardProof) -> Result<(), RegistrationError> {
        let environment = &self.environment;
        let session = &signed_in.session;
        environment.check_challenge(proof, Purpose::Register, Binding::Session(session.id))?;
        if !environment.policy.profile.registers() {
            return Err(RegistrationError::NotOffered);
        }
        if proof.guid != session.card {
            return Err(ProofFault::Refused.into());
        }
        let mut transaction = environment.store.begin().await?;
        let card = proved_card(environment, &mut *transaction, proof).await?;
        refuse_closed(transaction.registration(&session.person).await?.as_ref())?;
        use_challenge(&mut *transaction, proof, environment.now()).await?;
        let step = RegistrationStep::Questions(SetQuestions {});
        begin(environment, &mut *transaction, session, step).await?;
        environment
            .record(&mut *transaction, Event::RegistrationBegun, Outcome::Done, &session.person, card.guid)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// Says what to show.
    ///
    /// # Errors
    ///
    /// [`RegistrationError::Store`].
    pub async fn view(&self, signed_in: &SignedIn) -> Result<RegistrationView, RegistrationError> {
        let environment = &self.environment;
        let mut transaction = environment.store.begin().await?;
        let flow = match self.flow(&mut *transaction, &signed_in.session).await {
            Ok(flow) => flow,
            Err(RegistrationError::NotBegun) => return Ok(RegistrationView::NotBegun),
            Err(fault) => return Err(fault),
        };
        let form = FormId::generate(&*environment.randomness);
        Ok(match flow.step {
            RegistrationStep::Questions(_) => RegistrationView::Questions { form, aim: FlowAim::Registration },
            RegistrationStep::Factor(_) | RegistrationStep::Keep(_) => {
                RegistrationView::Questions { form, aim: FlowAim::Change }
            }
            RegistrationStep::Email(step) => {
                let registration = transaction.registration(&flow.person).await?;
                let on_file = registration.map(|registration| registration.email);
                let on_file = on_file.or_else(|| signed_in.person.email.clone());
                RegistrationView::Email { form, aim: FlowAim::of(&step.factor), on_file }
            }
            RegistrationStep::Code(code) => RegistrationView::Code {
                form,
                aim: FlowAim::of(&code.factor),
                resend_form: FormId::generate(&*environment.randomness),
                valid_until: code.codes.valid_until(),
                delivery: CodeDelivery::of(&code.codes, &mut *transaction, environment.now()).await?,
                resend_at: environment.next_code_at(&mut *transaction, &flow.person, code.codes.sent_at()).await?,
                tries_left: code.codes.tries_left,
                sent_to: code.email,
            },
            RegistrationStep::Completed => RegistrationView::Completed,
            RegistrationStep::Ended => RegistrationView::Ended,
        })
    }

    /// Keeps the registration that is under way in a session alive, if there is one.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn extend(&self, session: &Session) -> Result<(), StoreError> {
        let environment = &self.environment;
        let mut transaction = environment.store.begin().await?;
        let flow = match self.flow(&mut *transaction, session).await {
            Ok(flow) => flow,
            Err(RegistrationError::Store(fault)) => return Err(fault),
            Err(_) => return Ok(()),
        };
        if environment.is_to_be_noted(flow.last_active) {
            transaction.touch_registration_flow(flow.id, environment.now()).await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    /// Goes back to an earlier step.
    ///
    /// # Errors
    ///
    /// [`RegistrationError`].
    pub async fn go_back(&self, session: &Session, to: BackTo) -> Result<(), RegistrationError> {
        retry_on_conflict!(async {
            let mut transaction = self.environment.store.begin().await?;
            let flow = self.flow(&mut *transaction, session).await?;
            let step = match (flow.step.clone(), to) {
                (RegistrationStep::Code(step), BackTo::Email) => RegistrationStep::Email(step.change_email()),
                (RegistrationStep::Code(step), BackTo::Questions) => questions_again(step.change_email())?,
                (RegistrationStep::Email(step), BackTo::Questions) => questions_again(step)?,
                (step @ RegistrationStep::Email(_), BackTo::Email)
                | (step @ RegistrationStep::Questions(_), BackTo::Questions) => step,
                _ => return Err(RegistrationError::WrongStep),
            };
            self.go_on(&mut *transaction, flow, step).await?;
            Ok::<_, RegistrationError>(transaction.commit().await?)
        })
    }

    /// Ends a registration that is under way because its person wants to; no error where there is none.
    ///
    /// # Errors
    ///
    /// [`RegistrationError`].
    pub async fn stop(&self, session: &Session) -> Result<(), RegistrationError> {
        retry_on_conflict!(async {
            let environment = &self.environment;
            let mut transaction = environment.store.begin().await?;
            let flow = match self.flow(&mut *transaction, session).await {
                Ok(flow) => flow,
                Err(RegistrationError::NotBegun) => return Ok(()),
                Err(fault) => return Err(fault),
            };
            environment.record(&mut *transaction, Event::FlowEnded, Outcome::Done, &flow.person, flow.card).await?;
            transaction.count_milestone(Milestone::registration_ended(&flow.step, StageEnd::Stopped));
            let (step, last_active) = (RegistrationStep::Ended, environment.now());
            transaction.save_registration_flow(&RegistrationFlow { step, last_active, ..flow }).await?;
            Ok::<_, RegistrationError>(transaction.commit().await?)
        })
    }

    /// Writes down to which step a registration has come.
    async fn go_on(
        &self,
        transaction: &mut dyn Transaction,
        flow: RegistrationFlow,
        step: RegistrationStep,
    ) -> Result<(), StoreError> {
        transaction.count_milestone(Milestone::of_registration(&flow.step, &step));
        let last_active = self.environment.now();
        transaction.save_registration_flow(&RegistrationFlow { step, last_active, ..flow }).await
    }

    /// The flow of a session, unless its time is over.
    async fn flow(
        &self,
        transaction: &mut dyn Transaction,
        session: &Session,
    ) -> Result<RegistrationFlow, RegistrationError> {
        let flow = transaction.registration_flow(session.id).await?.ok_or(RegistrationError::NotBegun)?;
        if is_over(&self.environment, &flow) {
            return Err(RegistrationError::NotBegun);
        }
        Ok(flow)
    }
}

/// Whether nobody went on in its time.
fn is_over(environment: &Environment, flow: &RegistrationFlow) -> bool {
    environment.now() - flow.last_active >= environment.policy.flow_idle
}

/// Has the session of a card that has proved its holder begin a registration, or the change of one, in place of an earlier one.
pub(crate) async fn begin(
    environment: &Environment,
    transaction: &mut dyn Transaction,
    session: &Session,
    step: RegistrationStep,
) -> Result<(), StoreError> {
    if let Some(earlier) = transaction.registration_flow(session.id).await? {
        let end = if is_over(environment, &earlier) { StageEnd::Expired } else { StageEnd::Superseded };
        transaction.count_milestone(Milestone::registration_ended(&earlier.step, end));
    }
    transaction.count_milestone(Milestone::registration_begun(&step));
    let flow = RegistrationFlow {
        id: FlowId::generate(&*environment.randomness),
        session: session.id,
        person: session.person.clone(),
        card: session.card,
        step,
        last_active: environment.now(),
        version: 0,
    };
    transaction.replace_registration_flow(&flow).await
}

fn questions_again(step: ConfirmEmail) -> Result<RegistrationStep, RegistrationError> {
    step.change_questions().map(RegistrationStep::Questions).ok_or(RegistrationError::WrongStep)
}

/// Nobody registers anew to get rid of failed attempts, or after the person had self-service frozen.
pub(crate) fn refuse_closed(registration: Option<&Registration>) -> Result<(), RegistrationError> {
    match registration.map(|registration| registration.standing) {
        Some(Standing::LockedOut { .. }) => Err(RegistrationError::LockedOut),
        Some(Standing::Frozen { .. }) => Err(RegistrationError::Frozen),
        Some(Standing::Open { .. }) | None => Ok(()),
    }
}
