//! What an officer does for a person, why, and how they recognised them.

use card_protocol::{Der, Guid};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::permission::Deed;
use crate::{email::EmailAddress, person::UserNumber, role::Role};

/// Something that an officer does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Action {
    /// Lets the person help themself again, after too many failed attempts or a freeze.
    ClearLockOut,
    /// Stops self-service until the RA clears it.
    Freeze,
    /// Ends the registration: the person may register anew.
    EndRegistration,
    /// Sets the address. Unlock codes go to it after a day, unless another officer confirms it.
    SetEmail {
        /// The address.
        email: EmailAddress,
    },
    /// Confirms the address that another officer has set: unlock codes go to it at once.
    ConfirmEmail,
    /// Cancels a card, for good.
    CancelCard {
        /// Which.
        card: Guid,
    },
    /// Issues a blank card to them.
    IssueCard {
        /// What a card that was pulled on its way says that it is.
        card: Option<Guid>,
        /// The card that is cancelled when this one is issued.
        replaces: Option<Guid>,
    },
    /// Loads the certificates that another authority has made onto the card that has asked for them.
    LoadCertificates {
        /// Which.
        card: Guid,
        /// Of the key of slot 9A.
        authentication: Der,
        /// Of the key of slot 9E.
        card_authentication: Der,
    },
    /// Unlocks a card in front of the officer: the person chooses the passcode.
    UnlockCard {
        /// Which.
        card: Guid,
    },
    /// Gives the person another role.
    Appoint {
        /// Which.
        role: Role,
    },
}

impl Action {
    /// What kind of action it is: what the permission is for.
    pub fn deed(&self) -> Deed {
        match self {
            Self::ClearLockOut => Deed::ClearLockOut,
            Self::Freeze => Deed::Freeze,
            Self::EndRegistration => Deed::EndRegistration,
            Self::SetEmail { .. } => Deed::SetEmail,
            Self::ConfirmEmail => Deed::ConfirmEmail,
            Self::CancelCard { .. } => Deed::CancelCard,
            Self::IssueCard { .. } | Self::LoadCertificates { .. } => Deed::IssueCard,
            Self::UnlockCard { .. } => Deed::UnlockCard,
            Self::Appoint { .. } => Deed::Appoint,
        }
    }
}

/// Why an officer does it. A choice and no free text: the trail keeps it for good, and nobody's affairs belong there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The person asked for help.
    PersonAsked,
    /// The card is lost, stolen or broken.
    CardLost,
    /// Somebody else may be using it.
    Misuse,
    /// What is on file is wrong.
    WrongRecord,
    /// The person starts, leaves or changes their post.
    ChangeOfPost,
}

/// How the officer recognised the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdentityCheck {
    /// They were there, with a photo identity document.
    PhotoId,
    /// They were called back on the number that the organisation holds.
    CalledBack,
    /// By video, with a photo identity document.
    VideoCall,
    /// Their sponsor confirmed who they are.
    SponsorConfirmed,
}

/// An action for a person, with its reason and check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// For whom.
    pub person: UserNumber,
    /// What.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// How the person was recognised.
    pub check: IdentityCheck,
}

impl Order {
    /// What stands for it in the challenge that the officer's card signs: the SHA-256 of its JSON.
    ///
    /// # Panics
    ///
    /// Never: an order is made of text.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(serde_json::to_vec(self).expect("an order is text")).into()
    }
}
