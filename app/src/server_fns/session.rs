//! Signing in and out, and the profile.

#![cfg_attr(feature = "ssr", expect(clippy::unused_async, reason = "server functions are asynchronous"))]

use card_protocol::{CardProof, Challenge};
use leptos::{prelude::*, server_fn::codec::Json};
use serde::{Deserialize, Serialize};

use super::{LogReference, fault::server_fn_fault};
use crate::moment::Moment;
#[cfg(feature = "ssr")]
use {
    super::services,
    crate::cookies::Cookie,
    domain::{
        ProofFault,
        challenge::Binding,
        registration::{
            Standing,
            service::{Factor, RegistrationStatus},
        },
        sign_in::{HolderPurpose, SignInError, SignedIn},
        token::Token,
        trail,
    },
};

/// Why somebody is not signed in, or their profile is not shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionFault {
    /// The proof came too late: prove again.
    Stale,
    /// The card is not known, or the proof does not hold.
    Refused(LogReference),
    /// The card was cancelled.
    Cancelled,
    /// The request did not arrive.
    Unreachable,
    /// The service cannot do it now.
    Unavailable(LogReference),
}

server_fn_fault!(SessionFault);

#[cfg(feature = "ssr")]
impl From<SignInError> for SessionFault {
    fn from(fault: SignInError) -> Self {
        match fault {
            SignInError::Proof(ProofFault::Stale) => Self::Stale,
            SignInError::Proof(ProofFault::Refused) => {
                super::fault::log_refused_proof();
                Self::Refused(LogReference::current())
            }
            SignInError::Cancelled => Self::Cancelled,
            SignInError::Store(fault) => fault.into(),
        }
    }
}

/// Gives the challenge with which a card proves itself before its passcode is asked for.
///
/// # Errors
///
/// [`SessionFault`].
#[server(prefix = "/api", endpoint = "session/start", input = Json, output = Json)]
pub async fn start_session() -> Result<Challenge, SessionFault> {
    Ok(services().sign_in.challenge(Binding::Browser(&browser())))
}

/// Confirms that a card of this service vouches for the connection key, and gives the challenge for its holder.
///
/// # Errors
///
/// [`SessionFault`].
#[server(prefix = "/api", endpoint = "session/confirm-card", input = Json, output = Json)]
pub async fn confirm_card(proof: CardProof) -> Result<Challenge, SessionFault> {
    let browser = Cookie::Browser.read().ok_or(SessionFault::Stale)?;
    Ok(services().sign_in.confirm_card(Binding::Browser(&browser), &proof, HolderPurpose::SignIn).await?)
}

/// Signs the holder of a card in.
///
/// # Errors
///
/// [`SessionFault`].
#[server(prefix = "/api", endpoint = "session/sign-in", input = Json, output = Json)]
pub async fn sign_in(proof: CardProof) -> Result<(), SessionFault> {
    let browser = Cookie::Browser.read().ok_or(SessionFault::Stale)?;
    let token = services().sign_in.sign_in(&browser, &proof, crate::Language::current().into()).await?;
    // One browser has one session.
    if let Some(former) = Cookie::Session.read() {
        services().sign_in.sign_out(&former).await?;
    }
    Cookie::Session.set(&token);
    Ok(())
}

/// Signs out.
///
/// # Errors
///
/// [`SessionFault`].
#[server(prefix = "/api", endpoint = "session/sign-out")]
pub async fn sign_out() -> Result<(), SessionFault> {
    end_session().await?;
    leptos_axum::redirect("/sign-in?signed-out");
    Ok(())
}

/// Signs an officer out whose card has left the reader.
///
/// # Errors
///
/// [`SessionFault`].
#[server(prefix = "/api", endpoint = "session/card-removed")]
pub async fn card_removed() -> Result<(), SessionFault> {
    end_session().await?;
    leptos_axum::redirect("/sign-in?removed");
    Ok(())
}

#[cfg(feature = "ssr")]
async fn end_session() -> Result<(), SessionFault> {
    if let Some(token) = Cookie::Session.read() {
        services().sign_in.sign_out(&token).await?;
    }
    Cookie::Session.clear();
    Ok(())
}

/// What the profile shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The person's name.
    pub name: String,
    /// Their user number.
    pub user_number: String,
    /// The GUID of the card they signed in with.
    pub card: String,
    /// The address that the Registration Authority holds.
    pub ra_email: Option<String>,
    /// Their registration.
    pub registration: RegistrationState,
    /// What was done with their cards, newest first: one page of it.
    pub activity: Vec<Activity>,
    /// The record before which there is more; none where this is the last page.
    pub older: Option<u64>,
    /// Whether they work at the RA's desk.
    pub is_officer: bool,
}

