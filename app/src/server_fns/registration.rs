//! Registration, step by step. All but the first step are forms that need no card and work without JavaScript.

#![expect(clippy::too_many_arguments, reason = "they are the fields of a form, which works without JavaScript")]

use card_protocol::{CardProof, Challenge};
use leptos::{prelude::*, server_fn::codec::Json};
use serde::{Deserialize, Serialize};

use super::{CodeDelivery, LogReference, QuestionText, fault::server_fn_fault};
use crate::moment::Moment;
#[cfg(feature = "ssr")]
use {
    super::{services, session::signed_in},
    crate::cookies::Cookie,
    domain::{
        ProofFault, answer,
        challenge::Binding,
        code::NotACode,
        registration::service::{self, AfterFactor, RegistrationCodeOutcome, RegistrationError, RegistrationView},
        sign_in::{HolderPurpose, SignInError, SignedIn},
        token::FormId,
    },
};

/// Why a step of a registration was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RegistrationFault {
    /// Nobody is signed in.
    SignedOut,
    /// No registration is under way, or its time is over.
    NotBegun,
    /// It is at another step.
    OtherStep,
    /// There is no registration to change.
    NotRegistered,
    /// Nobody registers here.
    NotOffered,
    /// Self-service is locked for this person.
    LockedOut,
    /// The person had self-service frozen.
    Frozen,
    /// The proof came too late: prove again.
    Stale,
    /// The card is not the one of the session, or the proof does not hold.
    Refused(LogReference),
    /// The card was cancelled.
    Cancelled,
    /// These questions or answers do not follow the rules.
    Answers(Vec<AnswerFaultAt>),
    /// No address was entered.
    NoEmail,
    /// What was entered is no address.
    NotAnEmail,
    /// The address is not at an approved domain.
    DomainNotApproved,
    /// The address is the one on file.
    SameEmail,
    /// No code was entered.
    NoCode,
    /// What was entered is no code.
    NotACode,
    /// The code is wrong.
    WrongCode {
        /// How many tries are left.
        tries_left: u8,
    },
    /// The code was right, but its time is over.
    CodeExpired {
        /// Whether another was sent.
        resent: CodeResent,
    },
    /// Another code cannot be sent yet.
    TooEarly,
    /// The request did not arrive.
    Unreachable,
    /// Too many others are using it now.
    Busy,
    /// The service cannot do it now.
    Unavailable(LogReference),
}

/// Whether another code is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CodeResent {
    /// It is.
    Yes,
    /// The mails of the hour are used up.
    No,
}

impl From<bool> for CodeResent {
    fn from(resent: bool) -> Self {
        if resent { Self::Yes } else { Self::No }
    }
}

/// What is wrong with one of the four questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerFaultAt {
    /// Which of the four, from 0.
    pub position: u8,
    /// What is wrong.
    pub fault: AnswerFault,
}

/// What can be wrong with a question and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AnswerFault {
    /// No question was chosen.
    NoQuestion,
    /// The question was chosen before.
    SameQuestion,
    /// There is no answer.
    Empty,
    /// Too few characters count.
    TooShort,
    /// It is too long.
    TooLong,
    /// Another question has the same answer.
    SameAnswer,
    /// The answer is a word of the question.
    WordOfQuestion,
}

server_fn_fault!(RegistrationFault, Busy);

