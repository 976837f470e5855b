//! The desk of the Registration Authority.

use card_protocol::{CardProof, Challenge, Slot, sealed::Sealed};
use leptos::{prelude::*, server_fn::codec::Json};
use serde::{Deserialize, Serialize};

use super::{LogReference, fault::server_fn_fault, issuing::Certificates, session::Activity};
use crate::moment::Moment;
#[cfg(feature = "ssr")]
use {
    super::{services, session::signed_in},
    crate::cookies::Cookie,
    card_protocol::Der,
    domain::{
        ProofFault,
        card::CardState as DomainCardState,
        certificate,
        challenge::Binding,
        delivery::{MailOnRecord, MailState as DomainMailState, Undelivered},
        email::EmailAddress,
        person::{Person, UserNumber},
        ra::{self, Deed, DeskError, Forbidden, Order, PersonQuery, PersonRecord, RaOfficer, SEARCH_LIMIT, Task},
        registration::Standing as DomainStanding,
        role::Role as DomainRole,
        sign_in::{SignInError, SignedIn},
    },
};

/// Why the desk did not do it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeskFault {
    /// Nobody is signed in.
    SignedOut,
    /// Whoever is signed in does not work at the desk.
    NoOfficer,
    /// It is the officer's own record.
    OwnRecord,
    /// The officer's role is not enough.
    Role,
    /// The proof came too late: prove again.
    Stale,
    /// The card is not the officer's, or the proof does not hold.
    Refused,
    /// There is no such person or card.
    Unknown,
    /// There is nothing to do.
    NothingToDo,
    /// No address was typed.
    NotAnEmail,
    /// The address has no approved domain.
    DomainNotApproved,
    /// Another officer has to confirm the address.
    SameOfficer,
    /// The card to issue is somebody's already.
    CardTaken,
    /// A key that the card has made can't be taken.
    UnfitKeys,
    /// The card has not asked for its certificates.
    NoRequests,
    /// What was given for a key's certificate is none.
    NotACertificate(Slot),
    /// It is the certificate of another key.
    ForeignCertificate(Slot),
    /// Another import goes on.
    ImportUnderWay,
    /// This service has no import key.
    NoImportKey,
    /// Files did not arrive as a whole.
    NotReceived,
    /// What was typed is no range of days.
    NotDays,
    /// The request did not arrive.
    Unreachable,
    /// The service cannot do it now.
    Unavailable(LogReference),
}

server_fn_fault!(DeskFault);

#[cfg(feature = "ssr")]
impl From<DeskError> for DeskFault {
    fn from(fault: DeskError) -> Self {
        match fault {
            DeskError::Forbidden(forbidden) => forbidden.into(),
            DeskError::Proof(ProofFault::Stale) => Self::Stale,
            DeskError::Proof(ProofFault::Refused) => {
                super::fault::log_refused_proof();
                Self::Refused
            }
            DeskError::Unknown => Self::Unknown,
            DeskError::NothingToDo => Self::NothingToDo,
            DeskError::DomainNotApproved => Self::DomainNotApproved,
            DeskError::SameOfficer => Self::SameOfficer,
            DeskError::CardTaken => Self::CardTaken,
            DeskError::UnfitKeys => Self::UnfitKeys,
            DeskError::NoRequests => Self::NoRequests,
            DeskError::NotACertificate(slot) => Self::NotACertificate(slot),
            DeskError::ForeignCertificate(slot) => Self::ForeignCertificate(slot),
            DeskError::Seal(_) => Self::Refused,
            fault @ (DeskError::Vault(_) | DeskError::Certifier(_)) => {
                tracing::error!(fault = &fault as &dyn std::error::Error, "a card cannot be issued");
                Self::Unavailable(LogReference::current())
            }
            DeskError::ImportUnderWay => Self::ImportUnderWay,
            DeskError::NotDays => Self::NotDays,
            DeskError::Store(fault) => fault.into(),
        }
    }
}

#[cfg(feature = "ssr")]
impl From<Forbidden> for DeskFault {
    fn from(forbidden: Forbidden) -> Self {
        match forbidden {
            Forbidden::NoOfficer => Self::NoOfficer,
            Forbidden::OwnRecord => Self::OwnRecord,
            Forbidden::Role => Self::Role,
        }
    }
}

#[cfg(feature = "ssr")]
impl From<SignInError> for DeskFault {
    fn from(fault: SignInError) -> Self {
        match fault {
            SignInError::Proof(ProofFault::Stale) => Self::Stale,
            SignInError::Proof(ProofFault::Refused) | SignInError::Cancelled => Self::Refused,
            SignInError::Store(fault) => fault.into(),
        }
    }
}

#[cfg(feature = "ssr")]
impl DeskFault {
    /// What it is to an officer, in words.
    pub fn words(&self) -> String {
        crate::pages::ra::words(self)
    }
}

