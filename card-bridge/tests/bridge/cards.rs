//! Cards in software, and what the server would know of them.

use std::path::PathBuf;

use base64ct::{Base64UrlUnpadded, Encoding};
use card_protocol::proof::{KeyAlgorithm, ProofMessage};
use card_protocol::{CardProof, Guid, Slot, UnlockKey};
use spki::DecodePublicKey;
use tempfile::TempDir;
use time::macros::datetime;
use virtual_card::VirtualCard;
use virtual_card::make::{Existing, make};
use virtual_card::manifest::{CardList, IssuedCard};

pub const PASSCODE: &str = "904173";

/// A card that was issued, and the directory that it is in.
pub struct Issued {
    pub guid: Guid,
    pub unlock_key: UnlockKey,
    entry: IssuedCard,
    directory: TempDir,
}

impl Issued {
    /// Issues a card with keys of one kind.
    pub fn new(kind: KeyAlgorithm) -> Self {
        Self::make(kind, false)
    }

    /// Issues a card and locks it.
    pub fn locked() -> Self {
        Self::make(KeyAlgorithm::P256, true)
    }

    fn make(kind: KeyAlgorithm, locked: bool) -> Self {
        let kind = match kind {
            KeyAlgorithm::P256 => "P-256",
            KeyAlgorithm::P384 => "P-384",
            KeyAlgorithm::Rsa2048 => "RSA-2048",
        };
        let list = format!(
            "[[card]]\ncard = \"one\"\nuser_number = \"1\"\nname = \"One\"\nemail = \"one@demo.test\"\n\
             passcode = \"{PASSCODE}\"\nlocked = {locked}\n\
             piv_authentication = \"{kind}\"\ncard_authentication = \"{kind}\"\n"
        );
        let list: CardList = toml::from_str(&list).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let now = datetime!(2026-01-01 00:00 UTC);
        let manifest = make(&directory.path().join("cards"), &list, Existing::Keep, now).unwrap();
        let issued = manifest.cards.into_iter().next().unwrap();
        let unlock_key = u64::from_str_radix(&issued.unlock_key, 16).unwrap().to_be_bytes();
        Self { guid: issued.guid.parse().unwrap(), unlock_key: UnlockKey::new(unlock_key), entry: issued, directory }
    }

    /// Switches the card's power on.
    pub fn insert(&self) -> VirtualCard {
        VirtualCard::open(self.path()).unwrap()
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().join("cards").join(&self.entry.card)
    }

    /// Whether the proof is this card's, for this origin.
    pub fn signed(&self, proof: &CardProof, origin: &str) -> bool {
        let key = match proof.purpose.slot() {
            Slot::Authentication => &self.entry.piv_authentication_key,
            Slot::CardAuthentication => &self.entry.card_authentication_key,
        };
        let key = Base64UrlUnpadded::decode_vec(key).unwrap();
        let message = ProofMessage::of(proof, origin);
        let signature = &proof.signature.0;
        proof.guid == self.guid
            && if let Ok(key) = p256::ecdsa::VerifyingKey::from_public_key_der(&key) {
                use p256::ecdsa::signature::hazmat::PrehashVerifier;
                let signature = p256::ecdsa::Signature::from_der(signature).unwrap();
                key.verify_prehash(&message.digest(KeyAlgorithm::P256), &signature).is_ok()
            } else if let Ok(key) = p384::ecdsa::VerifyingKey::from_public_key_der(&key) {
                use p384::ecdsa::signature::hazmat::PrehashVerifier;
                let signature = p384::ecdsa::Signature::from_der(signature).unwrap();
                key.verify_prehash(&message.digest(KeyAlgorithm::P384), &signature).is_ok()
            } else {
                let key = rsa::PublicKey::from_public_key_der(&key).unwrap();
                let padding = rsa::Pkcs1v15Sign::new::<sha2::Sha256>();
                key.verify(padding, &message.digest(KeyAlgorithm::Rsa2048), signature).is_ok()
            }
    }
}
