//! A card in software with its bridge: it signs with P-256 keys and opens what is sealed to its connection.

use card_protocol::{
    CardProof, Challenge, Der, Guid, Purpose, Signature, Slot, UnlockKey,
    issuing::IssuingSecrets,
    message::{CertificateRequests, PreparedCard},
    proof::{KeyAlgorithm, ProofMessage},
    sealed::{Candidates, ConnectionSecret, Sealed, ServiceSecret, UnlockKeys},
};
use domain::card::CardPublicKey;
use p256::{
    ecdsa::{DerSignature, SigningKey, signature::hazmat::PrehashSigner},
    pkcs8::EncodePublicKey,
};

pub struct SoftwareCard {
    pub guid: Guid,
    pub connection: ConnectionSecret,
    pub unlock_key: UnlockKey,
    number: u8,
    origin: String,
    authentication: SigningKey,
    card_authentication: SigningKey,
}

impl SoftwareCard {
    /// A card whose keys and GUID follow from its number.
    pub fn new(number: u8, origin: &str) -> Self {
        let key = |slot: u8| SigningKey::from_slice(&[[number; 16], [slot; 16]].concat()).unwrap();
        Self {
            guid: Guid([number; 16]),
            number,
            connection: ConnectionSecret::new([number; 32]),
            unlock_key: UnlockKey::new([number; 8]),
            origin: origin.to_owned(),
            authentication: key(0x9a),
            card_authentication: key(0x9e),
        }
    }

    /// The same card with another GUID, behind the connection of another's bridge.
    pub fn named(mut self, guid: Guid, behind: &Self) -> Self {
        (self.guid, self.connection) = (guid, ConnectionSecret::new([behind.number; 32]));
        self
    }

    pub fn public_key(&self, slot: Slot) -> CardPublicKey {
        let der = self.key(slot).verifying_key().to_public_key_der().unwrap();
        CardPublicKey::from_der(der.as_bytes()).unwrap()
    }

    pub fn prove(&self, purpose: Purpose, challenge: Challenge) -> CardProof {
        self.prove_with(self.key(purpose.slot()), purpose, challenge)
    }

    /// A proof signed with the key of the wrong slot.
    pub fn prove_with_other_slot(&self, purpose: Purpose, challenge: Challenge) -> CardProof {
        let other = match purpose.slot() {
            Slot::Authentication => Slot::CardAuthentication,
            Slot::CardAuthentication => Slot::Authentication,
        };
        self.prove_with(self.key(other), purpose, challenge)
    }

    fn prove_with(&self, key: &SigningKey, purpose: Purpose, challenge: Challenge) -> CardProof {
        let connection_key = self.connection.public();
        let message = ProofMessage::new(&self.origin, purpose, &challenge, &self.guid, &connection_key);
        let signature: DerSignature = key.sign_prehash(&message.digest(KeyAlgorithm::P256)).unwrap();
        let signature = Signature(signature.as_bytes().to_vec());
        CardProof { purpose, challenge, guid: self.guid, connection_key, signature }
    }

    /// What the bridge says of it once it has keys, with this proof.
    pub fn prepared(&self, proof: CardProof) -> PreparedCard {
        let key = |slot| Der(self.public_key(slot).as_der().to_vec());
        PreparedCard {
            authentication_key: key(Slot::Authentication),
            card_authentication_key: key(Slot::CardAuthentication),
            proof,
            requests: Some(CertificateRequests {
                authentication: self.request(Slot::Authentication),
                card_authentication: self.request(Slot::CardAuthentication),
            }),
        }
    }

    /// A request for the certificate of a key, in the name of nobody.
    fn request(&self, slot: Slot) -> Der {
        let (version, key) = (der(0x02, &[&[0]]), self.public_key(slot));
        let information = der(0x30, &[&version, &der(0x30, &[]), key.as_der(), &der(0xA0, &[])]);
        let digest = KeyAlgorithm::P256.digest(&information);
        let signature: DerSignature = self.key(slot).sign_prehash(&digest).unwrap();
        Der(der(0x30, &[&information, &der(0x30, &[]), &der(0x03, &[&[0], signature.as_bytes()])]))
    }

    /// A certificate of a key, as far as it is read here.
    pub fn certificate(&self, slot: Slot) -> Der {
        let (serial, empty) = (der(0x02, &[&[1]]), der(0x30, &[]));
        let key = self.public_key(slot);
        let fields = [&serial, &empty, &empty, &empty, &empty, key.as_der()].map(<[u8]>::as_ref);
        Der(der(0x30, &[&der(0x30, &fields), &empty]))
    }

    /// Opens released unlock keys, as the bridge does.
    pub fn open(&self, service: &ServiceSecret, release: &CardProof, sealed: &Sealed) -> UnlockKeys {
        let digest = ProofMessage::of(release, &self.origin).digest(KeyAlgorithm::P256);
        self.connection.open_unlock_keys(&service.public(), &digest, sealed).unwrap()
    }

    /// Opens what a blank card is to get, as the bridge of an officer's card does.
    pub fn open_issuing(&self, service: &ServiceSecret, order: &CardProof, sealed: &Sealed) -> IssuingSecrets {
        let digest = ProofMessage::of(order, &self.origin).digest(KeyAlgorithm::P256);
        self.connection.open_issuing(&service.public(), &digest, sealed).unwrap()
    }

    /// Carries out what a release asks for: whether one of the candidates fitted.
    pub fn take(&mut self, keys: &UnlockKeys) -> bool {
        let fits = match &keys.candidates {
            Candidates::One(key) => *key == self.unlock_key,
            Candidates::Two(first, second) => *first == self.unlock_key || *second == self.unlock_key,
        };
        if fits {
            self.unlock_key = keys.next.clone();
        }
        fits
    }

    fn key(&self, slot: Slot) -> &SigningKey {
        match slot {
            Slot::Authentication => &self.authentication,
            Slot::CardAuthentication => &self.card_authentication,
        }
    }
}

/// A data object of DER, up to 255 bytes long.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let value = parts.concat();
    let length = u8::try_from(value.len()).unwrap();
    let head = if length < 0x80 { vec![tag, length] } else { vec![tag, 0x81, length] };
    [head, value].concat()
}