/// What a person may do at the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    Cardholder,
    RaAgent,
    RaManager,
}

/// A person in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonLine {
    /// The name.
    pub name: String,
    /// The user number.
    pub user_number: String,
    /// The address that the RA holds.
    pub email: Option<String>,
    /// Where they work, where that is known.
    pub organisation: Option<String>,
}

/// What a search gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// What was looked for, where it leads to the log of the service instead.
    pub log_reference: Option<String>,
    /// What was looked for.
    pub text: String,
    /// Who was found.
    pub people: Vec<PersonLine>,
    /// Whether there may be more.
    pub may_be_more: bool,
    /// Whether the officer searches the whole trail and takes files in.
    pub is_manager: bool,
}

/// Finds people; all that is typed may be a name, a user number, an address, a card or a reference. Nothing typed finds
/// nobody.
///
/// # Errors
///
/// [`DeskFault`].
#[server(prefix = "/api", endpoint = "ra/find", input = Json, output = Json)]
pub async fn find_people(text: String) -> Result<Found, DeskFault> {
    let (_, officer) = officer().await?;
    let people = match PersonQuery::parse(&text) {
        Some(query) => services().desk.find(&officer, &query).await?,
        None => Vec::new(),
    };
    let may_be_more = people.len() as u64 >= SEARCH_LIMIT;
    let is_manager = [Task::SearchTrail, Task::Import].into_iter().all(|task| officer.may_do(task).is_ok());
    let log_reference = LogReference::parse(&text).map(|reference| reference.as_str().to_owned());
    let people = people.into_iter().map(PersonLine::from).collect();
    Ok(Found { log_reference, text, people, may_be_more, is_manager })
}

/// Whether a person may help themself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// They may.
    Open,
    /// Too many attempts have failed.
    LockedOut(Moment),
    /// It is frozen.
    Frozen(Moment),
}

/// A registration, as the desk sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationLine {
    /// Since when.
    pub since: Moment,
    /// The address on file.
    pub email: String,
    /// Until when unlock codes go to the address before.
    pub codes_elsewhere_until: Option<Moment>,
    /// Whether the person may help themself.
    pub standing: Standing,
    /// How many attempts are left.
    pub attempts_left: u8,
}

/// A card, as the desk sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardLine {
    /// Its GUID.
    pub guid: String,
    /// How it stands.
    pub state: CardState,
}

/// How a card stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CardState {
    Active,
    Cancelled,
    UnlockKeyUnknown,
}

/// A mail of a person, as the desk sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailLine {
    /// When it was to be sent first.
    pub at: Moment,
    /// How far it is.
    pub state: MailState,
}

/// How far a mail is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MailState {
    /// It waits for the mail server.
    Waiting,
    /// A mail server took it.
    Sent,
    /// The mail server refused its address.
    Refused,
    /// It could not be sent in its time.
    GivenUp,
}

/// A person's record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Who it is.
    pub person: PersonLine,
    /// What they may do at the desk.
    pub role: Role,
    /// Their cards.
    pub cards: Vec<CardLine>,
    /// The cards that wait for their certificates, by GUID.
    pub waiting: Vec<String>,
    /// Their registration.
    pub registration: Option<RegistrationLine>,
    /// Their mails of the last day, the newest first.
    pub mails: Vec<MailLine>,
    /// What happened lately, the newest first.
    pub recent: Vec<Activity>,
    /// Whether the officer may change the role.
    pub may_appoint: bool,
}

/// Opens a person's record.
///
/// # Errors
///
/// [`DeskFault`].
#[server(prefix = "/api", endpoint = "ra/record", input = Json, output = Json)]
pub async fn open_record(user_number: String) -> Result<Record, DeskFault> {
    let (_, officer) = officer().await?;
    let number = UserNumber::parse(&user_number).map_err(|_| DeskFault::Unknown)?;
    let record = services().desk.open(&officer, &number).await?;
    let may_appoint = officer.may(Deed::Appoint, &record.person).is_ok();
    Ok(Record { may_appoint, ..record.into() })
}

/// What an officer does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    ClearLockOut,
    Freeze,
    EndRegistration,
    SetEmail(String),
    ConfirmEmail,
    CancelCard(String),
    /// What a card that was pulled on its way says that it is, and the card in whose place it comes.
    IssueCard {
        card: Option<String>,
        replaces: Option<String>,
    },
    /// The card, and its certificates in PEM.
    LoadCertificates {
        card: String,
        authentication: String,
        card_authentication: String,
    },
    UnlockCard(String),
    Appoint(Role),
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    PersonAsked,
    CardLost,
    Misuse,
    WrongRecord,
    ChangeOfPost,
}

