//! What a person is to the service besides a cardholder.

use serde::{Deserialize, Serialize};

/// What a person may do at the RA's desk. The order is that of the powers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Nothing: they help themself only.
    #[default]
    Cardholder,
    /// Helps people.
    RaAgent,
    /// That, and gives others their roles.
    RaManager,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Cardholder, Self::RaAgent, Self::RaManager];

    /// As it is written in tables and in the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cardholder => "cardholder",
            Self::RaAgent => "ra-agent",
            Self::RaManager => "ra-manager",
        }
    }

    /// Reads [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}
