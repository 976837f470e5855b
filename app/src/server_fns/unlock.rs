//! Unlock, step by step. All but Stop need the card, so they are called by the page and not by a form.

#![cfg_attr(feature = "ssr", expect(clippy::unused_async, reason = "server functions are asynchronous"))]

use card_protocol::{CardProof, Challenge, sealed::Sealed};
use leptos::{prelude::*, server_fn::codec::Json};
use serde::{Deserialize, Serialize};

use super::{CodeDelivery, LogReference, QuestionText, fault::server_fn_fault, registration::CodeResent};
use crate::{moment::Moment, pages::unlock::Place};
#[cfg(feature = "ssr")]
use {
    super::{Referred, services, session::browser},
    crate::{Language, cookies::Cookie},
    domain::{
        ProofFault,
        code::NotACode,
        question::QuestionId,
        recovery::NotARecoveryCode,
        token::Token,
        unlock::{
            EndReason,
            service::{self, FlowPurpose, Identified, PasscodeView, UnlockError, UnlockView},
        },
    },
};

/// Why a step of an unlock was not taken. Nothing was spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UnlockFault {
    /// No unlock is under way, or its time is over.
    NoFlow,
    /// It is at another step.
    OtherStep,
    /// The proof came too late: prove again.
    Stale,
    /// The card is not known or not the one of this unlock, or the proof does not hold.
    Refused(LogReference),
    /// The card has begun too many unlocks within an hour.
    TooOften {
        /// How long to wait.
        seconds: u32,
    },
    /// An answer is missing.
    AnswersMissing,
    /// No code was entered.
    NoCode,
    /// What was entered is no code.
    NotACode,
    /// No recovery code was entered.
    NoRecoveryCode,
    /// What was entered is no recovery code.
    NotARecoveryCode,
    /// Self-service ended for this person or card meanwhile.
    DeadEnd(DeadEnd),
    /// The request did not arrive.
    Unreachable,
    /// Too many others are using it now.
    Busy,
    /// The service cannot do it now.
    Unavailable(LogReference),
}

server_fn_fault!(UnlockFault, Busy);

#[cfg(feature = "ssr")]
impl From<UnlockError> for UnlockFault {
    fn from(fault: UnlockError) -> Self {
        match fault {
            UnlockError::NoFlow => Self::NoFlow,
            UnlockError::WrongStep => Self::OtherStep,
            UnlockError::Proof(ProofFault::Stale) => Self::Stale,
            UnlockError::Proof(ProofFault::Refused) => {
                super::fault::log_refused_proof();
                Self::Refused(LogReference::current())
            }
            UnlockError::TooOften { wait } => {
                let seconds = super::whole_seconds(wait).max(1);
                super::fault::retry_after(seconds);
                Self::TooOften { seconds }
            }
            UnlockError::AnswersMissing => Self::AnswersMissing,
            UnlockError::NotACode(NotACode::Empty) => Self::NoCode,
            UnlockError::NotACode(NotACode::Letters) => Self::NotACode,
            UnlockError::NotARecoveryCode(NotARecoveryCode::Empty) => Self::NoRecoveryCode,
            UnlockError::NotARecoveryCode(NotARecoveryCode::Letters) => Self::NotARecoveryCode,
            UnlockError::DeadEnd { reason, reference } => {
                let reference = reference.map(|reference| reference.as_str().to_owned());
                Self::DeadEnd(DeadEnd { reason: reason.into(), reference })
            }
            UnlockError::Hasher(fault) => fault.into(),
            UnlockError::Store(fault) => fault.into(),
            UnlockError::Vault(fault) => {
                super::fault::log(&fault);
                Self::Unavailable(LogReference::current())
            }
            UnlockError::Seal(fault) => {
                super::fault::log(&fault);
                Self::Unavailable(LogReference::current())
            }
        }
    }
}

/// Why self-service ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeadEndReason {
    /// The person has not registered.
    NotRegistered,
    /// Too many attempts have failed.
    LockedOut,
    /// The person had self-service frozen.
    Frozen,
    /// The card is not known here.
    UnknownCard,
    /// The card was cancelled.
    Cancelled,
    /// The card has refused every unlock key.
    UnlockKeyRefused,
    /// The Registration Authority holds no address.
    NoAddress,
}

#[cfg(feature = "ssr")]
impl From<service::DeadEndReason> for DeadEndReason {
    fn from(reason: service::DeadEndReason) -> Self {
        match reason {
            service::DeadEndReason::NotRegistered => Self::NotRegistered,
            service::DeadEndReason::LockedOut => Self::LockedOut,
            service::DeadEndReason::Frozen => Self::Frozen,
            service::DeadEndReason::Cancelled => Self::Cancelled,
            service::DeadEndReason::UnlockKeyRefused => Self::UnlockKeyRefused,
            service::DeadEndReason::NoAddress => Self::NoAddress,
        }
    }
}

