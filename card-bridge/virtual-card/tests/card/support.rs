//! Cards to test with, and the check of their signatures.

use std::path::PathBuf;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use p256::{ecdsa::signature::hazmat::PrehashVerifier as _, pkcs8::DecodePublicKey as _};
use piv::{Card, UnlockKey};
use rsa::{Pkcs1v15Sign, PublicKey};
use sha2::Sha256;
use tempfile::TempDir;
use time::macros::datetime;
use virtual_card::{
    VirtualCard,
    make::{self, Existing},
    manifest::{CardList, IssuedCard, Manifest},
};

/// A directory of issued cards.
pub struct Issued {
    pub manifest: Manifest,
    directory: TempDir,
}

/// Two cards with P-256 keys, «one» and «two», of which the second is locked.
pub fn two_cards() -> Issued {
    issued(
        r#"
        [[card]]
        card = "one"
        user_number = "1"
        name = "One"
        email = "one@demo.nhs.net"
        passcode = "904173"

        [[card]]
        card = "two"
        user_number = "2"
        name = "Two"
        email = "two@demo.nhs.net"
        passcode = "27150386"
        locked = true
        "#,
    )
}

pub fn issued(list: &str) -> Issued {
    let directory = TempDir::new().unwrap();
    let list: CardList = toml::from_str(list).unwrap();
    let manifest =
        make::make(&directory.path().join("cards"), &list, Existing::Keep, datetime!(2026-11-24 12:00 UTC)).unwrap();
    Issued { manifest, directory }
}

impl Issued {
    pub fn directory(&self) -> PathBuf {
        self.directory.path().join("cards")
    }

    pub fn card(&self, name: &str) -> VirtualCard {
        VirtualCard::open(self.directory().join(name)).unwrap()
    }

    pub fn entry(&self, name: &str) -> &IssuedCard {
        self.manifest.cards.iter().find(|card| card.card == name).unwrap()
    }

    pub fn unlock_key(&self, name: &str) -> UnlockKey {
        let digits = &self.entry(name).unlock_key;
        let bytes: Vec<u8> =
            (0..8).map(|index| u8::from_str_radix(&digits[2 * index..2 * index + 2], 16).unwrap()).collect();
        UnlockKey::new(bytes.try_into().unwrap())
    }
}

/// The card's answer to an APDU in hexadecimal digits, in hexadecimal digits.
pub fn say(card: &mut dyn Card, apdu: &str) -> String {
    let apdu: Vec<u8> = apdu.split_whitespace().flat_map(bytes).collect();
    hexadecimal(&card.transmit(&apdu).unwrap())
}

pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02X}"))
}

fn bytes(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|index| u8::from_str_radix(&digits[index..index + 2], 16).unwrap()).collect()
}

/// Whether `signature` is one over `digest` under a key as the manifest writes it.
pub fn is_signed(key: &str, digest: &[u8], signature: &[u8]) -> bool {
    let key = Base64UrlUnpadded::decode_vec(key).unwrap();
    if let Ok(key) = p256::ecdsa::VerifyingKey::from_public_key_der(&key) {
        return p256::ecdsa::DerSignature::from_bytes(signature)
            .is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok());
    }
    if let Ok(key) = p384::ecdsa::VerifyingKey::from_public_key_der(&key) {
        return p384::ecdsa::DerSignature::from_bytes(signature)
            .is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok());
    }
    let key = PublicKey::from_public_key_der(&key).unwrap();
    key.verify(Pkcs1v15Sign::new::<Sha256>(), digest, signature).is_ok()
}
