//! What is counted for reports: how often something happened on a day, in an organisation.
//!
//! A count is raised in the transaction that writes what it counts onto the trail, so that the two say the same. It
//! knows no person: whoever is erased stays counted. A report is the sum of a few of them, however long the trail is.

use time::Date;

use crate::{
    organisation::Organisation,
    trail::{Event, Outcome, TrailEntry},
};

/// Something that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Figure {
    /// A registration was completed.
    Registered,
    /// A card was unlocked.
    Unlocked,
    /// Somebody was locked out after too many failed attempts.
    LockedOut,
    /// A mail could not be delivered.
    MailFailed,
}

impl Figure {
    /// All.
    pub const ALL: [Self; 4] = [Self::Registered, Self::Unlocked, Self::LockedOut, Self::MailFailed];

    /// As it is written in tables: never changed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Unlocked => "unlocked",
            Self::LockedOut => "locked-out",
            Self::MailFailed => "mail-failed",
        }
    }

    /// Reads [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|figure| figure.as_str() == text)
    }

    /// What an entry of the trail counts as.
    pub fn of(entry: &TrailEntry) -> Option<Self> {
        match (entry.event, entry.outcome) {
            (Event::Registered, Outcome::Done) => Some(Self::Registered),
            (Event::CardUnlocked, Outcome::Done) => Some(Self::Unlocked),
            (Event::SelfServiceLocked, _) => Some(Self::LockedOut),
            (Event::MailUndelivered, _) => Some(Self::MailFailed),
            _ => None,
        }
    }
}

/// Whose counts are summed up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CountedFor {
    /// Everybody's.
    Everybody,
    /// Those of an organisation.
    Organisation(Organisation),
    /// Those of people of whom no organisation is known.
    NoOrganisation,
}

/// Days, the first and the last included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// The first.
    pub first: Date,
    /// The last.
    pub last: Date,
}

/// How often something happened on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayCount {
    /// The day.
    pub day: Date,
    /// What.
    pub figure: Figure,
    /// How often.
    pub count: u64,
}

/// How often something happened in an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganisationCount {
    /// Where; nothing for people of whom no organisation is known.
    pub organisation: Option<Organisation>,
    /// What.
    pub figure: Figure,
    /// How often.
    pub count: u64,
}
