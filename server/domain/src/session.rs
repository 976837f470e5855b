//! A session: what a person who signed in with card and passcode has.

use card_protocol::Guid;

use crate::{
    Timestamp,
    person::UserNumber,
    policy::Policy,
    token::{SessionId, TokenHash},
};

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Which session.
    pub id: SessionId,
    /// What is stored of its cookie.
    pub token: TokenHash,
    /// Whose.
    pub person: UserNumber,
    /// The card that signed in.
    pub card: Guid,
    /// When it began.
    pub began_at: Timestamp,
    /// When it was used last.
    pub last_active: Timestamp,
}

impl Session {
    /// When it ends unless it is used: after a time without a request, at the latest after its life.
    pub fn ends_at(&self, policy: &Policy) -> Timestamp {
        (self.last_active + policy.session_idle).min(self.began_at + policy.session_life)
    }
}