/// How they recognised the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IdentityCheck {
    PhotoId,
    CalledBack,
    VideoCall,
    SponsorConfirmed,
}

/// What is done for whom, why, and how the person was recognised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderText {
    /// For whom: the user number.
    pub person: String,
    /// What.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// How.
    pub check: IdentityCheck,
}

/// Gives the challenge with which the officer's card proves itself, before its passcode is asked for.
///
/// # Errors
///
/// [`DeskFault`].
#[server(prefix = "/api", endpoint = "ra/start", input = Json, output = Json)]
pub async fn start_order() -> Result<Challenge, DeskFault> {
    let (signed_in, _) = officer().await?;
    Ok(services().sign_in.challenge(Binding::Session(signed_in.session.id)))
}

/// Confirms that a card of this service vouches for the connection key, and gives the challenge that the officer's card
/// signs for this order.
///
/// # Errors
///
/// [`DeskFault`].
#[server(prefix = "/api", endpoint = "ra/confirm-card", input = Json, output = Json)]
pub async fn confirm_ordering_card(proof: CardProof, order: OrderText) -> Result<Challenge, DeskFault> {
    let (signed_in, officer) = officer().await?;
    let order = order.read()?;
    services().sign_in.check_card(Binding::Session(signed_in.session.id), &proof).await?;
    Ok(services().desk.challenge(&officer, &order).await?)
}

/// Does what was ordered.
///
/// # Errors
///
/// [`DeskFault`].
#[server(prefix = "/api", endpoint = "ra/act", input = Json, output = Json)]
pub async fn carry_out(proof: CardProof, order: OrderText) -> Result<Given, DeskFault> {
    let (_, officer) = officer().await?;
    Ok(match services().desk.act(&officer, &order.read()?, &proof).await? {
        ra::Given::Nothing => Given::Nothing,
        ra::Given::Unlock(token) => {
            Cookie::Unlock.set(&token);
            Cookie::Session.clear();
            Given::Unlock
        }
        ra::Given::Issuing(sent) => Given::Issuing(sent.secrets),
        ra::Given::Loading(ra::Loading { secrets, certificates }) => {
            Given::Loading { sealed: secrets, certificates: certificates.into() }
        }
    })
}

/// What comes of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Given {
    /// Nothing more: it is done.
    Nothing,
    /// The person may choose a passcode: the unlock is open in this browser, and the officer is signed out.
    Unlock,
    /// What a blank card is to get, sealed for the connection that the officer's card has vouched for.
    Issuing(Sealed),
    /// What a card has that was prepared before, sealed likewise, and its certificates.
    Loading { sealed: Sealed, certificates: Certificates },
}

/// Whoever is signed in and works at the desk.
#[cfg(feature = "ssr")]
pub(super) async fn officer() -> Result<(SignedIn, RaOfficer), DeskFault> {
    let signed_in = signed_in().await?.ok_or(DeskFault::SignedOut)?;
    let officer = services().desk.officer(&signed_in)?;
    Ok((signed_in, officer))
}

#[cfg(feature = "ssr")]
impl OrderText {
    fn read(self) -> Result<Order, DeskFault> {
        let action = match self.action {
            Action::ClearLockOut => ra::Action::ClearLockOut,
            Action::Freeze => ra::Action::Freeze,
            Action::EndRegistration => ra::Action::EndRegistration,
            Action::SetEmail(email) => {
                ra::Action::SetEmail { email: EmailAddress::parse(&email).map_err(|_| DeskFault::NotAnEmail)? }
            }
            Action::ConfirmEmail => ra::Action::ConfirmEmail,
            Action::CancelCard(card) => ra::Action::CancelCard { card: card.parse().map_err(|_| DeskFault::Unknown)? },
            Action::IssueCard { card, replaces } => {
                let read = |text: Option<String>| text.map(|text| text.parse()).transpose();
                let unknown = |_| DeskFault::Unknown;
                ra::Action::IssueCard { card: read(card).map_err(unknown)?, replaces: read(replaces).map_err(unknown)? }
            }
            Action::LoadCertificates { card, authentication, card_authentication } => {
                let read =
                    |slot, text: &str| certificate::from_pem(text).map(Der).ok_or(DeskFault::NotACertificate(slot));
                ra::Action::LoadCertificates {
                    card: card.parse().map_err(|_| DeskFault::Unknown)?,
                    authentication: read(Slot::Authentication, &authentication)?,
                    card_authentication: read(Slot::CardAuthentication, &card_authentication)?,
                }
            }
            Action::UnlockCard(card) => ra::Action::UnlockCard { card: card.parse().map_err(|_| DeskFault::Unknown)? },
            Action::Appoint(role) => ra::Action::Appoint { role: role.into() },
        };
        let reason = match self.reason {
            Reason::PersonAsked => ra::Reason::PersonAsked,
            Reason::CardLost => ra::Reason::CardLost,
            Reason::Misuse => ra::Reason::Misuse,
            Reason::WrongRecord => ra::Reason::WrongRecord,
            Reason::ChangeOfPost => ra::Reason::ChangeOfPost,
        };
        let check = match self.check {
            IdentityCheck::PhotoId => ra::IdentityCheck::PhotoId,
            IdentityCheck::CalledBack => ra::IdentityCheck::CalledBack,
            IdentityCheck::VideoCall => ra::IdentityCheck::VideoCall,
            IdentityCheck::SponsorConfirmed => ra::IdentityCheck::SponsorConfirmed,
        };
        let person = UserNumber::parse(&self.person).map_err(|_| DeskFault::Unknown)?;
        Ok(Order { person, action, reason, check })
    }
}