#[cfg(feature = "ssr")]
impl From<RegistrationError> for RegistrationFault {
    fn from(fault: RegistrationError) -> Self {
        match fault {
            RegistrationError::NotBegun => Self::NotBegun,
            RegistrationError::WrongStep => Self::OtherStep,
            RegistrationError::NotRegistered => Self::NotRegistered,
            RegistrationError::NotOffered => Self::NotOffered,
            RegistrationError::LockedOut => Self::LockedOut,
            RegistrationError::Frozen => Self::Frozen,
            RegistrationError::Proof(ProofFault::Stale) => Self::Stale,
            RegistrationError::Proof(ProofFault::Refused) => {
                super::fault::log_refused_proof();
                Self::Refused(LogReference::current())
            }
            RegistrationError::Cancelled => Self::Cancelled,
            RegistrationError::Answers(faults) => Self::Answers(faults.into_iter().map(AnswerFaultAt::from).collect()),
            RegistrationError::NotAnEmailAddress(_) => Self::NotAnEmail,
            RegistrationError::DomainNotApproved => Self::DomainNotApproved,
            RegistrationError::SameEmail => Self::SameEmail,
            RegistrationError::NotACode(NotACode::Empty) => Self::NoCode,
            RegistrationError::NotACode(NotACode::Letters) => Self::NotACode,
            RegistrationError::TooEarly { .. } => Self::TooEarly,
            RegistrationError::Hasher(fault) => fault.into(),
            RegistrationError::Store(fault) => fault.into(),
        }
    }
}

#[cfg(feature = "ssr")]
impl From<SignInError> for RegistrationFault {
    fn from(fault: SignInError) -> Self {
        RegistrationError::from(fault).into()
    }
}

#[cfg(feature = "ssr")]
impl From<answer::AnswerSetFault> for AnswerFaultAt {
    fn from(fault: answer::AnswerSetFault) -> Self {
        let position = u8::try_from(fault.position).unwrap_or(u8::MAX);
        let fault = match fault.fault {
            answer::AnswerFault::NoQuestion => AnswerFault::NoQuestion,
            answer::AnswerFault::SameQuestion => AnswerFault::SameQuestion,
            answer::AnswerFault::Empty => AnswerFault::Empty,
            answer::AnswerFault::TooShort => AnswerFault::TooShort,
            answer::AnswerFault::TooLong => AnswerFault::TooLong,
            answer::AnswerFault::SameAnswer => AnswerFault::SameAnswer,
            answer::AnswerFault::WordOfQuestion => AnswerFault::WordOfQuestion,
        };
        Self { position, fault }
    }
}

/// Gives the challenge with which the card of the session proves itself again.
///
/// # Errors
///
/// [`RegistrationFault`].
#[server(prefix = "/api", endpoint = "register/start", input = Json, output = Json)]
pub async fn start_registration() -> Result<Challenge, RegistrationFault> {
    let session = required().await?.session;
    Ok(services().sign_in.challenge(Binding::Session(session.id)))
}

/// Confirms the card and its connection key, and gives the challenge for its holder.
///
/// # Errors
///
/// [`RegistrationFault`].
#[server(prefix = "/api", endpoint = "register/confirm-card", input = Json, output = Json)]
pub async fn confirm_registering_card(proof: CardProof) -> Result<Challenge, RegistrationFault> {
    let session = required().await?.session;
    Ok(services().sign_in.confirm_card(Binding::Session(session.id), &proof, HolderPurpose::Register).await?)
}

/// Begins a registration: the holder has proved themself.
///
/// # Errors
///
/// [`RegistrationFault`].
#[server(prefix = "/api", endpoint = "register/begin", input = Json, output = Json)]
pub async fn begin_registration(proof: CardProof) -> Result<(), RegistrationFault> {
    Ok(services().registration.begin(&required().await?, &proof).await?)
}

/// What a flow leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FlowAim {
    /// A registration, all of it.
    Registration,
    /// The change of one part of a registration that is there.
    Change,
}

#[cfg(feature = "ssr")]
impl From<service::FlowAim> for FlowAim {
    fn from(aim: service::FlowAim) -> Self {
        match aim {
            service::FlowAim::Registration => Self::Registration,
            service::FlowAim::Change => Self::Change,
        }
    }
}

