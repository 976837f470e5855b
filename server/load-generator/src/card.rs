//! A card in software, with the bridge that it is connected to.

use std::sync::Arc;

use card_protocol::{
    CardProof, Challenge, Guid, Purpose, ServiceKey, Signature, Slot, UnlockKey,
    proof::{KeyAlgorithm, ProofMessage},
    sealed::{Candidates, ConnectionSecret, Sealed, SealedError},
};
use p256::{
    ecdsa::{DerSignature, SigningKey, signature::hazmat::PrehashSigner},
    pkcs8::EncodePublicKey,
};

/// A card whose keys follow from a number, and the connection key of its bridge.
pub struct SoftwareCard {
    /// Its GUID.
    pub guid: Guid,
    /// What unlocks it now.
    pub unlock_key: UnlockKey,
    authentication: SigningKey,
    card_authentication: SigningKey,
    connection: Arc<ConnectionSecret>,
}

/// A card is not unlocked.
#[derive(Debug)]
pub enum NotUnlocked {
    /// What was released does not open.
    Sealed(SealedError),
    /// The card's unlock key is not among those that were released.
    OtherKey,
}

impl SoftwareCard {
    /// The card of a number; others of the same number are the same card.
    ///
    /// # Panics
    ///
    /// Never: every number gives keys.
    pub fn number(number: u32) -> Self {
        let mut guid = [0; 16];
        // Text, so that it can be searched for.
        guid.copy_from_slice(format!("SoftCard{:08}", number % 100_000_000).as_bytes());
        let number = number.to_be_bytes();
        let key = |slot: u8| {
            let mut scalar = [slot; 32];
            scalar[28..].copy_from_slice(&number);
            SigningKey::from_slice(&scalar).expect("0x9A… and 0x9E… are less than the order of P-256")
        };
        let mut unlock_key = [b'0'; 8];
        unlock_key[4..].copy_from_slice(&number);
        Self {
            guid: Guid(guid),
            unlock_key: UnlockKey::new(unlock_key),
            authentication: key(0x9a),
            card_authentication: key(0x9e),
            connection: Arc::new(ConnectionSecret::generate()),
        }
    }

    /// The public key of a slot: DER `SubjectPublicKeyInfo`.
    ///
    /// # Panics
    ///
    /// Never: a key on the curve can be written.
    pub fn public_key(&self, slot: Slot) -> Vec<u8> {
        let key = self.key(slot).verifying_key().to_public_key_der();
        key.expect("a key on the curve can be written").into_vec()
    }

    fn key(&self, slot: Slot) -> &SigningKey {
        match slot {
            Slot::Authentication => &self.authentication,
            Slot::CardAuthentication => &self.card_authentication,
        }
    }

    /// A proof that the bridge has signed for a page of this origin.
    ///
    /// # Panics
    ///
    /// Never: a digest of SHA-256 can be signed.
    pub fn prove(&self, origin: &str, purpose: Purpose, challenge: Challenge) -> CardProof {
        let connection_key = self.connection.public();
        let message = ProofMessage::new(origin, purpose, &challenge, &self.guid, &connection_key);
        let signature: Result<DerSignature, _> =
            self.key(purpose.slot()).sign_prehash(&message.digest(KeyAlgorithm::P256));
        let signature = signature.expect("a digest of SHA-256 can be signed");
        let signature = Signature(signature.as_bytes().to_vec());
        CardProof { purpose, challenge, guid: self.guid, connection_key, signature }
    }

    /// What the bridge does with sealed unlock keys: opens them, tries them, sets the next one. Gives the challenge of the
    /// completion proof.
    ///
    /// # Errors
    ///
    /// [`NotUnlocked`].
    pub fn reset_passcode(
        &mut self,
        origin: &str,
        service_key: &ServiceKey,
        release: &CardProof,
        sealed: &Sealed,
    ) -> Result<Challenge, NotUnlocked> {
        let digest = ProofMessage::of(release, origin).digest(KeyAlgorithm::P256);
        let keys = self.connection.open_unlock_keys(service_key, &digest, sealed).map_err(NotUnlocked::Sealed)?;
        let fits = match &keys.candidates {
            Candidates::One(key) => *key == self.unlock_key,
            Candidates::Two(first, second) => *first == self.unlock_key || *second == self.unlock_key,
        };
        if !fits {
            return Err(NotUnlocked::OtherKey);
        }
        self.unlock_key = keys.next;
        Ok(keys.completion)
    }

    /// What the bridge does with what a blank card is to get, sealed for the connection of an officer's card: opens it, and
    /// makes the card what it says. Gives it with the challenge of its last word.
    ///
    /// # Errors
    ///
    /// [`SealedError`].
    pub fn issue(
        self,
        officers: &Self,
        origin: &str,
        service_key: &ServiceKey,
        order: &CardProof,
        sealed: &Sealed,
    ) -> Result<(Self, Challenge), SealedError> {
        let digest = ProofMessage::of(order, origin).digest(KeyAlgorithm::P256);
        let secrets = officers.connection.open_issuing(service_key, &digest, sealed)?;
        let (unlock_key, connection) = (secrets.unlock_key.clone(), Arc::clone(&officers.connection));
        Ok((Self { guid: secrets.guid, unlock_key, connection, ..self }, secrets.completion))
    }
}
