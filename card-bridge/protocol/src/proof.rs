//! The bytes that a card signs.
//!
//! ```text
//! "smartcard-service-centre/card-proof/v1" || 0x00 || purpose (1) || length of origin (2) || origin
//!   || challenge (32) || GUID (16) || connection public key (32)
//! ```

use sha2::{Digest, Sha256, Sha384};

use crate::{CardProof, Challenge, ConnectionKey, Guid, Purpose};

const CONTEXT: &[u8] = b"smartcard-service-centre/card-proof/v1\0";

/// The message of a card proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofMessage(Vec<u8>);

/// The kind of a card's key, which settles the hash of what it signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAlgorithm {
    /// ECDSA on P-256 over SHA-256, DER.
    P256,
    /// ECDSA on P-384 over SHA-384, DER.
    P384,
    /// RSA-2048, PKCS #1 v1.5 over SHA-256.
    Rsa2048,
}

impl ProofMessage {
    /// Builds the message.
    ///
    /// # Panics
    ///
    /// When the origin is longer than 65,535 bytes, which no browser sends.
    pub fn new(
        origin: &str,
        purpose: Purpose,
        challenge: &Challenge,
        guid: &Guid,
        connection_key: &ConnectionKey,
    ) -> Self {
        let length = u16::try_from(origin.len()).expect("an origin is short");
        Self(
            [
                CONTEXT,
                &[purpose as u8],
                &length.to_be_bytes(),
                origin.as_bytes(),
                &challenge.0,
                &guid.0,
                &connection_key.0,
            ]
            .concat(),
        )
    }

    /// The message that a proof claims to have signed, for one origin.
    pub fn of(proof: &CardProof, origin: &str) -> Self {
        Self::new(origin, proof.purpose, &proof.challenge, &proof.guid, &proof.connection_key)
    }

    /// The digest that a key of this kind signs: 32 bytes, or 48 for P-384.
    pub fn digest(&self, algorithm: KeyAlgorithm) -> Vec<u8> {
        algorithm.digest(&self.0)
    }
}

impl KeyAlgorithm {
    /// The digest of a message that a key of this kind signs: 32 bytes, or 48 for P-384.
    pub fn digest(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::P256 | Self::Rsa2048 => Sha256::digest(message).to_vec(),
            Self::P384 => Sha384::digest(message).to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use hex_literal::hex;

    use super::*;

    fn message(origin: &str, purpose: Purpose) -> ProofMessage {
        ProofMessage::new(origin, purpose, &Challenge([1; 32]), &Guid([2; 16]), &ConnectionKey([3; 32]))
    }

    /// Computed by another program: see the README.
    #[test]
    fn the_digests_of_the_test_vector_hold() {
        let message = message("https://service.test", Purpose::Release);
        assert_eq!(
            message.digest(KeyAlgorithm::P256),
            hex!("0fe59fea8b85d4d2867d7aeda0ef45fe8afc26fed191b9efd020d9d9f1781008")
        );
        assert_eq!(
            message.digest(KeyAlgorithm::P384),
            hex!("097b86fad9b0ff4bd46094d07cf25feea00999af4a27cd35707b8f3f7e1a4ff83eb208acd88683e739fa028226f21070")
        );
    }

    #[test]
    fn another_origin_or_purpose_is_another_message() {
        let first = message("https://service.test", Purpose::Release);
        assert_ne!(first, message("https://service.tes", Purpose::Release));
        assert_ne!(first, message("https://service.test", Purpose::Attempt));
    }
}