/// What to show of a registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RegistrationPage {
    /// Nobody is signed in.
    SignedOut,
    /// It has not begun, or its time is over.
    NotBegun,
    /// The questions are to be set.
    Questions {
        /// Names this rendering of the form.
        form: String,
        /// For which registration.
        aim: FlowAim,
        /// All that can be chosen.
        questions: Vec<QuestionText>,
    },
    /// The address is to be confirmed.
    Email {
        /// Names this rendering of the form.
        form: String,
        /// For which registration.
        aim: FlowAim,
        /// The address on file; may be empty.
        on_file: String,
    },
    /// The code is to be entered.
    Code {
        /// Names this rendering of the form.
        form: String,
        /// Names this rendering of the form that asks for another code.
        resend_form: String,
        /// For which registration.
        aim: FlowAim,
        /// Where it was sent.
        sent_to: String,
        /// Until when the latest works.
        valid_until: Option<Moment>,
        /// How far its mail is.
        delivery: CodeDelivery,
        /// From when another can be asked for.
        resend_at: Option<Moment>,
    },
    /// It is complete.
    Completed,
    /// It was stopped, or the tries of its code are used up.
    Ended,
}

/// Says what to show of the registration that is under way.
///
/// # Errors
///
/// [`RegistrationFault`].
#[server(prefix = "/api", endpoint = "register/view", input = Json, output = Json)]
pub async fn look_at_registration() -> Result<RegistrationPage, RegistrationFault> {
    let Some(signed_in) = signed_in().await? else {
        return Ok(RegistrationPage::SignedOut);
    };
    Ok(services().registration.view(&signed_in).await?.into())
}

#[cfg(feature = "ssr")]
impl From<RegistrationView> for RegistrationPage {
    fn from(view: RegistrationView) -> Self {
        match view {
            RegistrationView::NotBegun => Self::NotBegun,
            RegistrationView::Questions { form, aim } => Self::Questions {
                form: form.to_string(),
                aim: aim.into(),
                questions: answer::questions().iter().map(QuestionText::from).collect(),
            },
            RegistrationView::Email { form, aim, on_file } => Self::Email {
                form: form.to_string(),
                aim: aim.into(),
                on_file: on_file.map(String::from).unwrap_or_default(),
            },
            RegistrationView::Code { form, resend_form, aim, sent_to, valid_until, delivery, resend_at, .. } => {
                Self::Code {
                    form: form.to_string(),
                    resend_form: resend_form.to_string(),
                    aim: aim.into(),
                    sent_to: sent_to.into(),
                    valid_until: valid_until.map(Moment::from),
                    delivery: delivery.into(),
                    resend_at: resend_at.map(Moment::from),
                }
            }
            RegistrationView::Completed => Self::Completed,
            RegistrationView::Ended => Self::Ended,
        }
    }
}

/// Sets the four questions.
///
/// # Errors
///
/// [`RegistrationFault`].
#[server(prefix = "/api", endpoint = "register/questions")]
pub async fn set_questions(
    form: String,
    question_1: String,
    answer_1: String,
    question_2: String,
    answer_2: String,
    question_3: String,
    answer_3: String,
    question_4: String,
    answer_4: String,
) -> Result<(), RegistrationFault> {
    let chosen = [
        (question_1.parse().ok(), answer_1.as_str()),
        (question_2.parse().ok(), answer_2.as_str()),
        (question_3.parse().ok(), answer_3.as_str()),
        (question_4.parse().ok(), answer_4.as_str()),
    ];
    let session = required().await?.session;
    let set = services().registration.set_questions(&session, form_id(&form)?, &chosen).await?;
    if let Some(token) = set.token {
        Cookie::Session.set(&token);
    }
    leptos_axum::redirect(match set.then {
        AfterFactor::ConfirmEmail => "/register/email",
        AfterFactor::Changed => "/profile?questions-changed",
    });
    Ok(())
}

/// Makes ten recovery codes in place of questions, and gives them: this once.
///
/// # Errors
///
/// [`RegistrationFault`].
#[server(prefix = "/api", endpoint = "register/recovery-codes", input = Json, output = Json)]
pub async fn make_recovery_codes() -> Result<Vec<String>, RegistrationFault> {
    let codes = services().registration.make_recovery_codes(&required().await?.session).await?;
    Ok(codes.iter().map(|code| code.display().to_string()).collect())
}