/// Where self-service ends, and only the Registration Authority can help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadEnd {
    /// Why.
    pub reason: DeadEndReason,
    /// What the person quotes to the Registration Authority.
    pub reference: Option<String>,
}

#[cfg(feature = "ssr")]
impl From<service::DeadEnd> for DeadEnd {
    fn from(end: service::DeadEnd) -> Self {
        Self { reason: end.reason.into(), reference: Some(end.reference.as_str().to_owned()) }
    }
}

/// What became of a card that asked to be unlocked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Begun {
    /// Its person may go on.
    Flow,
    /// Only the Registration Authority can help.
    DeadEnd(DeadEnd),
}

/// Gives the challenge with which a card begins an unlock.
///
/// # Errors
///
/// [`UnlockFault`].
#[server(prefix = "/api", endpoint = "unlock/start", input = Json, output = Json)]
pub async fn start_unlock() -> Result<Challenge, UnlockFault> {
    Ok(services().unlock.start(&browser())?)
}

/// Begins the unlock of a card that has proved itself.
///
/// # Errors
///
/// [`UnlockFault`].
#[server(prefix = "/api", endpoint = "unlock/identify", input = Json, output = Json)]
pub async fn identify(proof: CardProof) -> Result<Begun, UnlockFault> {
    let browser = Cookie::Browser.read().ok_or(UnlockFault::Stale)?;
    Ok(match services().unlock.identify(&browser, &proof, Language::current().into()).await? {
        Identified::Flow(token) => {
            Cookie::Unlock.set(&token);
            Begun::Flow
        }
        Identified::DeadEnd(end) => Begun::DeadEnd(end.into()),
    })
}

/// What to show of an unlock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UnlockPage {
    /// None is under way, or its time is over.
    NotBegun,
    /// The questions are to be answered.
    Questions {
        /// Which.
        asked: Vec<QuestionText>,
        /// How many attempts are left.
        attempts_left: u8,
    },
    /// The code is to be entered.
    Code {
        /// The first letters of the address that it was sent to.
        start: String,
        /// The end of that address.
        end: String,
        /// Until when the latest works; none where none could be sent.
        valid_until: Option<Moment>,
        /// How far its mail is.
        delivery: CodeDelivery,
        /// From when another can be asked for.
        resend_at: Option<Moment>,
    },
    /// A recovery code is to be entered.
    RecoveryCode {
        /// How many attempts are left.
        attempts_left: u8,
        /// Whether the code by e-mail was entered before.
        after_code: bool,
    },
    /// The passcode is to be chosen for the first time.
    Passcode,
    /// The passcode is to be chosen again: nobody knows if the card was written.
    PasscodeAgain,
    /// The card is unlocked.
    Completed,
    /// It ended without that; the person may begin another.
    Ended(Ended),
    /// It ended without that, and only the Registration Authority can help.
    DeadEnd(DeadEnd),
}

/// Why an unlock ended, so that another can begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ended {
    /// The person stopped it.
    Stopped,
    /// The card began another.
    Superseded,
    /// The tries of its code are used up.
    CodeTriesUsedUp,
}

/// Says what to show of the unlock that is under way.
///
/// # Errors
///
/// [`UnlockFault`].
#[server(prefix = "/api", endpoint = "unlock/view", input = Json, output = Json)]
pub async fn look_at_unlock() -> Result<UnlockPage, UnlockFault> {
    let Some(flow) = Cookie::Unlock.read() else {
        return Ok(UnlockPage::NotBegun);
    };
    match services().unlock.view(&flow).await {
        Ok(view) => Ok(view.into()),
        Err(UnlockError::NoFlow) => Ok(UnlockPage::NotBegun),
        Err(fault) => Err(fault.into()),
    }
}

/// Why it is not known whether an unlock is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunningFault {
    /// The request did not arrive.
    Unreachable,
    /// The service cannot do it now.
    Unavailable(LogReference),
}

server_fn_fault!(RunningFault);

/// Says where an unlock is that is under way. The first page asks for no more, so that it carries nothing of the steps.
///
/// # Errors
///
/// [`RunningFault`].
#[server(prefix = "/api", endpoint = "unlock/running", input = Json, output = Json)]
pub async fn running_unlock() -> Result<Option<Place>, RunningFault> {
    let page = look_at_unlock().await.map_err(|fault| RunningFault::Unavailable(fault.reference()))?;
    Ok(Place::of(&page))
}

