//! The names under which people and cards stand on the trail.
//!
//! The trail is for good, and who it speaks of must not be. So each name is made with a salt of the person's own, which
//! stands beside the person and nowhere else. While it is there, the trail can be read for a person; once it is erased,
//! nobody can say whose a name was, not even with a list of all user numbers or with the card in hand.

use std::fmt;

use card_protocol::Guid;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{person::UserNumber, ports::Randomness};

/// How much of the HMAC a name is, in bytes: enough that nobody finds a salt that gives somebody else's name.
const NAME_LENGTH: usize = 16;

/// What makes the names of one person and their cards: 32 random bytes.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct TrailSalt([u8; 32]);

impl TrailSalt {
    /// Takes the bytes, as they are stored.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Makes a new one.
    pub fn generate(randomness: &dyn Randomness) -> Self {
        let mut bytes = [0; 32];
        randomness.fill(&mut bytes);
        Self(bytes)
    }

    /// The bytes, to be stored.
    pub fn expose_secret(&self) -> &[u8; 32] {
        &self.0
    }

    /// The name of the person whose salt this is.
    pub fn name_person(&self, number: &UserNumber) -> TrailName {
        self.name(b"person", number.as_str().as_bytes())
    }

    /// The name of a card of theirs.
    pub fn name_card(&self, guid: &Guid) -> TrailName {
        self.name(b"card", &guid.0)
    }

    /// The first bytes of the HMAC-SHA-256 over kind and identity, in hexadecimal.
    fn name(&self, kind: &[u8], identity: &[u8]) -> TrailName {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(kind);
        mac.update(identity);
        let mut digits = [0; 2 * NAME_LENGTH];
        let name = base16ct::lower::encode_str(&mac.finalize().into_bytes()[..NAME_LENGTH], &mut digits);
        TrailName(name.expect("each byte has two digits").to_owned())
    }
}

/// Says nothing of the bytes.
impl fmt::Debug for TrailSalt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TrailSalt")
    }
}

/// A name on the trail: 32 hexadecimal digits. It is compared, and says nothing by itself; what stands in records that
/// are older than the salts, a user number or a GUID, is taken as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrailName(String);

impl TrailName {
    /// Takes a name from a record.
    pub fn of_record(text: String) -> Self {
        Self(text)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn salt(byte: u8) -> TrailSalt {
        TrailSalt::new([byte; 32])
    }

    fn number(text: &str) -> UserNumber {
        UserNumber::parse(text).unwrap()
    }

    #[test]
    fn a_name_is_the_persons_own_and_changes_with_salt_number_and_kind() {
        let name = salt(1).name_person(&number("1001"));
        assert_eq!(name, salt(1).name_person(&number("1001")));
        assert_eq!(name.as_str().len(), 32);
        assert!(name.as_str().bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(name, salt(2).name_person(&number("1001")));
        assert_ne!(name, salt(1).name_person(&number("1002")));
        let guid = Guid(*b"1001100110011001");
        assert_ne!(salt(1).name_card(&guid), salt(1).name_person(&number("1001100110011001")));
    }

    #[test]
    fn a_salt_is_not_written_where_somebody_looks_at_a_person() {
        assert_eq!(format!("{:?}", salt(0xab)), "TrailSalt");
    }
}
