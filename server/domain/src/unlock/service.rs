//! The use cases of an unlock.

mod attempt;
mod begin;
mod release;

use std::sync::Arc;

use card_protocol::{CardProof, Challenge, Purpose, sealed::SealedError};
use serde::{Deserialize, Serialize};
use time::Duration;

use super::{EndReason, UnlockFlow, UnlockStep, go_on};
use crate::{
    Environment, Timestamp,
    card::{Card, CardState},
    challenge::Binding,
    code::NotACode,
    delivery::CodeDelivery,
    email::MaskedAddress,
    environment::{ProofFault, retry_on_conflict},
    ports::{HasherError, StoreError, Transaction, UsedChallenge, VaultError},
    question::QuestionId,
    recovery::NotARecoveryCode,
    registration::{Registration, Standing},
    token::{FlowId, Token},
    trail::{Event, Outcome, Reference},
};

/// The use cases of an unlock.
#[derive(Clone)]
pub struct UnlockService {
    environment: Arc<Environment>,
}

/// For which proof within a flow a challenge is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowPurpose {
    /// To hand in answers or a code, or to ask for another code.
    Attempt,
    /// To receive the sealed unlock keys.
    Release,
}

impl From<FlowPurpose> for Purpose {
    fn from(purpose: FlowPurpose) -> Self {
        match purpose {
            FlowPurpose::Attempt => Self::Attempt,
            FlowPurpose::Release => Self::Release,
        }
    }
}

/// What became of a card that asked to be unlocked.
pub enum Identified {
    /// Its person may go on; the token opens the flow.
    Flow(Token),
    /// Only the RA can help.
    DeadEnd(DeadEnd),
}

/// Why self-service ends here. The card is genuine, so the page may speak plainly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadEnd {
    /// Why.
    pub reason: DeadEndReason,
    /// What the person quotes to the RA.
    pub reference: Reference,
}

/// Why self-service ends here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeadEndReason {
    /// The person has not registered.
    NotRegistered,
    /// Too many attempts have failed.
    LockedOut,
    /// The person had self-service frozen.
    Frozen,
    /// The card was cancelled.
    Cancelled,
    /// The card has refused every unlock key.
    UnlockKeyRefused,
    /// Nobody registers, and the RA holds no address to which a code could go.
    NoAddress,
}

/// What the page shows of an unlock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnlockView {
    /// The questions are to be answered.
    Questions {
        /// Which.
        asked: Vec<QuestionId>,
        /// How many attempts are left.
        attempts_left: u8,
    },
    /// The code is to be entered.
    Code {
        /// Where it was sent.
        sent_to: MaskedAddress,
        /// Until when the latest works; none where none could be sent.
        valid_until: Option<Timestamp>,
        /// How far its mail is.
        delivery: CodeDelivery,
        /// From when another can be asked for.
        resend_at: Option<Timestamp>,
        /// How many wrong entries are left.
        tries_left: u8,
    },
    /// A recovery code is to be entered.
    RecoveryCode {
        /// How many attempts are left.
        attempts_left: u8,
    },
    /// The passcode is to be chosen.
    Passcode(PasscodeView),
    /// The card is unlocked.
    Completed,
    /// The flow ended.
    Ended {
        /// Why.
        reason: EndReason,
        /// What the person quotes to the RA, where only the RA can help.
        reference: Option<Reference>,
    },
}

/// Whether the card may have been written already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasscodeView {
    /// Nothing was released yet.
    First,
    /// A release has no outcome: nobody knows if it finished.
    Again,
}

/// What became of answers that were handed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum AnswerOutcome {
    /// They are right; a code is on its way.
    Right,
    /// It is right, and nothing more is asked: the passcode may be chosen.
    RightAndLast,
    /// At least one is wrong.
    Wrong {
        /// How many attempts are left.
        attempts_left: u8,
    },
    /// That was the last attempt.
    LockedOut(DeadEnd),
}

/// What became of a code that was entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum CodeOutcome {
    /// It is right.
    Right,
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
    /// That was the last try: the flow ended, and an attempt was counted.
    TriesUsedUp {
        /// How many attempts are left.
        attempts_left: u8,
    },
    /// That was the last try of the last attempt.
    LockedOut(DeadEnd),
}

