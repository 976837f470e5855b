//! The vault: AES-256-GCM under keys that are held outside the database.
//!
//! ```text
//! version (1) || length of the key's id (1) || key's id || nonce (12) || ciphertext || tag (16)
//! additional data = everything before the nonce || context
//! ```
//!
//! The nonce is random, so one key is good for 2^32 messages (SP 800-38D, 8.3).

use std::{collections::BTreeMap, sync::Arc};

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use domain::ports::{Randomness, Vault, VaultCiphertext, VaultError};
use zeroize::Zeroizing;

use crate::config::secrets::{KeyName, KeySet};

const VERSION: u8 = 1;
const NONCE_LENGTH: usize = 12;

/// A vault with keys by id; one of them seals, all of them open.
pub struct AesGcmVault {
    current: KeyName,
    keys: BTreeMap<KeyName, Aes256Gcm>,
    randomness: Arc<dyn Randomness>,
}

impl AesGcmVault {
    /// Takes the keys.
    pub fn new(keys: &KeySet, randomness: Arc<dyn Randomness>) -> Self {
        let ciphers =
            keys.iter().map(|(id, key)| (id.clone(), Aes256Gcm::new(&(*key.expose_secret()).into()))).collect();
        Self { current: keys.current().clone(), keys: ciphers, randomness }
    }
}

impl Vault for AesGcmVault {
    fn seal(&self, plaintext: &[u8], context: &[u8]) -> VaultCiphertext {
        let mut sealed = header(&self.current);
        let additional_data = [&sealed[..], context].concat();
        let mut nonce = [0; NONCE_LENGTH];
        self.randomness.fill(&mut nonce);
        let ciphertext = self.keys[&self.current]
            .encrypt(&Nonce::from(nonce), Payload { msg: plaintext, aad: &additional_data })
            .expect("what is sealed is shorter than 64 GiB");
        sealed.extend(nonce);
        sealed.extend(ciphertext);
        VaultCiphertext(sealed)
    }

    fn open(&self, sealed: &VaultCiphertext, context: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (id, nonce, ciphertext) = split(&sealed.0).ok_or(VaultError::NotAuthentic)?;
        let (id, cipher) = self.keys.get_key_value(id).ok_or(VaultError::UnknownKey)?;
        let additional_data = [&header(id)[..], context].concat();
        cipher
            .decrypt(&Nonce::from(*nonce), Payload { msg: ciphertext, aad: &additional_data })
            .map(Zeroizing::new)
            .map_err(|_| VaultError::NotAuthentic)
    }

    fn is_outdated(&self, sealed: &VaultCiphertext) -> bool {
        split(&sealed.0).is_none_or(|(id, ..)| id != self.current.as_str())
    }
}

fn header(id: &KeyName) -> Vec<u8> {
    let id = id.as_str().as_bytes();
    let length = u8::try_from(id.len()).expect("an id of a key is short");
    [&[VERSION, length], id].concat()
}

fn split(sealed: &[u8]) -> Option<(&str, &[u8; NONCE_LENGTH], &[u8])> {
    let ([VERSION, length], rest) = sealed.split_first_chunk()? else { return None };
    let (id, rest) = rest.split_at_checked(usize::from(*length))?;
    let (nonce, ciphertext) = rest.split_first_chunk()?;
    Some((std::str::from_utf8(id).ok()?, nonce, ciphertext))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::secrets::SecretBytes, randomness::SystemRandomness};

    fn vault(current: &str, keys: &[(&str, u8)]) -> AesGcmVault {
        let id = |id: &str| KeyName::try_from(id.to_owned()).unwrap();
        let keys = keys.iter().map(|(name, byte)| (id(name), SecretBytes::new([*byte; 32]))).collect();
        AesGcmVault::new(&KeySet::new(id(current), keys).unwrap(), Arc::new(SystemRandomness))
    }

    #[test]
    fn what_was_sealed_opens_in_its_context() {
        let vault = vault("v1", &[("v1", 1)]);
        let sealed = vault.seal(b"12345678", b"card");
        assert_eq!(**vault.open(&sealed, b"card").unwrap(), *b"12345678");
        assert_ne!(vault.seal(b"12345678", b"card"), sealed, "a nonce is never used twice");
    }

    #[test]
    fn another_context_or_a_changed_byte_does_not_open() {
        let vault = vault("v1", &[("v1", 1)]);
        let sealed = vault.seal(b"12345678", b"card");
        assert_eq!(vault.open(&sealed, b"other"), Err(VaultError::NotAuthentic));
        for position in [0, 1, sealed.0.len() - 1, sealed.0.len() - 17, 5] {
            let mut changed = sealed.clone();
            changed.0[position] ^= 1;
            assert!(vault.open(&changed, b"card").is_err(), "byte {position}");
        }
        for length in 0..sealed.0.len() {
            assert!(vault.open(&VaultCiphertext(sealed.0[..length].to_vec()), b"card").is_err());
        }
    }

    #[test]
    fn after_a_rotation_the_former_key_still_opens_and_the_new_one_seals() {
        let before = vault("v1", &[("v1", 1)]);
        let sealed = before.seal(b"12345678", b"card");
        let rotated = vault("v2", &[("v1", 1), ("v2", 2)]);
        assert!(rotated.open(&sealed, b"card").is_ok());
        assert_eq!(before.open(&rotated.seal(b"12345678", b"card"), b"card"), Err(VaultError::UnknownKey));
        assert!(rotated.is_outdated(&sealed) && !before.is_outdated(&sealed));
    }

    #[test]
    fn another_key_under_the_same_id_does_not_open() {
        let sealed = vault("v1", &[("v1", 1)]).seal(b"12345678", b"card");
        assert_eq!(vault("v1", &[("v1", 2)]).open(&sealed, b"card"), Err(VaultError::NotAuthentic));
    }
}
