//! What is wrong with a row of a file, and how many rows became what.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Refusal;

/// Why a row was not taken in. None of them repeats what stands in the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum RowFault {
    /// It has another number of fields, or is not UTF-8.
    #[error("the row has another number of fields than the first line, or is not UTF-8")]
    Fields,
    /// The user number is none.
    #[error("a user number is 1 to 32 letters, digits or hyphens")]
    UserNumber,
    /// The name is none.
    #[error("a name is 1 to 200 characters, none of which is a control character")]
    Name,
    /// The address is none.
    #[error("the e-mail address is not one")]
    Email,
    /// The organisation is none.
    #[error("an organisation is at most 100 characters, none of which is a control character")]
    Organisation,
    /// The GUID is none.
    #[error("the GUID is not 32 hexadecimal digits")]
    Guid,
    /// The key of slot 9A is none that a card may have here.
    #[error(
        "the field authentication holds no certificate or public key of P-256, P-384 or RSA-2048, in PEM or as base64 \
         of DER"
    )]
    AuthenticationKey,
    /// The key of slot 9E is none that a card may have here.
    #[error(
        "the field card_authentication holds no certificate or public key of P-256, P-384 or RSA-2048, in PEM or as \
         base64 of DER"
    )]
    CardAuthenticationKey,
    /// The unlock key is none.
    #[error("the unlock key is not 16 hexadecimal digits")]
    UnlockKey,
    /// The rules refuse it.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// How many rows became what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// They are new.
    pub added: u64,
    /// They were there already, and are said to work elsewhere now.
    pub moved: u64,
    /// They were there already.
    pub unchanged: u64,
    /// They were refused.
    pub refused: u64,
}

impl Counts {
    /// Adds those of another batch.
    pub fn add(&mut self, more: &Self) {
        self.added += more.added;
        self.moved += more.moved;
        self.unchanged += more.unchanged;
        self.refused += more.refused;
    }

    /// All rows.
    pub fn rows(&self) -> u64 {
        self.added + self.moved + self.unchanged + self.refused
    }
}

/// Cards do not move.
impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { added, moved, unchanged, refused } = self;
        write!(formatter, "{added} added, ")?;
        if *moved > 0 {
            write!(formatter, "{moved} moved, ")?;
        }
        write!(formatter, "{unchanged} unchanged, {refused} refused")
    }
}