/// What became of the wish for another code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum ResendOutcome {
    /// It is on its way.
    Sent,
    /// Not yet.
    TooEarly {
        /// From when.
        #[serde(with = "crate::milliseconds")]
        at: Timestamp,
    },
}

/// Why a request of an unlock was not carried out. Nothing was spent.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    /// There is no such flow, or its time is over.
    #[error("there is no open flow")]
    NoFlow,
    /// The flow is at another step.
    #[error("the flow is at another step")]
    WrongStep,
    /// The proof does not count.
    #[error(transparent)]
    Proof(#[from] ProofFault),
    /// The card has begun too many unlocks within an hour.
    #[error("the card has begun too many unlocks")]
    TooOften {
        /// How long to wait.
        wait: Duration,
    },
    /// An answer is missing, or one was given to a question that was not asked.
    #[error("answers are missing")]
    AnswersMissing,
    /// What was entered is no code.
    #[error(transparent)]
    NotACode(#[from] NotACode),
    /// What was entered is no recovery code.
    #[error(transparent)]
    NotARecoveryCode(#[from] NotARecoveryCode),
    /// Self-service ended for this person or card meanwhile.
    #[error("self-service has ended for this person or card")]
    DeadEnd {
        /// Why.
        reason: DeadEndReason,
        /// What the person quotes to the RA.
        reference: Option<Reference>,
    },
    /// The hasher failed.
    #[error(transparent)]
    Hasher(#[from] HasherError),
    /// The vault failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The connection key is none.
    #[error(transparent)]
    Seal(#[from] SealedError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UnlockError {
    /// What there is to quote is found when nothing else is under way.
    fn dead_end(reason: DeadEndReason) -> Self {
        Self::DeadEnd { reason, reference: None }
    }

    fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(StoreError::Conflict))
    }
}

/// All that an attempt works on, loaded in one transaction.
struct Loaded {
    flow: UnlockFlow,
    card: Card,
    registration: Registration,
}

/// What the last step works on: an officer may have opened it for somebody who has not registered.
struct LoadedCard {
    flow: UnlockFlow,
    card: Card,
    registration: Option<Registration>,
}

/// Whether a proof is new or a repetition.
enum Accepted {
    /// It is new.
    New,
    /// It was handled before in this flow; this is the stored outcome.
    Repeated(String),
}

impl UnlockService {
    pub(crate) fn new(environment: Arc<Environment>) -> Self {
        Self { environment }
    }

    /// Gives a challenge for the next proof within a flow, and keeps the flow alive.
    ///
    /// # Errors
    ///
    /// [`UnlockError::NoFlow`], [`UnlockError::Store`].
    pub async fn challenge(&self, token: &Token, purpose: FlowPurpose) -> Result<Challenge, UnlockError> {
        let flow = self.extend(token).await?;
        let environment = &self.environment;
        let binding = Binding::Flow(flow);
        Ok(environment.challenge_key.issue(purpose.into(), binding, environment.now(), &*environment.randomness))
    }

    /// Keeps a flow alive.
    ///
    /// # Errors
    ///
    /// [`UnlockError::NoFlow`], [`UnlockError::Store`].
    pub async fn extend(&self, token: &Token) -> Result<FlowId, UnlockError> {
        let environment = &self.environment;
        let mut transaction = environment.store.begin().await?;
        let flow = self.flow(&mut *transaction, token).await?;
        if environment.is_to_be_noted(flow.last_active) {
            transaction.touch_unlock_flow(flow.id, environment.now()).await?;
            transaction.commit().await?;
        }
        Ok(flow.id)
    }

    /// How long a flow lives on unless it is used. Asking is no use.
    ///
    /// # Errors
    ///
    /// [`UnlockError::NoFlow`], [`UnlockError::Store`].
    pub async fn time_left(&self, token: &Token) -> Result<Duration, UnlockError> {
        let mut transaction = self.environment.store.begin().await?;
        let flow = self.flow(&mut *transaction, token).await?;
        Ok(flow.ends_at(&self.environment.policy) - self.environment.now())
    }

    /// Says what to show.
    ///
    /// # Errors
    ///
    /// [`UnlockError::NoFlow`], [`UnlockError::Store`].
    pub async fn view(&self, token: &Token) -> Result<UnlockView, UnlockError> {
        let environment = &self.environment;
        let mut transaction = environment.store.begin().await?;
        let flow = self.flow(&mut *transaction, token).await?;
        Ok(match flow.step {
            UnlockStep::Questions(questions) => {
                let registration = transaction.registration(&flow.person).await?.ok_or(UnlockError::NoFlow)?;
                let attempts_left = registration.attempts_left(&environment.policy);
                UnlockView::Questions { asked: questions.asked, attempts_left }
            }
            UnlockStep::Code(code) => {
                let registration = transaction.registration(&flow.person).await?.ok_or(UnlockError::NoFlow)?;
                let sent_at = code.codes.sent_at();
                UnlockView::Code {
                    sent_to: registration.code_address(environment.now()).masked(),
                    valid_until: code.codes.valid_until(),
                    delivery: CodeDelivery::of(&code.codes, &mut *transaction, environment.now()).await?,
                    resend_at: environment.next_code_at(&mut *transaction, &flow.person, sent_at).await?,
                    tries_left: code.codes.tries_left,
                }
            }
            UnlockStep::RecoveryCode(_) => {
                let registration = transaction.registration(&flow.person).await?.ok_or(UnlockError::NoFlow)?;
                UnlockView::RecoveryCode { attempts_left: registration.attempts_left(&environment.policy) }
            }
            UnlockStep::Passcode(passcode) if passcode.releases.is_empty() => UnlockView::Passcode(PasscodeView::First),
            UnlockStep::Passcode(_) => UnlockView::Passcode(PasscodeView::Again),
            UnlockStep::Completed(_) => UnlockView::Completed,
            UnlockStep::Ended { reason, reference } => UnlockView::Ended { reason, reference },
        })
    }

    /// Ends a flow because its person wants to. The card has not been changed unless keys were released.
    ///
    /// # Errors
    ///
    /// [`UnlockError`]; none where the flow has ended already.
    pub async fn stop(&self, token: &Token) -> Result<(), UnlockError> {
        retry_on_conflict!(self.try_stop(token))
    }

    async fn try_stop(&self, token: &Token) -> Result<(), UnlockError> {
        let environment = &self.environment;
        let mut transaction = environment.store.begin().await?;
        let flow = match self.flow(&mut *transaction, token).await {
            Ok(flow) if flow.step.is_open() => flow,
            Ok(_) | Err(UnlockError::NoFlow) => return Ok(()),
            Err(fault) => return Err(fault),
        };
        environment.record(&mut *transaction, Event::FlowEnded, Outcome::Done, &flow.person, flow.card).await?;
        let last_active = flow.last_active;
        go_on(&mut *transaction, flow, UnlockStep::ended(EndReason::Stopped), last_active).await?;
        Ok(transaction.commit().await?)
    }

    /// Gives a result on; that a proof was refused is noted on the trail first, and whoever cannot go on has something to
    /// quote.
    async fn noting_refusal<T>(&self, token: &Token, result: Result<T, UnlockError>) -> Result<T, UnlockError> {
        match result {
            Err(UnlockError::Proof(ProofFault::Refused)) => {
                let flow = self.environment.store.begin().await?.unlock_flow(token.hash()).await?;
                if let Some(flow) = flow {
                    self.environment.record_refused_proof(&flow.person, flow.card).await?;
                }
                result
            }
            // It ends also where there is nothing to quote.
            Err(UnlockError::DeadEnd { reason, .. }) => {
                let reference = retry_on_conflict!(self.to_be_quoted(token)).ok();
                Err(UnlockError::DeadEnd { reason, reference })
            }
            result => result,
        }
    }

    /// What the person of a flow quotes to the RA who cannot go on.
    async fn to_be_quoted(&self, token: &Token) -> Result<Reference, UnlockError> {
        let mut transaction = self.environment.store.begin().await?;
        let LoadedCard { card, .. } = self.load_card(&mut *transaction, token).await?;
        let reference = self.reference(&mut *transaction, &card).await?;
        transaction.commit().await?;
        Ok(reference)
    }

    /// The flow of a cookie, unless its time is over.
    async fn flow(&self, transaction: &mut dyn Transaction, token: &Token) -> Result<UnlockFlow, UnlockError> {
        let flow = transaction.unlock_flow(token.hash()).await?.ok_or(UnlockError::NoFlow)?;
        if self.environment.now() >= flow.ends_at(&self.environment.policy) {
            return Err(UnlockError::NoFlow);
        }
        Ok(flow)
    }

    /// The flow of a cookie with its card and registration.
    async fn load(&self, transaction: &mut dyn Transaction, token: &Token) -> Result<Loaded, UnlockError> {
        let LoadedCard { flow, card, registration } = self.load_card(transaction, token).await?;
        Ok(Loaded { flow, card, registration: registration.ok_or(UnlockError::NoFlow)? })
    }

    /// The same, whether there is a registration or not.
    async fn load_card(&self, transaction: &mut dyn Transaction, token: &Token) -> Result<LoadedCard, UnlockError> {
        let flow = self.flow(transaction, token).await?;
        let card = transaction.card(&flow.card).await?.ok_or(UnlockError::NoFlow)?;
        let registration = transaction.registration(&flow.person).await?;
        Ok(LoadedCard { flow, card, registration })
    }

    /// Accepts a proof within a flow: of its card, over a challenge of this flow. Only a proof that was verified can
    /// be found to be a repetition.
    async fn accept(
        &self,
        transaction: &mut dyn Transaction,
        (flow, card): (FlowId, &Card),
        proof: &CardProof,
        purpose: FlowPurpose,
    ) -> Result<Accepted, UnlockError> {
        let environment = &self.environment;
        if !card.signed(proof, &environment.origin) {
            return Err(ProofFault::Refused.into());
        }
        if let Some(used) = transaction.used_challenge(&proof.challenge).await?
            && proof.purpose == purpose.into()
        {
            let ours = used.flow == Some(flow);
            return if ours { Ok(Accepted::Repeated(used.outcome)) } else { Err(ProofFault::Stale.into()) };
        }
        environment.check_challenge(proof, purpose.into(), Binding::Flow(flow))?;
        Ok(Accepted::New)
    }

    /// Notes a proof as used, with what came of it.
    async fn use_proof<T: Serialize + Sync>(
        &self,
        transaction: &mut dyn Transaction,
        flow: FlowId,
        proof: &CardProof,
        outcome: &T,
    ) -> Result<(), StoreError> {
        let outcome = serde_json::to_string(outcome).map_err(|fault| StoreError::Unavailable(Box::new(fault)))?;
        let at = self.environment.now();
        transaction
            .insert_used_challenge(&UsedChallenge { challenge: proof.challenge, flow: Some(flow), outcome, at })
            .await
    }
}

/// The registration with which a card may be unlocked, or why it may not.
fn dead_end<'a>(card: &Card, registration: Option<&'a Registration>) -> Result<&'a Registration, DeadEndReason> {
    match card.state {
        CardState::Active => {}
        CardState::Cancelled => return Err(DeadEndReason::Cancelled),
        CardState::UnlockKeyUnknown => return Err(DeadEndReason::UnlockKeyRefused),
    }
    let registration = registration.ok_or(DeadEndReason::NotRegistered)?;
    match registration.standing {
        Standing::Open { .. } => Ok(registration),
        Standing::LockedOut { .. } => Err(DeadEndReason::LockedOut),
        Standing::Frozen { .. } => Err(DeadEndReason::Frozen),
    }
}

/// Reads a stored outcome.
fn repeated<T: for<'de> Deserialize<'de>>(outcome: &str) -> Result<T, UnlockError> {
    serde_json::from_str(outcome).map_err(|_| ProofFault::Stale.into())
}