#[cfg(feature = "ssr")]
impl From<Role> for DomainRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Cardholder => Self::Cardholder,
            Role::RaAgent => Self::RaAgent,
            Role::RaManager => Self::RaManager,
        }
    }
}

#[cfg(feature = "ssr")]
impl From<DomainRole> for Role {
    fn from(role: DomainRole) -> Self {
        match role {
            DomainRole::Cardholder => Self::Cardholder,
            DomainRole::RaAgent => Self::RaAgent,
            DomainRole::RaManager => Self::RaManager,
        }
    }
}

#[cfg(feature = "ssr")]
impl From<Person> for PersonLine {
    fn from(person: Person) -> Self {
        Self {
            name: person.name,
            user_number: person.user_number.to_string(),
            email: person.email.map(String::from),
            organisation: person.organisation.map(String::from),
        }
    }
}

#[cfg(feature = "ssr")]
impl From<PersonRecord> for Record {
    fn from(record: PersonRecord) -> Self {
        let card = |card: ra::CardOnRecord| CardLine {
            guid: card.guid.to_string(),
            state: match card.state {
                DomainCardState::Active => CardState::Active,
                DomainCardState::Cancelled => CardState::Cancelled,
                DomainCardState::UnlockKeyUnknown => CardState::UnlockKeyUnknown,
            },
        };
        let registration = |registration: ra::RegistrationOnRecord| RegistrationLine {
            since: registration.registered_at.into(),
            email: registration.email.into(),
            codes_elsewhere_until: registration.codes_elsewhere_until.map(Moment::from),
            standing: match registration.standing {
                DomainStanding::Open { .. } => Standing::Open,
                DomainStanding::LockedOut { since } => Standing::LockedOut(since.into()),
                DomainStanding::Frozen { since } => Standing::Frozen(since.into()),
            },
            attempts_left: registration.attempts_left,
        };
        Self {
            role: record.person.role.into(),
            person: record.person.into(),
            cards: record.cards.into_iter().map(card).collect(),
            waiting: record.waiting.iter().map(ToString::to_string).collect(),
            registration: record.registration.map(registration),
            mails: record.mails.into_iter().map(MailLine::from).collect(),
            recent: record.recent.iter().filter_map(Activity::of_entry).collect(),
            may_appoint: false,
        }
    }
}

#[cfg(feature = "ssr")]
impl From<MailOnRecord> for MailLine {
    fn from(mail: MailOnRecord) -> Self {
        let state = match mail.state {
            DomainMailState::Waiting { .. } => MailState::Waiting,
            DomainMailState::Sent => MailState::Sent,
            DomainMailState::Undelivered(Undelivered::Refused) => MailState::Refused,
            DomainMailState::Undelivered(Undelivered::GivenUp) => MailState::GivenUp,
        };
        Self { at: mail.at.into(), state }
    }
}

/// What a reason is called.
#[cfg(feature = "ssr")]
pub(super) fn reason_word_of(reason: ra::Reason) -> &'static str {
    crate::pages::ra::grounds::reason_word(match reason {
        ra::Reason::PersonAsked => Reason::PersonAsked,
        ra::Reason::CardLost => Reason::CardLost,
        ra::Reason::Misuse => Reason::Misuse,
        ra::Reason::WrongRecord => Reason::WrongRecord,
        ra::Reason::ChangeOfPost => Reason::ChangeOfPost,
    })
}

/// What a check is called.
#[cfg(feature = "ssr")]
pub(super) fn check_word_of(check: ra::IdentityCheck) -> &'static str {
    crate::pages::ra::grounds::check_word(match check {
        ra::IdentityCheck::PhotoId => IdentityCheck::PhotoId,
        ra::IdentityCheck::CalledBack => IdentityCheck::CalledBack,
        ra::IdentityCheck::VideoCall => IdentityCheck::VideoCall,
        ra::IdentityCheck::SponsorConfirmed => IdentityCheck::SponsorConfirmed,
    })
}
