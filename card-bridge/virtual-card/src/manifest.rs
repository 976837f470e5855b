//! What is made and what was made: the list of cards to make (TOML), and the manifest that says what a service needs to
//! know of them (JSON). Both are for demonstrations and tests only: no real passcode or unlock key stands in a file.

use piv::{Algorithm, Passcode, Slot};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The cards to make.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardList {
    /// In the order in which they are made and listed.
    #[serde(rename = "card")]
    pub cards: Vec<CardSpec>,
    /// The names of cards that stay in their factory state.
    #[serde(default)]
    pub blanks: Vec<CardName>,
}

/// A card to make.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardSpec {
    /// The card's name: that of its directory.
    pub card: CardName,
    /// The number by which the service knows the cardholder.
    pub user_number: String,
    /// The cardholder's name.
    pub name: String,
    /// The address on file.
    pub email: String,
    /// The passcode that the card gets.
    #[serde(deserialize_with = "written_out::deserialize")]
    pub passcode: Zeroizing<String>,
    /// How many wrong passcodes the card takes.
    #[serde(default)]
    pub passcode_tries: PasscodeTries,
    /// Whether the card is locked by wrong passcodes at the end.
    #[serde(default)]
    pub locked: bool,
    /// The kind of key in slot 9A.
    #[serde(default)]
    pub piv_authentication: KeyKind,
    /// The kind of key in slot 9E.
    #[serde(default)]
    pub card_authentication: KeyKind,
    /// The cardholder's registration, if they have registered.
    pub registered: Option<RegistrationSpec>,
}

impl CardSpec {
    /// The kind of key in a slot.
    pub fn algorithm(&self, slot: Slot) -> Algorithm {
        match slot {
            Slot::PivAuthentication => self.piv_authentication,
            Slot::CardAuthentication => self.card_authentication,
        }
        .into()
    }

    /// The passcode in the form that the card takes.
    ///
    /// # Errors
    ///
    /// When it is not 6 to 8 digits.
    pub fn passcode(&self) -> Result<Passcode, piv::BadlyFormedPasscode> {
        Passcode::from_digits(&self.passcode)
    }
}

/// A card's name: letters, digits and hyphens, so that it can name a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct CardName(String);

/// The text can't name a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a card's name is 1 to 64 letters, digits or hyphens")]
pub struct BadCardName;

impl CardName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CardName {
    type Error = BadCardName;

    fn try_from(name: String) -> Result<Self, BadCardName> {
        let fits =
            (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if fits { Ok(Self(name)) } else { Err(BadCardName) }
    }
}

/// How many wrong passcodes a card takes: 1 to 15, as many as 63CX can tell (SP 800-73-4 part 2, 3.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u8")]
pub struct PasscodeTries(u8);

/// No card takes so many wrong passcodes, or so few.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a card takes 1 to 15 wrong passcodes")]
pub struct BadPasscodeTries;

impl PasscodeTries {
    /// What the card application in use gives.
    pub const THREE: Self = Self(3);
    /// What other cards give.
    pub const FIVE: Self = Self(5);

    /// The number.
    pub fn count(self) -> u8 {
        self.0
    }
}

impl Default for PasscodeTries {
    fn default() -> Self {
        Self::THREE
    }
}

impl TryFrom<u8> for PasscodeTries {
    type Error = BadPasscodeTries;

    fn try_from(count: u8) -> Result<Self, BadPasscodeTries> {
        if (1..=15).contains(&count) { Ok(Self(count)) } else { Err(BadPasscodeTries) }
    }
}

/// The kind of a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyKind {
    /// ECDSA on P-256.
    #[default]
    #[serde(rename = "P-256")]
    P256,
    /// ECDSA on P-384.
    #[serde(rename = "P-384")]
    P384,
    /// RSA of 2048 bits.
    #[serde(rename = "RSA-2048")]
    Rsa2048,
}

impl KeyKind {
    /// Its name in a list of cards.
    pub fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::Rsa2048 => "RSA-2048",
        }
    }
}

impl From<KeyKind> for Algorithm {
    fn from(kind: KeyKind) -> Self {
        match kind {
            KeyKind::P256 => Self::P256,
            KeyKind::P384 => Self::P384,
            KeyKind::Rsa2048 => Self::Rsa2048,
        }
    }
}

/// A registration as it shall be found.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistrationSpec {
    /// The confirmed address.
    pub email: String,
    /// Four answers.
    pub answers: Vec<AnswerSpec>,
}

/// A security question and its answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerSpec {
    /// The question's number, 1 to 20.
    pub question: u8,
    /// The answer as a person would type it.
    pub answer: String,
}

/// What was made.
#[derive(Serialize, Deserialize)]
pub struct Manifest {
    /// In the order of the list that they were made from.
    pub cards: Vec<IssuedCard>,
}

/// A card that was made.
#[derive(Serialize, Deserialize)]
pub struct IssuedCard {
    /// The card's name: that of its directory beside the manifest.
    pub card: String,
    /// The number by which the service knows the cardholder. Several cards can have one holder.
    pub user_number: String,
    /// The cardholder's name.
    pub name: String,
    /// The address on file.
    pub email: String,
    /// The GUID, 32 hexadecimal digits.
    pub guid: String,
    /// The public key of slot 9A: DER `SubjectPublicKeyInfo` in base64url without padding.
    pub piv_authentication_key: String,
    /// The public key of slot 9E, likewise.
    pub card_authentication_key: String,
    /// The unlock key, 16 hexadecimal digits.
    #[serde(with = "written_out")]
    pub unlock_key: Zeroizing<String>,
    /// The passcode, digits.
    #[serde(with = "written_out")]
    pub passcode: Zeroizing<String>,
    /// Whether the card was locked.
    pub locked: bool,
    /// The cardholder's registration: on one card of each registered person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered: Option<RegistrationSpec>,
}

/// A secret that is for the reader of the file.
mod written_out {
    use serde::{Deserialize, Deserializer, Serializer};
    use zeroize::Zeroizing;

    pub fn serialize<S: Serializer>(secret: &Zeroizing<String>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Zeroizing<String>, D::Error> {
        String::deserialize(deserializer).map(Zeroizing::new)
    }
}
