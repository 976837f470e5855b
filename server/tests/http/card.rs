//! A card in software, with the bridge that it is connected to.

use card_protocol::{
    CardProof, Challenge, Guid, Purpose, Signature, Slot, UnlockKey,
    proof::{KeyAlgorithm, ProofMessage},
    sealed::{Candidates, ConnectionSecret, Sealed},
};
use domain::{
    card::CardPublicKey,
    email::EmailAddress,
    enrolment::{NewCard, NewHolder},
    person::UserNumber,
};
use p256::{
    ecdsa::{DerSignature, SigningKey, signature::hazmat::PrehashSigner},
    pkcs8::EncodePublicKey,
};

use crate::test_app::{ORIGIN, TestApp};

/// A card, and the connection key of its bridge.
pub struct Card {
    pub guid: Guid,
    key_9a: SigningKey,
    key_9e: SigningKey,
    pub unlock_key: UnlockKey,
    connection: ConnectionSecret,
}

impl Card {
    /// A card whose keys follow from a number.
    pub fn number(number: u8) -> Self {
        let key = |slot: u8| SigningKey::from_slice(&[[slot; 16], [number; 16]].concat()).unwrap();
        Self {
            guid: Guid([number; 16]),
            key_9a: key(0x9a),
            key_9e: key(0x9e),
            unlock_key: UnlockKey::new([number; 8]),
            connection: ConnectionSecret::generate(),
        }
    }

    /// Takes the card into the service.
    pub async fn enrol(&self, app: &TestApp, user_number: &str, name: &str, email: &str) {
        let new = NewCard {
            holder: NewHolder {
                user_number: UserNumber::parse(user_number).unwrap(),
                name: name.to_owned(),
                email: Some(EmailAddress::parse(email).unwrap()),
                organisation: None,
            },
            guid: self.guid,
            authentication_key: self.public_key(Slot::Authentication),
            card_authentication_key: self.public_key(Slot::CardAuthentication),
            unlock_key: self.unlock_key.clone(),
        };
        app.services().enrolment.enrol(&new).await.unwrap();
    }

    pub fn public_key(&self, slot: Slot) -> CardPublicKey {
        CardPublicKey::from_der(self.key(slot).verifying_key().to_public_key_der().unwrap().as_bytes()).unwrap()
    }

    fn key(&self, slot: Slot) -> &SigningKey {
        match slot {
            Slot::Authentication => &self.key_9a,
            Slot::CardAuthentication => &self.key_9e,
        }
    }

    /// A proof for the service's own origin.
    pub fn prove(&self, purpose: Purpose, challenge: Challenge) -> CardProof {
        self.prove_to(ORIGIN, purpose, challenge)
    }

    /// A proof that the bridge signed for a page of this origin.
    pub fn prove_to(&self, origin: &str, purpose: Purpose, challenge: Challenge) -> CardProof {
        let connection_key = self.connection.public();
        let message = ProofMessage::new(origin, purpose, &challenge, &self.guid, &connection_key);
        let signature: DerSignature =
            self.key(purpose.slot()).sign_prehash(&message.digest(KeyAlgorithm::P256)).unwrap();
        let signature = Signature(signature.as_bytes().to_vec());
        CardProof { purpose, challenge, guid: self.guid, connection_key, signature }
    }

    /// What the bridge does with sealed unlock keys: opens them, tries them, sets the next one. Gives the challenge of
    /// the completion proof.
    pub fn reset_passcode(&mut self, app: &TestApp, release: &CardProof, sealed: &Sealed) -> Challenge {
        let digest = ProofMessage::of(release, ORIGIN).digest(KeyAlgorithm::P256);
        let keys = self.connection.open_unlock_keys(&app.service_key(), &digest, sealed).unwrap();
        let fits = match &keys.candidates {
            Candidates::One(key) => *key == self.unlock_key,
            Candidates::Two(first, second) => *first == self.unlock_key || *second == self.unlock_key,
        };
        assert!(fits, "the card's unlock key is among those released");
        self.unlock_key = keys.next.clone();
        keys.completion
    }
}