/// Whether a person is registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RegistrationState {
    /// They are not.
    NotRegistered,
    /// They are.
    Registered {
        /// Since when.
        since: Moment,
        /// The address on file: where unlock codes go.
        email: String,
        /// The address where they still go, and until when, while the one on file is new.
        former: Option<(String, Moment)>,
        /// How many recovery codes are left, where they stand in place of questions.
        recovery_codes: Option<u32>,
    },
    /// They are, but too many attempts have failed.
    LockedOut {
        /// Where the news of it went.
        email: String,
    },
    /// They are, but they had it frozen.
    Frozen {
        /// Where the news of it went.
        email: String,
    },
}

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// When.
    pub at: Moment,
    /// What.
    pub kind: ActivityKind,
    /// Whether it went as it was meant to.
    pub outcome: ActivityOutcome,
}

/// What can be done with a card: each is the trail's event of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ActivityKind {
    CardEnrolled,
    SignedIn,
    SignedOut,
    RegistrationBegun,
    RegistrationCodeSent,
    RegistrationCodeEntered,
    Registered,
    CardProofRefused,
    UnlockBegun,
    QuestionsAnswered,
    RecoveryCodeEntered,
    UnlockCodeSent,
    UnlockCodeEntered,
    SelfServiceLocked,
    SelfServiceFrozen,
    MailUndelivered,
    UnlockKeyReleased,
    CardUnlocked,
    UnlockKeyRefused,
    FlowEnded,
    RecordOpened,
    LockOutCleared,
    RegistrationEnded,
    EmailSet,
    EmailConfirmed,
    ChangeBegun,
    QuestionsChanged,
    RecoveryCodesMade,
    EmailChanged,
    PasscodeChanged,
    CardCancelled,
    IssuingBegun,
    CardIssued,
    UnlockAllowed,
    RoleGranted,
    TrailRead,
    TrailExported,
    ImportBegun,
    ImportEnded,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ActivityOutcome {
    /// As it was meant to.
    Done,
    /// It was refused.
    Refused,
}

/// How many things that were done the profile shows at once.
#[cfg(feature = "ssr")]
const ACTIVITY_PAGE: usize = 20;

/// The profile of whoever is signed in, with what was done lately or before a record; nothing where nobody is.
///
/// # Errors
///
/// [`SessionFault`].
#[server(prefix = "/api", endpoint = "session/profile", input = Json, output = Json)]
pub async fn my_profile(before: Option<u64>) -> Result<Option<Profile>, SessionFault> {
    let Some(signed_in) = signed_in().await? else {
        return Ok(None);
    };
    let registration = services().registration.status(&signed_in).await?;
    let activity = services().sign_in.activity(&signed_in, before, ACTIVITY_PAGE).await?;
    let is_officer = services().desk.officer(&signed_in).is_ok();
    Ok(Some(Profile {
        is_officer,
        name: signed_in.person.name,
        user_number: signed_in.person.user_number.to_string(),
        card: signed_in.session.card.to_string(),
        ra_email: signed_in.person.email.map(String::from),
        registration: registration.into(),
        activity: activity.entries.iter().filter_map(Activity::of_entry).collect(),
        older: activity.older,
    }))
}

/// For how many seconds the session goes on unless it is used; nothing where nobody is signed in.
///
/// # Errors
///
/// [`SessionFault`].
#[server(prefix = "/api", endpoint = "session/time-left", input = Json, output = Json)]
pub async fn session_time_left() -> Result<Option<u32>, SessionFault> {
    let Some(token) = Cookie::Session.read() else {
        return Ok(None);
    };
    Ok(services().sign_in.time_left(&token).await?.map(super::whole_seconds))
}

/// Gives the session its whole time again, and the registration that is under way in it.
///
/// # Errors
///
/// [`SessionFault`].
#[server(prefix = "/api", endpoint = "session/extend", input = Json, output = Json)]
pub async fn extend_session() -> Result<(), SessionFault> {
    if let Some(signed_in) = signed_in().await? {
        services().registration.extend(&signed_in.session).await?;
    }
    Ok(())
}

/// Whoever is signed in, if anybody is.
#[cfg(feature = "ssr")]
pub(super) async fn signed_in() -> Result<Option<SignedIn>, domain::ports::StoreError> {
    match Cookie::Session.read() {
        Some(token) => services().sign_in.session(&token).await,
        None => Ok(None),
    }
}

