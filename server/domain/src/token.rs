//! Random tokens of the browser, and the ids of what they open.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{Timestamp, ports::Randomness};

/// What a cookie holds: 32 random bytes. Whoever has it has the session or the flow, so only its hash is stored.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Token([u8; 32]);

/// The SHA-256 of a [`Token`]: what is stored. (A random token of 256 bits needs no salt and no slow hash.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl Token {
    /// Makes a new one.
    pub fn generate(randomness: &dyn Randomness) -> Self {
        let mut bytes = [0; 32];
        randomness.fill(&mut bytes);
        Self(bytes)
    }

    /// Reads a cookie's value; nothing where it is no token.
    pub fn parse(text: &str) -> Option<Self> {
        Base64UrlUnpadded::decode_vec(text).ok()?.try_into().ok().map(Self)
    }

    /// The cookie's value.
    pub fn expose_secret(&self) -> String {
        Base64UrlUnpadded::encode_string(&self.0)
    }

    /// What is stored of it.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0).into())
    }
}

/// Defines a random id.
macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Makes a new one.
            pub fn generate(randomness: &dyn Randomness) -> Self {
                let mut bytes = [0; 16];
                randomness.fill(&mut bytes);
                Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(formatter)
            }
        }
    };
}

random_id! {
    /// Which flow, of registration or of unlock.
    FlowId
}

random_id! {
    /// Which session.
    SessionId
}

random_id! {
    /// Which unlock key.
    KeyId
}

impl KeyId {
    /// Makes one that sorts by its time (UUID version 7, RFC 9562), so that those of many keys at once stand side by side
    /// in the store.
    ///
    /// # Panics
    ///
    /// Never: a time before 1970 counts as 1970.
    pub fn generate_at(at: Timestamp, randomness: &dyn Randomness) -> Self {
        let mut bytes = [0; 10];
        randomness.fill(&mut bytes);
        let milliseconds = u64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(milliseconds, &bytes).into_uuid())
    }
}

random_id! {
    /// Which mail.
    MailId
}

random_id! {
    /// Which rendering of a form: a repeated POST of it gets the outcome of the first.
    FormId
}

random_id! {
    /// Which import of an officer.
    ImportId
}
