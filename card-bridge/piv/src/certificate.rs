//! Certificate objects and public keys, as far as to recognise the algorithm of a key.
//!
//! No certificate is verified here: the server knows each card's keys by heart.

use crate::error::CardError;
use crate::slot::Algorithm;
use crate::tlv::{self, Reader, TlvError};

pub(crate) const SEQUENCE: u32 = 0x30;
pub(crate) const INTEGER: u32 = 0x02;
pub(crate) const BIT_STRING: u32 = 0x03;
const NULL: u32 = 0x05;
pub(crate) const OBJECT_IDENTIFIER: u32 = 0x06;
/// The version of a certificate (RFC 5280, 4.1).
const VERSION: u32 = 0xA0;

pub(crate) const SET: u32 = 0x31;
pub(crate) const UTF8_STRING: u32 = 0x0C;
const PRINTABLE_STRING: u32 = 0x13;

/// id-at-commonName (RFC 5280, A.1).
pub(crate) const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// RFC 3279, 2.3.1.
const RSA_ENCRYPTION: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
/// RFC 5480, 2.1.1.
const EC_PUBLIC_KEY: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
/// RFC 5480, 2.1.1.1.
const SECP256R1: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
/// RFC 5480, 2.1.1.1.
const SECP384R1: &[u8] = &[0x2B, 0x81, 0x04, 0x00, 0x22];

/// Bit 1 of CertInfo: the certificate is compressed (SP 800-73-4 part 1, 3.2.4 and annex A, table 10).
const COMPRESSED: u8 = 0x01;

/// An X.509 certificate as it stood in its object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate(Vec<u8>);

impl Certificate {
    /// Takes the certificate (tag 70) out of its object's content.
    ///
    /// # Errors
    ///
    /// [`CardError::Garbled`] when the object is malformed, [`CardError::Unsuitable`] when it is empty or compressed.
    pub fn from_object(content: &[u8]) -> Result<Self, CardError> {
        let der = tlv::find(content, 0x70)?.filter(|der| !der.is_empty()).ok_or(CardError::Unsuitable)?;
        let info = tlv::find(content, 0x71)?.unwrap_or_default();
        if info.first().is_some_and(|info| info & COMPRESSED != 0) {
            return Err(CardError::Unsuitable);
        }
        Ok(Self(der.to_vec()))
    }

    /// Takes what is to be put into an object, DER.
    pub fn of(der: &[u8]) -> Self {
        Self(der.to_vec())
    }

    /// The content of a certificate object that holds `der`: CertInfo is plain, the error detection code empty.
    pub fn to_object(der: &[u8]) -> Vec<u8> {
        [tlv::encode(0x70, der), tlv::encode(0x71, &[0x00]), tlv::encode(0xFE, &[])].concat()
    }

    /// The certificate, DER.
    pub fn der(&self) -> &[u8] {
        &self.0
    }

    /// The public key as it is written there, a DER `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    ///
    /// [`CardError::Garbled`] when this is not a certificate.
    pub fn public_key_info(&self) -> Result<Vec<u8>, CardError> {
        Ok(tlv::encode(SEQUENCE, subject_public_key_info(&self.0)?))
    }

    /// The common name of its subject (RFC 5280, 4.1.2.6), as UTF-8 or printable string: for a person to recognise the card
    /// by, and proved by nothing.
    ///
    /// # Errors
    ///
    /// [`CardError::Garbled`] when this is not a certificate.
    pub fn common_name(&self) -> Result<Option<String>, CardError> {
        Ok(common_name(&self.0)?)
    }

    /// The algorithm of the key.
    ///
    /// # Errors
    ///
    /// [`CardError::Garbled`] when this is not a certificate, [`CardError::Unsuitable`] for any other kind of key.
    pub fn algorithm(&self) -> Result<Algorithm, CardError> {
        recognise(subject_public_key_info(&self.0)?)?.ok_or(CardError::Unsuitable)
    }
}

/// The content of `SubjectPublicKeyInfo` in a certificate (RFC 5280, 4.1).
fn subject_public_key_info(der: &[u8]) -> Result<&[u8], TlvError> {
    let mut fields = from_subject(der)?;
    fields.expect(SEQUENCE)?;
    fields.expect(SEQUENCE)
}

/// The last common name of the subject.
fn common_name(der: &[u8]) -> Result<Option<String>, TlvError> {
    let mut found = None;
    for part in Reader::new(from_subject(der)?.expect(SEQUENCE)?) {
        let part = part?;
        if part.tag != SET {
            return Err(TlvError);
        }
        for attribute in Reader::new(part.value) {
            let attribute = attribute?;
            let mut attribute = Reader::new(attribute.value);
            if attribute.expect(OBJECT_IDENTIFIER)? == COMMON_NAME {
                let value = attribute.next().ok_or(TlvError)??;
                let is_text = matches!(value.tag, UTF8_STRING | PRINTABLE_STRING);
                found = std::str::from_utf8(value.value).ok().filter(|_| is_text).map(str::to_owned).or(found);
            }
        }
    }
    Ok(found)
}

