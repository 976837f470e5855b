//! The values that the messages carry.

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use crate::{
    Purpose,
    bytes::{self, fixed_bytes},
};

/// A text that is not the value it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a {expected}")]
pub struct ParseValueError {
    pub(crate) expected: &'static str,
}

fixed_bytes! {
    /// The Global Unique Identifier of a card, from its CHUID (SP 800-73-4 part 1, 3.1.2).
    Guid, 16, encode_hex, decode_hex
}

fixed_bytes! {
    /// What the server asks a card to sign: fresh, of its own making, alive for two minutes.
    Challenge, 32, bytes::encode, bytes::decode
}

fixed_bytes! {
    /// The X25519 public key that the bridge makes for one websocket connection.
    ConnectionKey, 32, bytes::encode, bytes::decode
}

fixed_bytes! {
    /// The server's own X25519 public key, pinned in the bridge's configuration beside the origin.
    ServiceKey, 32, bytes::encode, bytes::decode
}

impl Guid {
    /// Whether this is the GUID of no card: all zero.
    pub fn is_zero(&self) -> bool {
        self.0 == [0; 16]
    }
}

/// A signature by a card: DER for elliptic curves (RFC 3279, 2.2.3), the bare number for RSA (RFC 8017, 8.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature(#[serde(with = "bytes")] pub Vec<u8>);

/// A public key (`SubjectPublicKeyInfo`), a certificate (both RFC 5280, 4.1) or a request for one (RFC 2986), in DER.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Der(#[serde(with = "bytes")] pub Vec<u8>);

/// A signature by the card over a challenge, the origin, a purpose, its GUID and the connection key.
///
/// The origin is not in it: the bridge signs the one that the browser told it, the server checks against its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardProof {
    /// What the proof is for.
    pub purpose: Purpose,
    /// The challenge that it answers.
    pub challenge: Challenge,
    /// The card that signed.
    pub guid: Guid,
    /// The key of the connection over which it was asked to.
    pub connection_key: ConnectionKey,
    /// The signature.
    pub signature: Signature,
}

/// An unlock key (the PUK of PIV): eight bytes that the server holds and no person ever sees.
#[derive(Clone, Zeroize, zeroize::ZeroizeOnDrop)]
pub struct UnlockKey([u8; 8]);

impl UnlockKey {
    /// Takes the key's bytes.
    pub fn new(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// The secret itself: for the vault, for sealing and for the card.
    pub fn expose_secret(&self) -> &[u8; 8] {
        &self.0
    }
}

impl PartialEq for UnlockKey {
    fn eq(&self, other: &Self) -> bool {
        subtle::ConstantTimeEq::ct_eq(&self.0[..], &other.0[..]).into()
    }
}

fn encode_hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_is_written_in_hexadecimal_and_read_back() {
        let guid = Guid(*b"0123456789abcdef");
        assert_eq!(guid.to_string(), "30313233343536373839616263646566");
        assert_eq!(guid.to_string().parse(), Ok(guid));
    }

    #[test]
    fn a_text_of_another_length_is_no_guid() {
        assert!("3031".parse::<Guid>().is_err());
        assert!("zz313233343536373839616263646566".parse::<Guid>().is_err());
    }

    #[test]
    fn a_proof_survives_json() {
        let proof = CardProof {
            purpose: Purpose::Release,
            challenge: Challenge([7; 32]),
            guid: Guid([8; 16]),
            connection_key: ConnectionKey([9; 32]),
            signature: Signature(vec![1, 2, 3]),
        };
        let json = serde_json::to_string(&proof).unwrap();
        assert_eq!(serde_json::from_str::<CardProof>(&json).unwrap(), proof);
    }
}