#[cfg(feature = "ssr")]
impl From<UnlockView> for UnlockPage {
    fn from(view: UnlockView) -> Self {
        match view {
            UnlockView::Questions { asked, attempts_left } => Self::Questions {
                asked: asked.into_iter().map(|id| QuestionText::from(id.question())).collect(),
                attempts_left,
            },
            UnlockView::Code { sent_to, valid_until, delivery, resend_at, tries_left: _ } => Self::Code {
                start: sent_to.start,
                end: sent_to.end,
                valid_until: valid_until.map(Moment::from),
                delivery: delivery.into(),
                resend_at: resend_at.map(Moment::from),
            },
            UnlockView::RecoveryCode { attempts_left } => {
                let after_code = expect_context::<crate::config::PageConfig>().profile.begins_with_code();
                Self::RecoveryCode { attempts_left, after_code }
            }
            UnlockView::Passcode(PasscodeView::First) => Self::Passcode,
            UnlockView::Passcode(PasscodeView::Again) => Self::PasscodeAgain,
            UnlockView::Completed => Self::Completed,
            UnlockView::Ended { reason, reference } => {
                let dead_end = |reason| {
                    let reference = reference.map(|reference| reference.as_str().to_owned());
                    Self::DeadEnd(DeadEnd { reason, reference })
                };
                match reason {
                    EndReason::Stopped => Self::Ended(Ended::Stopped),
                    EndReason::Superseded => Self::Ended(Ended::Superseded),
                    EndReason::CodeTriesUsedUp => Self::Ended(Ended::CodeTriesUsedUp),
                    EndReason::LockedOut => dead_end(DeadEndReason::LockedOut),
                    EndReason::Frozen => dead_end(DeadEndReason::Frozen),
                    EndReason::UnlockKeyRefused => dead_end(DeadEndReason::UnlockKeyRefused),
                }
            }
        }
    }
}

/// For which proof within an unlock a challenge is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChallengeFor {
    /// To hand in answers or a code, or to ask for another code.
    Attempt,
    /// To receive the sealed unlock keys.
    Release,
}

/// Gives the challenge for the next proof.
///
/// # Errors
///
/// [`UnlockFault`].
#[server(prefix = "/api", endpoint = "unlock/challenge", input = Json, output = Json)]
pub async fn unlock_challenge(purpose: ChallengeFor) -> Result<Challenge, UnlockFault> {
    let purpose = match purpose {
        ChallengeFor::Attempt => FlowPurpose::Attempt,
        ChallengeFor::Release => FlowPurpose::Release,
    };
    Ok(services().unlock.challenge(&flow()?, purpose).await?)
}

/// An answer that was typed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypedAnswer {
    /// The number of the question.
    pub question: u8,
    /// What was typed.
    pub answer: String,
}

// A server function wants the `Debug` of its arguments; an answer is not to stand in a log.
impl std::fmt::Debug for TypedAnswer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TypedAnswer").field("question", &self.question).finish_non_exhaustive()
    }
}

/// What became of answers that were handed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answered {
    /// They are right; a code is on its way.
    Right,
    /// It is right, and nothing more is asked.
    RightAndLast,
    /// At least one is wrong.
    Wrong {
        /// How many attempts are left.
        attempts_left: u8,
    },
    /// That was the last attempt.
    LockedOut(DeadEnd),
}

/// Hands in the answers.
///
/// # Errors
///
/// [`UnlockFault`].
#[server(prefix = "/api", endpoint = "unlock/answer", input = Json, output = Json)]
pub async fn answer(proof: CardProof, answers: Vec<TypedAnswer>) -> Result<Answered, UnlockFault> {
    let answers: Vec<(QuestionId, String)> = answers
        .into_iter()
        .map(|typed| Ok((QuestionId::try_from(typed.question)?, typed.answer)))
        .collect::<Result<_, domain::question::NoSuchQuestion>>()
        .map_err(|_| UnlockFault::AnswersMissing)?;
    Ok(services().unlock.answer(&flow()?, &proof, &answers).await?.into())
}

/// Enters a recovery code.
///
/// # Errors
///
/// [`UnlockFault`].
#[server(prefix = "/api", endpoint = "unlock/recovery-code", input = Json, output = Json)]
pub async fn enter_recovery_code(proof: CardProof, code: String) -> Result<Answered, UnlockFault> {
    Ok(services().unlock.enter_recovery_code(&flow()?, &proof, &code).await?.into())
}

#[cfg(feature = "ssr")]
impl From<service::AnswerOutcome> for Answered {
    fn from(outcome: service::AnswerOutcome) -> Self {
        match outcome {
            service::AnswerOutcome::Right => Self::Right,
            service::AnswerOutcome::RightAndLast => Self::RightAndLast,
            service::AnswerOutcome::Wrong { attempts_left } => Self::Wrong { attempts_left },
            service::AnswerOutcome::LockedOut(end) => Self::LockedOut(end.into()),
        }
    }
}

