//! The issued card: its pinned public keys, and whether a proof is by it.

pub use card_protocol::proof::KeyAlgorithm;
use card_protocol::{CardProof, Guid, Slot, proof::ProofMessage};
use sha2::{Digest, Sha256};
use spki::DecodePublicKey;

use crate::{certificate::subject_public_key_info, person::UserNumber, weak_key::has_roca_mark};

/// A card that was issued to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Which card.
    pub guid: Guid,
    /// To whom it was issued.
    pub holder: UserNumber,
    /// The key of slot 9A, pinned at enrolment.
    pub authentication_key: CardPublicKey,
    /// The key of slot 9E, pinned at enrolment.
    pub card_authentication_key: CardPublicKey,
    /// What may be done with it.
    pub state: CardState,
    /// The version that was read.
    pub version: u32,
}

/// What may be done with a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardState {
    /// It is in use.
    Active,
    /// It was cancelled.
    Cancelled,
    /// It refused every unlock key that the server knows: nothing is released again without the RA.
    UnlockKeyUnknown,
}

impl Card {
    /// Whether this card signed this proof, with the key that the proof's purpose demands, for this origin.
    pub fn signed(&self, proof: &CardProof, origin: &str) -> bool {
        let key = self.key(proof.purpose.slot());
        proof.guid == self.guid && key.verify(&self.proof_digest(proof, origin), &proof.signature.0)
    }

    /// The digest that this card signed in this proof.
    pub fn proof_digest(&self, proof: &CardProof, origin: &str) -> Vec<u8> {
        ProofMessage::of(proof, origin).digest(self.key(proof.purpose.slot()).algorithm())
    }

    /// Its key in a slot.
    pub fn key(&self, slot: Slot) -> &CardPublicKey {
        match slot {
            Slot::Authentication => &self.authentication_key,
            Slot::CardAuthentication => &self.card_authentication_key,
        }
    }
}

/// A public key of a card, as it was pinned: a SubjectPublicKeyInfo in DER (RFC 5280, 4.1) of a kind that is supported.
#[derive(Clone)]
pub struct CardPublicKey {
    der: Vec<u8>,
    parsed: Parsed,
}

#[derive(Clone)]
enum Parsed {
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    Rsa2048(Box<rsa::pkcs1v15::VerifyingKey<Sha256>>),
}

/// The bytes are no public key that a card may have here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a public key of P-256, P-384 or RSA-2048")]
pub struct UnsupportedKey;

impl CardPublicKey {
    /// Reads a SubjectPublicKeyInfo in DER.
    ///
    /// # Errors
    ///
    /// [`UnsupportedKey`].
    pub fn from_der(der: &[u8]) -> Result<Self, UnsupportedKey> {
        let parsed = if let Ok(key) = p256::ecdsa::VerifyingKey::from_public_key_der(der) {
            Parsed::P256(key)
        } else if let Ok(key) = p384::ecdsa::VerifyingKey::from_public_key_der(der) {
            Parsed::P384(key)
        } else {
            use rsa::traits::PublicKeyParts;
            let key = rsa::PublicKey::from_public_key_der(der).map_err(|_| UnsupportedKey)?;
            if key.size() != 256 {
                return Err(UnsupportedKey);
            }
            Parsed::Rsa2048(Box::new(rsa::pkcs1v15::VerifyingKey::new(key)))
        };
        Ok(Self { der: der.to_vec(), parsed })
    }

    /// Reads a SubjectPublicKeyInfo in DER, or the one in an X.509 certificate in DER, of which nothing else counts.
    ///
    /// # Errors
    ///
    /// [`UnsupportedKey`].
    pub fn from_certificate_or_key(der: &[u8]) -> Result<Self, UnsupportedKey> {
        Self::from_der(subject_public_key_info(der).unwrap_or(der))
    }

    /// The SubjectPublicKeyInfo in DER.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// A short name for it: the SHA-256 of its DER.
    pub fn fingerprint(&self) -> [u8; 32] {
        Sha256::digest(&self.der).into()
    }

    /// Its kind.
    pub fn algorithm(&self) -> KeyAlgorithm {
        match self.parsed {
            Parsed::P256(_) => KeyAlgorithm::P256,
            Parsed::P384(_) => KeyAlgorithm::P384,
            Parsed::Rsa2048(_) => KeyAlgorithm::Rsa2048,
        }
    }

    /// Whether it is known to be weak: anybody can find its private half.
    pub fn is_weak(&self) -> bool {
        use rsa::traits::PublicKeyParts;
        match &self.parsed {
            Parsed::P256(_) | Parsed::P384(_) => false,
            Parsed::Rsa2048(key) => {
                let key: &rsa::PublicKey = (**key).as_ref();
                has_roca_mark(&key.n_bytes())
            }
        }
    }

    /// Whether it has signed these bytes.
    pub(crate) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verify(&self.algorithm().digest(message), signature)
    }

    fn verify(&self, digest: &[u8], signature: &[u8]) -> bool {
        match &self.parsed {
            Parsed::P256(key) => {
                use p256::ecdsa::{DerSignature, signature::hazmat::PrehashVerifier};
                DerSignature::from_bytes(signature)
                    .is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok())
            }
            Parsed::P384(key) => {
                use p384::ecdsa::{DerSignature, signature::hazmat::PrehashVerifier};
                DerSignature::from_bytes(signature)
                    .is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok())
            }
            Parsed::Rsa2048(key) => {
                use rsa::{pkcs1v15::Signature, signature::hazmat::PrehashVerifier};
                Signature::try_from(signature).is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok())
            }
        }
    }
}

impl PartialEq for CardPublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for CardPublicKey {}

impl std::fmt::Debug for CardPublicKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "CardPublicKey({:?}, {} bytes)", self.algorithm(), self.der.len())
    }
}
