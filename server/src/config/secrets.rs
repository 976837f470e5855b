//! Section `secrets`: the files of the secrets, and what a secret is once it has been read.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use zeroize::Zeroizing;

use super::FieldError;

/// The files of the secrets, the same for all servers of a service. Each holds 32 bytes as 64 hexadecimal digits, but for
/// the import key, which `age-keygen` writes, and the keys of blank cards.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecretsSection {
    /// Which vault key seals; needed only where there are several.
    pub vault_key: Option<KeyName>,
    /// The vault keys by name.
    pub vault_key_files: BTreeMap<KeyName, PathBuf>,
    /// Which pepper is hashed with; needed only where there are several.
    pub pepper: Option<KeyName>,
    /// The peppers by name.
    pub pepper_files: BTreeMap<KeyName, PathBuf>,
    /// The key of the challenges.
    pub challenge_key_file: Option<PathBuf>,
    /// The key of the audit trail.
    pub trail_key_file: Option<PathBuf>,
    /// The service key's private half (X25519).
    pub service_key_file: Option<PathBuf>,
    /// The service key that comes next, so that it can be pinned in the bridges before it is used.
    pub next_service_key_file: Option<PathBuf>,
    /// The age identity to which files of cards are encrypted; without it none is taken in.
    pub import_key_file: Option<PathBuf>,
    /// The management key with which blank cards come: 32, 48 or 64 hexadecimal digits; the factory's where it is not said.
    pub blank_card_management_key_file: Option<PathBuf>,
    /// The unlock key with which they come: 16 hexadecimal digits; the factory's where it is not said.
    pub blank_card_unlock_key_file: Option<PathBuf>,
}

impl SecretsSection {
    pub(super) fn validate(&self, made_in: Option<&Path>) -> Result<(), FieldError> {
        for (field, chosen, files) in [
            ("secrets.vault_key", &self.vault_key, &self.vault_key_files),
            ("secrets.pepper", &self.pepper, &self.pepper_files),
        ] {
            match chosen {
                None if files.len() > 1 => return Err(FieldError::new(field, "says which of the several is in use")),
                Some(name) if !files.contains_key(name) => {
                    return Err(FieldError::new(field, format!("{field}_files has no \"{}\"", name.as_str())));
                }
                None | Some(_) => {}
            }
        }
        if made_in.is_some() {
            return Ok(());
        }
        for (field, missing) in [
            ("secrets.vault_key_files", self.vault_key_files.is_empty()),
            ("secrets.pepper_files", self.pepper_files.is_empty()),
            ("secrets.challenge_key_file", self.challenge_key_file.is_none()),
            ("secrets.trail_key_file", self.trail_key_file.is_none()),
            ("secrets.service_key_file", self.service_key_file.is_none()),
        ] {
            if missing {
                return Err(FieldError::new(
                    field,
                    "is missing (only a service on http://localhost with a data folder makes its own)",
                ));
            }
        }
        Ok(())
    }
}

/// The name of a key: 1 to 8 lower-case letters, digits or hyphens, because it stands in every hash (the `keyid` of
/// Argon2 has 8 bytes) and in every ciphertext.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct KeyName(String);

/// The text names no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the name of a key is 1 to 8 lower-case letters, digits or hyphens")]
pub struct NotAKeyName;

impl KeyName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for KeyName {
    type Error = NotAKeyName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = (1..=8).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if fits { Ok(Self(text)) } else { Err(NotAKeyName) }
    }
}

impl std::borrow::Borrow<str> for KeyName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A secret of 32 bytes.
pub struct SecretBytes(Zeroizing<[u8; 32]>);

impl SecretBytes {
    /// Takes the bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes: for the one cipher, hash or key that they are for.
    pub fn expose_secret(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Secrets by name, of which one is in use.
pub struct KeySet {
    current: KeyName,
    keys: BTreeMap<KeyName, SecretBytes>,
}

/// The one that is to be in use is not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key that is in use is not among the keys")]
pub struct CurrentKeyMissing;

impl KeySet {
    /// Puts them together.
    ///
    /// # Errors
    ///
    /// [`CurrentKeyMissing`].
    pub fn new(current: KeyName, keys: BTreeMap<KeyName, SecretBytes>) -> Result<Self, CurrentKeyMissing> {
        if keys.contains_key(&current) { Ok(Self { current, keys }) } else { Err(CurrentKeyMissing) }
    }

    /// The name of the one in use.
    pub fn current(&self) -> &KeyName {
        &self.current
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&KeyName, &SecretBytes)> {
        self.keys.iter()
    }

    /// The name of the one in use, and all of them.
    pub fn into_parts(self) -> (KeyName, BTreeMap<KeyName, SecretBytes>) {
        (self.current, self.keys)
    }
}