/// What became of a code that was entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CodeEntered {
    /// It is right.
    Right,
    /// It is wrong.
    Wrong {
        /// How many tries are left.
        tries_left: u8,
    },
    /// It was right, but its time is over.
    Expired(CodeResent),
    /// That was the last try: the unlock ended.
    TriesUsedUp,
    /// That was the last try of the last attempt.
    LockedOut(DeadEnd),
}

/// Enters the code.
///
/// # Errors
///
/// [`UnlockFault`].
#[server(prefix = "/api", endpoint = "unlock/code", input = Json, output = Json)]
pub async fn enter_code(proof: CardProof, code: String) -> Result<CodeEntered, UnlockFault> {
    Ok(match services().unlock.enter_code(&flow()?, &proof, &code).await? {
        service::CodeOutcome::Right => CodeEntered::Right,
        service::CodeOutcome::Wrong { tries_left } => CodeEntered::Wrong { tries_left },
        service::CodeOutcome::Expired { resent } => CodeEntered::Expired(resent.into()),
        service::CodeOutcome::TriesUsedUp { attempts_left: _ } => CodeEntered::TriesUsedUp,
        service::CodeOutcome::LockedOut(end) => CodeEntered::LockedOut(end.into()),
    })
}

/// What became of the wish for another code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resent {
    /// It is on its way.
    Sent,
    /// Not yet.
    TooEarly(Moment),
}

/// Asks for another code.
///
/// # Errors
///
/// [`UnlockFault`].
#[server(prefix = "/api", endpoint = "unlock/resend", input = Json, output = Json)]
pub async fn resend_code(proof: CardProof) -> Result<Resent, UnlockFault> {
    Ok(match services().unlock.resend_code(&flow()?, &proof).await? {
        service::ResendOutcome::Sent => Resent::Sent,
        service::ResendOutcome::TooEarly { at } => Resent::TooEarly(at.into()),
    })
}

/// Releases the unlock keys, sealed to the connection that the card vouches for: the page cannot open them.
///
/// # Errors
///
/// [`UnlockFault`].
#[server(prefix = "/api", endpoint = "unlock/release", input = Json, output = Json)]
pub async fn release(proof: CardProof) -> Result<Sealed, UnlockFault> {
    Ok(services().unlock.release(&flow()?, &proof).await?)
}

/// Reports, under the card's signature, that the card is unlocked.
///
/// # Errors
///
/// [`UnlockFault`].
#[server(prefix = "/api", endpoint = "unlock/complete", input = Json, output = Json)]
pub async fn complete(proof: CardProof) -> Result<(), UnlockFault> {
    Ok(services().unlock.complete(&flow()?, &proof).await?)
}

/// Reports that the card refused every unlock key.
///
/// # Errors
///
/// [`UnlockFault`].
#[server(prefix = "/api", endpoint = "unlock/refused", input = Json, output = Json)]
pub async fn refused(proof: CardProof) -> Result<DeadEnd, UnlockFault> {
    Ok(services().unlock.refused(&flow()?, &proof).await?.into())
}

/// For how many seconds the unlock stays as it is unless somebody goes on; nothing where its time is over.
///
/// # Errors
///
/// [`UnlockFault`].
#[server(prefix = "/api", endpoint = "unlock/time-left", input = Json, output = Json)]
pub async fn unlock_time_left() -> Result<Option<u32>, UnlockFault> {
    let Ok(flow) = flow() else {
        return Ok(None);
    };
    match services().unlock.time_left(&flow).await {
        Ok(left) => Ok(Some(super::whole_seconds(left))),
        Err(UnlockError::NoFlow) => Ok(None),
        Err(fault) => Err(fault.into()),
    }
}

/// Gives the unlock its whole time again.
///
/// # Errors
///
/// [`UnlockFault`].
#[server(prefix = "/api", endpoint = "unlock/extend", input = Json, output = Json)]
pub async fn extend_unlock() -> Result<(), UnlockFault> {
    services().unlock.extend(&flow()?).await?;
    Ok(())
}

/// Stops the unlock.
///
/// # Errors
///
/// [`UnlockFault`].
#[server(prefix = "/api", endpoint = "unlock/stop")]
pub async fn stop_unlock() -> Result<(), UnlockFault> {
    if let Ok(flow) = flow() {
        services().unlock.stop(&flow).await?;
    }
    Cookie::Unlock.clear();
    leptos_axum::redirect("/unlock?stopped");
    Ok(())
}

#[cfg(feature = "ssr")]
fn flow() -> Result<Token, UnlockFault> {
    Cookie::Unlock.read().ok_or(UnlockFault::NoFlow)
}