/// The fields of a certificate from its subject on.
fn from_subject(der: &[u8]) -> Result<Reader<'_>, TlvError> {
    let certificate = Reader::new(der).expect(SEQUENCE)?;
    let to_be_signed = Reader::new(certificate).expect(SEQUENCE)?;
    let mut fields = Reader::new(to_be_signed);
    let first = fields.next().ok_or(TlvError)??;
    if first.tag == VERSION {
        fields.expect(INTEGER)?;
    } else if first.tag != INTEGER {
        return Err(TlvError);
    }
    for _signature_issuer_validity in 0..3 {
        fields.expect(SEQUENCE)?;
    }
    Ok(fields)
}

fn recognise(public_key_info: &[u8]) -> Result<Option<Algorithm>, TlvError> {
    let mut fields = Reader::new(public_key_info);
    let mut algorithm = Reader::new(fields.expect(SEQUENCE)?);
    // The first byte counts the unused bits of the last: none.
    let key = fields.expect(BIT_STRING)?.strip_prefix(&[0]).ok_or(TlvError)?;
    Ok(match algorithm.expect(OBJECT_IDENTIFIER)? {
        EC_PUBLIC_KEY => match (algorithm.expect(OBJECT_IDENTIFIER)?, key.len()) {
            (SECP256R1, 65) => Some(Algorithm::P256),
            (SECP384R1, 97) => Some(Algorithm::P384),
            _ => None,
        },
        RSA_ENCRYPTION => {
            let modulus = Reader::new(Reader::new(key).expect(SEQUENCE)?).expect(INTEGER)?;
            let significant = modulus.strip_prefix(&[0]).unwrap_or(modulus);
            (significant.len() == 256 && significant[0] & 0x80 != 0).then_some(Algorithm::Rsa2048)
        }
        _ => None,
    })
}

/// A public key as GENERATE ASYMMETRIC KEY PAIR answers it (SP 800-73-4 part 2, 3.3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// A point, uncompressed (SEC 1, 2.3.3).
    EllipticCurve(Vec<u8>),
    /// An RSA key.
    Rsa {
        /// The modulus, big-endian.
        modulus: Vec<u8>,
        /// The public exponent, big-endian.
        exponent: Vec<u8>,
    },
}

impl PublicKey {
    /// Reads the answer's data.
    ///
    /// # Errors
    ///
    /// [`CardError::Garbled`] when it is not a public key.
    pub fn parse(data: &[u8]) -> Result<Self, CardError> {
        let content = Reader::new(data).expect(0x7F49)?;
        if let Some(point) = tlv::find(content, 0x86)? {
            return Ok(Self::EllipticCurve(point.to_vec()));
        }
        let part = |tag| tlv::find(content, tag)?.map(<[u8]>::to_vec).ok_or(CardError::Garbled);
        Ok(Self::Rsa { modulus: part(0x81)?, exponent: part(0x82)? })
    }

    /// The key as a certificate names it, a DER `SubjectPublicKeyInfo`.
    pub fn to_public_key_info(&self, algorithm: Algorithm) -> Vec<u8> {
        let named = |kind: &[u8], parameters: Vec<u8>| {
            tlv::encode(SEQUENCE, &[tlv::encode(OBJECT_IDENTIFIER, kind), parameters].concat())
        };
        let algorithm = match algorithm {
            Algorithm::P256 => named(EC_PUBLIC_KEY, tlv::encode(OBJECT_IDENTIFIER, SECP256R1)),
            Algorithm::P384 => named(EC_PUBLIC_KEY, tlv::encode(OBJECT_IDENTIFIER, SECP384R1)),
            Algorithm::Rsa2048 => named(RSA_ENCRYPTION, tlv::encode(NULL, &[])),
        };
        let bits = tlv::encode(BIT_STRING, &[&[0], &self.to_bits()[..]].concat());
        tlv::encode(SEQUENCE, &[algorithm, bits].concat())
    }

    /// The key alone, as it stands in the bit string of a `SubjectPublicKeyInfo`.
    pub fn to_bits(&self) -> Vec<u8> {
        match self {
            Self::EllipticCurve(point) => point.clone(),
            // RSAPublicKey (RFC 8017, A.1.1).
            Self::Rsa { modulus, exponent } => tlv::encode(SEQUENCE, &[unsigned(modulus), unsigned(exponent)].concat()),
        }
    }
}

/// A DER INTEGER that is not negative: a leading zero keeps its first bit clear.
fn unsigned(number: &[u8]) -> Vec<u8> {
    let significant = &number[number.iter().take_while(|byte| **byte == 0).count()..];
    let mut value = significant.to_vec();
    if significant.first().is_none_or(|first| first & 0x80 != 0) {
        value.insert(0, 0);
    }
    tlv::encode(INTEGER, &value)
}