/// The recovery codes that were made for a registration that is there were kept: they work now.
///
/// # Errors
///
/// [`RegistrationFault`].
#[server(prefix = "/api", endpoint = "register/recovery-codes-kept", input = Json, output = Json)]
pub async fn keep_recovery_codes() -> Result<(), RegistrationFault> {
    let token = services().registration.keep_recovery_codes(&required().await?.session).await?;
    Cookie::Session.set(&token);
    Ok(())
}

/// Confirms the address, and mails a code there.
///
/// # Errors
///
/// [`RegistrationFault`].
#[server(prefix = "/api", endpoint = "register/email")]
pub async fn confirm_email(form: String, email: String) -> Result<(), RegistrationFault> {
    if email.trim().is_empty() {
        return Err(RegistrationFault::NoEmail);
    }
    services().registration.confirm_email(&required().await?, form_id(&form)?, &email).await?;
    leptos_axum::redirect("/register/code");
    Ok(())
}

/// Checks the code; the right one completes the registration.
///
/// # Errors
///
/// [`RegistrationFault`].
#[server(prefix = "/api", endpoint = "register/code")]
pub async fn enter_registration_code(form: String, code: String) -> Result<(), RegistrationFault> {
    let entered = services().registration.enter_code(&required().await?, form_id(&form)?, &code).await?;
    if let Some(token) = entered.token {
        Cookie::Session.set(&token);
    }
    match entered.outcome {
        RegistrationCodeOutcome::Registered => leptos_axum::redirect("/profile?registered"),
        RegistrationCodeOutcome::EmailChanged => leptos_axum::redirect("/profile?email-changed"),
        RegistrationCodeOutcome::TriesUsedUp => leptos_axum::redirect("/profile?ended"),
        RegistrationCodeOutcome::Wrong { tries_left } => return Err(RegistrationFault::WrongCode { tries_left }),
        RegistrationCodeOutcome::Expired { resent } => {
            return Err(RegistrationFault::CodeExpired { resent: resent.into() });
        }
    }
    Ok(())
}

/// Mails another code.
///
/// # Errors
///
/// [`RegistrationFault`].
#[server(prefix = "/api", endpoint = "register/resend")]
pub async fn resend_registration_code(form: String) -> Result<(), RegistrationFault> {
    services().registration.resend_code(&required().await?, form_id(&form)?).await?;
    leptos_axum::redirect("/register/code?resent");
    Ok(())
}

/// A step of a registration to go back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackTo {
    /// Set other questions.
    Questions,
    /// Confirm another address.
    Email,
}

/// Goes back to an earlier step.
///
/// # Errors
///
/// [`RegistrationFault`].
#[server(prefix = "/api", endpoint = "register/back")]
pub async fn go_back(step: BackTo) -> Result<(), RegistrationFault> {
    let (to, page) = match step {
        BackTo::Questions => (service::BackTo::Questions, "/register/questions"),
        BackTo::Email => (service::BackTo::Email, "/register/email"),
    };
    services().registration.go_back(&required().await?.session, to).await?;
    leptos_axum::redirect(page);
    Ok(())
}

/// Stops the registration.
///
/// # Errors
///
/// [`RegistrationFault`].
#[server(prefix = "/api", endpoint = "register/stop")]
pub async fn stop_registration() -> Result<(), RegistrationFault> {
    services().registration.stop(&required().await?.session).await?;
    leptos_axum::redirect("/profile?stopped");
    Ok(())
}

#[cfg(feature = "ssr")]
pub(super) async fn required() -> Result<SignedIn, RegistrationFault> {
    signed_in().await?.ok_or(RegistrationFault::SignedOut)
}

/// Reads the hidden field that names a rendering of a form.
#[cfg(feature = "ssr")]
fn form_id(text: &str) -> Result<FormId, RegistrationFault> {
    serde_json::from_value(text.into()).map_err(|_| RegistrationFault::OtherStep)
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_rendering_comes_back_as_it_went_out() {
        let text = "db38cf10-5797-420f-b030-3241b70cda89";
        assert_eq!(form_id(text).unwrap().to_string(), text);
        assert_eq!(form_id("no id"), Err(RegistrationFault::OtherStep));
    }
}
