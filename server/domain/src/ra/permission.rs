//! Who may do what to whom.
//!
//! | deed | agent to a cardholder | agent to an agent | agent to a manager | manager to anybody |
//! | --- | --- | --- | --- | --- |
//! | `issue-card`, `unlock-card` | yes | no | no | yes |
//! | `appoint` | no | no | no | yes |
//! | all others | yes | yes | no | yes |
//!
//! Nobody acts on their own record.
//!
//! What is about nobody in particular is a [`Task`]:
//!
//! | task | agent | manager |
//! | --- | --- | --- |
//! | `see-reports` | yes | yes |
//! | `search-trail`, `import` | no | yes |

use card_protocol::Guid;
use serde::{Deserialize, Serialize};

use super::Order;
use crate::{
    person::{Person, UserNumber},
    role::Role,
    sign_in::SignedIn,
    token::SessionId,
    trail::{ByOfficer, TrailName},
};

/// What kind of thing is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// Opens a person's record.
    OpenRecord,
    /// [`Action::ClearLockOut`](super::Action::ClearLockOut).
    ClearLockOut,
    /// [`Action::Freeze`](super::Action::Freeze).
    Freeze,
    /// [`Action::EndRegistration`](super::Action::EndRegistration).
    EndRegistration,
    /// [`Action::SetEmail`](super::Action::SetEmail).
    SetEmail,
    /// [`Action::ConfirmEmail`](super::Action::ConfirmEmail).
    ConfirmEmail,
    /// [`Action::CancelCard`](super::Action::CancelCard).
    CancelCard,
    /// [`Action::IssueCard`](super::Action::IssueCard) and [`Action::LoadCertificates`](super::Action::LoadCertificates).
    IssueCard,
    /// [`Action::UnlockCard`](super::Action::UnlockCard).
    UnlockCard,
    /// [`Action::Appoint`](super::Action::Appoint).
    Appoint,
}

impl Deed {
    /// All.
    pub const ALL: [Self; 10] = [
        Self::OpenRecord,
        Self::ClearLockOut,
        Self::Freeze,
        Self::EndRegistration,
        Self::SetEmail,
        Self::ConfirmEmail,
        Self::CancelCard,
        Self::IssueCard,
        Self::UnlockCard,
        Self::Appoint,
    ];
}

/// What is done at the desk for nobody in particular.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Sees how often what happened, by day and organisation: numbers, and nobody's name.
    SeeReports,
    /// Searches the whole trail, and takes a copy of what is found.
    SearchTrail,
    /// Takes people and cards in out of files.
    Import,
}

impl Task {
    /// All.
    pub const ALL: [Self; 3] = [Self::SeeReports, Self::SearchTrail, Self::Import];
}

/// An officer at the desk: the permission to work there. Only [`Desk::officer`](super::Desk::officer) makes one, of a
/// session of a person who has the role.
#[derive(Clone, Debug)]
pub struct RaOfficer {
    pub(super) number: UserNumber,
    pub(super) trail_name: TrailName,
    pub(super) role: Role,
    pub(super) session: SessionId,
    pub(super) card: Guid,
}

/// An officer may not do that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// The person has no role at the desk.
    #[error("no role at the desk")]
    NoOfficer,
    /// Nobody acts on their own record.
    #[error("this is the officer's own record")]
    OwnRecord,
    /// The role is not enough for this, or for this person.
    #[error("the role is not enough")]
    Role,
}

impl RaOfficer {
    pub(super) fn of(signed_in: &SignedIn) -> Result<Self, Forbidden> {
        let SignedIn { session, person, .. } = signed_in;
        match person.role {
            Role::Cardholder => Err(Forbidden::NoOfficer),
            role @ (Role::RaAgent | Role::RaManager) => Ok(Self {
                number: person.user_number.clone(),
                trail_name: person.trail_name(),
                role,
                session: session.id,
                card: session.card,
            }),
        }
    }

    /// Their part in what an order brings about.
    pub(super) fn by(&self, order: &Order) -> ByOfficer {
        let (reason, check) = (Some(order.reason), Some(order.check));
        ByOfficer { reason, check, ..ByOfficer::only(self.trail_name.clone()) }
    }

    /// Whether they may do this.
    ///
    /// # Errors
    ///
    /// [`Forbidden::Role`].
    pub fn may_do(&self, task: Task) -> Result<(), Forbidden> {
        let needs = match task {
            Task::SeeReports => Role::RaAgent,
            Task::SearchTrail | Task::Import => Role::RaManager,
        };
        if self.role >= needs { Ok(()) } else { Err(Forbidden::Role) }
    }

    /// Whether they may do this to the person.
    ///
    /// # Errors
    ///
    /// [`Forbidden`].
    pub fn may(&self, deed: Deed, person: &Person) -> Result<(), Forbidden> {
        if self.number == person.user_number {
            return Err(Forbidden::OwnRecord);
        }
        let is_enough = match (self.role, deed) {
            (Role::Cardholder, _) | (Role::RaAgent, Deed::Appoint) => false,
            // Whoever has somebody's card and chooses its passcode can be them: an agent no other officer.
            (Role::RaAgent, Deed::IssueCard | Deed::UnlockCard) => person.role == Role::Cardholder,
            (Role::RaAgent, _) => person.role < Role::RaManager,
            (Role::RaManager, _) => true,
        };
        if is_enough { Ok(()) } else { Err(Forbidden::Role) }
    }
}
