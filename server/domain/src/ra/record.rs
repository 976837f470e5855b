//! What the desk sees of a person.

use card_protocol::Guid;

use crate::{
    Timestamp, card::CardState, delivery::MailOnRecord, email::EmailAddress, person::Person, registration::Standing,
    trail::TrailEntry,
};

/// How many entries of the trail a record shows.
pub(super) const RECENT: u64 = 20;

/// All that the desk sees of a person. Answers, codes, passcodes and unlock keys are not in it.
#[derive(Clone, Debug)]
pub struct PersonRecord {
    /// Who it is.
    pub person: Person,
    /// Their cards.
    pub cards: Vec<CardOnRecord>,
    /// The cards that wait for their certificates, to become theirs then.
    pub waiting: Vec<Guid>,
    /// Their registration, where there is one.
    pub registration: Option<RegistrationOnRecord>,
    /// Their mails of the last day, the newest first: how far each is.
    pub mails: Vec<MailOnRecord>,
    /// What happened lately, the newest first: also which mails could not be delivered.
    pub recent: Vec<TrailEntry>,
}

/// A card, as the desk sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardOnRecord {
    /// Which.
    pub guid: Guid,
    /// What may be done with it.
    pub state: CardState,
}

/// A registration, as the desk sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationOnRecord {
    /// The address on file.
    pub email: EmailAddress,
    /// Until when unlock codes go to the address before; none where they go to the one on file.
    pub codes_elsewhere_until: Option<Timestamp>,
    /// Whether the person may try.
    pub standing: Standing,
    /// How many attempts are left.
    pub attempts_left: u8,
    /// When it was completed.
    pub registered_at: Timestamp,
}
