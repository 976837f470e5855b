//! The dynamic authentication template (SP 800-73-4 part 2, 3.2.4 and table 7) of a signature.

use crate::error::CardError;
use crate::slot::Algorithm;
use crate::tlv::{self, Reader};

/// Length of an RSA-2048 modulus and so of its signature.
const RSA_LENGTH: usize = 256;

/// `DigestInfo` of SHA-256 up to the digest (RFC 8017, 9.2, note 1).
const SHA256_DIGEST_INFO: [u8; 19] =
    [0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];

/// An empty response (82) asks for one; the challenge (81) is what to sign.
pub(crate) fn request(algorithm: Algorithm, digest: &[u8]) -> Vec<u8> {
    assert_eq!(digest.len(), algorithm.digest_length(), "a digest of another length than the key signs");
    let mut template = tlv::encode(0x82, &[]);
    template.extend(match algorithm {
        Algorithm::P256 | Algorithm::P384 => tlv::encode(0x81, digest),
        Algorithm::Rsa2048 => tlv::encode(0x81, &pad(digest)),
    });
    template
}

/// EMSA-PKCS1-v1_5 (RFC 8017, 9.2): the card does the bare RSA only.
fn pad(digest: &[u8]) -> [u8; RSA_LENGTH] {
    let mut padded = [0xFF; RSA_LENGTH];
    padded[..2].copy_from_slice(&[0x00, 0x01]);
    let (padding, hash) = padded.split_at_mut(RSA_LENGTH - digest.len());
    hash.copy_from_slice(digest);
    let (rest, info) = padding.split_at_mut(padding.len() - SHA256_DIGEST_INFO.len());
    info.copy_from_slice(&SHA256_DIGEST_INFO);
    rest[rest.len() - 1] = 0x00;
    padded
}

pub(crate) fn read_signature(algorithm: Algorithm, data: &[u8]) -> Result<Vec<u8>, CardError> {
    let signature = Reader::new(Reader::new(data).expect(0x7C)?).expect(0x82)?;
    let well_formed = match algorithm {
        Algorithm::P256 | Algorithm::P384 => Reader::new(signature).expect(0x30).is_ok(),
        Algorithm::Rsa2048 => signature.len() == RSA_LENGTH,
    };
    if well_formed { Ok(signature.to_vec()) } else { Err(CardError::Garbled) }
}
