//! What a card signs for, and with which key.

use serde::{Deserialize, Serialize};

/// What a card proof is for. The bridge signs for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Purpose {
    /// The card in the reader is genuine, and the connection key is its bridge's.
    Hello = 1,
    /// Begin an unlock.
    Unlock = 2,
    /// Hand in answers or a code of an unlock.
    Attempt = 3,
    /// Receive the sealed unlock keys.
    Release = 4,
    /// Sign in.
    SignIn = 5,
    /// Begin a registration.
    Register = 6,
    /// Change something of a registration.
    Change = 7,
    /// The card was unlocked: the completion proof.
    Unlocked = 8,
    /// The card was prepared by a Registration Authority.
    Prepared = 9,
    /// A Registration Authority acts.
    RaAction = 10,
}

impl Purpose {
    /// Every purpose, in the order of their numbers.
    pub const ALL: [Self; 10] = [
        Self::Hello,
        Self::Unlock,
        Self::Attempt,
        Self::Release,
        Self::SignIn,
        Self::Register,
        Self::Change,
        Self::Unlocked,
        Self::Prepared,
        Self::RaAction,
    ];

    /// The key that signs for this purpose.
    pub fn slot(self) -> Slot {
        match self {
            Self::Hello | Self::Unlock | Self::Attempt | Self::Release => Slot::CardAuthentication,
            Self::SignIn | Self::Register | Self::Change | Self::Unlocked | Self::Prepared | Self::RaAction => {
                Slot::Authentication
            }
        }
    }
}

/// A key on the card (SP 800-73-4 part 1, table 4b).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Slot {
    /// 9A, the PIV authentication key: signs after the passcode was verified, so proves the cardholder.
    Authentication,
    /// 9E, the card authentication key: signs without a passcode, on a locked card too, so proves the card.
    CardAuthentication,
}
