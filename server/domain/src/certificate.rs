//! X.509 certificates, as far as to find the public key in them. Nothing in a certificate is verified: whoever prepared
//! an import vouches for the keys, and a card that was issued here has its keys pinned before it has certificates.

use base64ct::{Base64, Encoding};
use spki::der::{AnyRef, Decode, Reader, Result, SliceReader, Tag, Tagged};

/// The first certificate of a text, DER: PEM (RFC 7468), whatever else the text says. Nothing where there is none.
pub fn from_pem(text: &str) -> Option<Vec<u8>> {
    let (_, text) = text.split_once("-----BEGIN CERTIFICATE-----")?;
    let (lines, _) = text.split_once("-----END CERTIFICATE-----")?;
    let digits: String = lines.split_ascii_whitespace().collect();
    Base64::decode_vec(&digits).ok()
}

/// The SubjectPublicKeyInfo in a certificate, both in DER (RFC 5280, 4.1); nothing where this is no certificate.
pub(crate) fn subject_public_key_info(der: &[u8]) -> Option<&[u8]> {
    read(der).ok().flatten()
}

fn read(der: &[u8]) -> Result<Option<&[u8]>> {
    let mut certificate = SliceReader::new(AnyRef::from_der(der)?.value())?;
    let mut fields = SliceReader::new(AnyRef::decode(&mut certificate)?.value())?;
    let mut first = AnyRef::decode(&mut fields)?.tag();
    let is_version = matches!(first, Tag::ContextSpecific { .. });
    if is_version {
        first = AnyRef::decode(&mut fields)?.tag();
    }
    // A SubjectPublicKeyInfo has an object identifier here.
    if first != Tag::Integer {
        return Ok(None);
    }
    for _signature_issuer_validity_subject in 0..4 {
        AnyRef::decode(&mut fields)?;
    }
    fields.tlv_bytes().map(Some)
}
