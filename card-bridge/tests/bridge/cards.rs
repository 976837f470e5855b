//! Cards in software, and what the server would know of them.

use std::path::{Path, PathBuf};

use base64ct::{Base64UrlUnpadded, Encoding};
use card_protocol::proof::{KeyAlgorithm, ProofMessage};
use card_protocol::{CardProof, Guid, Slot, UnlockKey};
use spki::DecodePublicKey;
use tempfile::TempDir;
use time::macros::datetime;
use virtual_card::kind::{KINDS, Kind, Touched};
use virtual_card::make::{Existing, make};
use virtual_card::manifest::{CardList, IssuedCard, KeyKind};
use virtual_card::{Contacts, VirtualCard};

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

    /// Issues a card as one of that kind is.
    pub fn of(kind: &Kind) -> Self {
        Self::made_as(kind, false)
    }

    fn make(keys: KeyAlgorithm, locked: bool) -> Self {
        let keys = match keys {
            KeyAlgorithm::P256 => KeyKind::P256,
            KeyAlgorithm::P384 => KeyKind::P384,
            KeyAlgorithm::Rsa2048 => KeyKind::Rsa2048,
        };
        Self::made_as(&Kind { piv_authentication: keys, card_authentication: keys, ..KINDS[0] }, locked)
    }

    fn made_as(kind: &Kind, locked: bool) -> Self {
        let (holder, card, tries) =
            (kind.piv_authentication.name(), kind.card_authentication.name(), kind.passcode_tries.count());
        let list = format!(
            "[[card]]\ncard = \"one\"\nuser_number = \"1\"\nname = \"One\"\nemail = \"one@demo.test\"\n\
             passcode = \"{PASSCODE}\"\npasscode_tries = {tries}\nlocked = {locked}\n\
             piv_authentication = \"{holder}\"\ncard_authentication = \"{card}\"\n"
        );
        let list: CardList = toml::from_str(&list).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let now = datetime!(2026-01-01 00:00 UTC);
        let manifest = make(&directory.path().join("cards"), &list, Existing::Keep, now).unwrap();
        let issued = manifest.cards.into_iter().next().unwrap();
        let unlock_key = u64::from_str_radix(&issued.unlock_key, 16).unwrap().to_be_bytes();
        Self { guid: issued.guid.parse().unwrap(), unlock_key: UnlockKey::new(unlock_key), entry: issued, directory }
    }

    /// Switches the card's power on, and lets it answer as one of that kind. Whoever is asked touches it.
    pub fn insert_as(&self, kind: &Kind) -> Box<dyn Contacts + Send> {
        kind.put_on(self.insert(), Box::new(|_| Touched::InTime)).unwrap()
    }

    /// Keeps the card as it is now, to be made so again.
    pub fn remember(&self) {
        copy_files(&self.path(), &self.directory.path().join("remembered"));
    }

    /// Makes the card what it was when it was remembered.
    pub fn restore(&self) {
        std::fs::remove_dir_all(self.path()).unwrap();
        copy_files(&self.directory.path().join("remembered"), &self.path());
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

fn copy_files(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}