/// What this browser's challenges are bound to; a new one where it has none.
#[cfg(feature = "ssr")]
pub(super) fn browser() -> Token {
    Cookie::Browser.read().unwrap_or_else(|| {
        let token = services().sign_in.browser_token();
        Cookie::Browser.set(&token);
        token
    })
}

#[cfg(feature = "ssr")]
impl From<RegistrationStatus> for RegistrationState {
    fn from(status: RegistrationStatus) -> Self {
        match status {
            RegistrationStatus::NotRegistered => Self::NotRegistered,
            RegistrationStatus::Registered { at, email, former, standing, factor } => match standing {
                Standing::Open { .. } => Self::Registered {
                    since: at.into(),
                    email: email.into(),
                    former: former.map(|former| (former.email.into(), former.until.into())),
                    recovery_codes: match factor {
                        Factor::Questions => None,
                        Factor::RecoveryCodes { left } => Some(left),
                    },
                },
                Standing::LockedOut { .. } => Self::LockedOut { email: email.into() },
                Standing::Frozen { .. } => Self::Frozen { email: email.into() },
            },
        }
    }
}

#[cfg(feature = "ssr")]
impl Activity {
    /// What the trail tells of a person who can look at it.
    pub(super) fn of_entry(entry: &trail::TrailEntry) -> Option<Self> {
        let outcome = match entry.outcome {
            trail::Outcome::Done => ActivityOutcome::Done,
            trail::Outcome::Refused => ActivityOutcome::Refused,
        };
        Some(Self { at: entry.at.into(), kind: ActivityKind::of_event(entry.event)?, outcome })
    }
}

#[cfg(feature = "ssr")]
impl ActivityKind {
    /// The kind of an event; nothing where nobody is left to see it.
    pub(super) fn of_event(event: trail::Event) -> Option<Self> {
        use trail::Event;
        Some(match event {
            Event::CardEnrolled => Self::CardEnrolled,
            Event::SignedIn => Self::SignedIn,
            Event::SignedOut => Self::SignedOut,
            Event::RegistrationBegun => Self::RegistrationBegun,
            Event::RegistrationCodeSent => Self::RegistrationCodeSent,
            Event::RegistrationCodeEntered => Self::RegistrationCodeEntered,
            Event::Registered => Self::Registered,
            Event::CardProofRefused => Self::CardProofRefused,
            Event::UnlockBegun => Self::UnlockBegun,
            Event::QuestionsAnswered => Self::QuestionsAnswered,
            Event::RecoveryCodeEntered => Self::RecoveryCodeEntered,
            Event::UnlockCodeSent => Self::UnlockCodeSent,
            Event::UnlockCodeEntered => Self::UnlockCodeEntered,
            Event::SelfServiceLocked => Self::SelfServiceLocked,
            Event::SelfServiceFrozen => Self::SelfServiceFrozen,
            Event::MailUndelivered => Self::MailUndelivered,
            Event::UnlockKeyReleased => Self::UnlockKeyReleased,
            Event::CardUnlocked => Self::CardUnlocked,
            Event::UnlockKeyRefused => Self::UnlockKeyRefused,
            Event::FlowEnded => Self::FlowEnded,
            Event::RecordOpened => Self::RecordOpened,
            Event::LockOutCleared => Self::LockOutCleared,
            Event::RegistrationEnded => Self::RegistrationEnded,
            Event::EmailSet => Self::EmailSet,
            Event::EmailConfirmed => Self::EmailConfirmed,
            Event::ChangeBegun => Self::ChangeBegun,
            Event::QuestionsChanged => Self::QuestionsChanged,
            Event::RecoveryCodesMade => Self::RecoveryCodesMade,
            Event::EmailChanged => Self::EmailChanged,
            Event::PasscodeChanged => Self::PasscodeChanged,
            Event::CardCancelled => Self::CardCancelled,
            Event::IssuingBegun => Self::IssuingBegun,
            Event::CardIssued => Self::CardIssued,
            Event::UnlockAllowed => Self::UnlockAllowed,
            Event::RoleGranted => Self::RoleGranted,
            Event::TrailRead => Self::TrailRead,
            Event::TrailExported => Self::TrailExported,
            Event::ImportBegun => Self::ImportBegun,
            Event::ImportEnded => Self::ImportEnded,
            // Nobody is left to see it.
            Event::PersonErased => return None,
        })
    }
}
