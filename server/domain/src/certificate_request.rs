//! Requests for certificates (PKCS #10, RFC 2986), as far as to tell that a key asks for its own. What else stands in one is
//! for the authority to judge.

use spki::der::{AnyRef, Decode, Reader, Result, SliceReader, asn1::BitStringRef};

use crate::card::CardPublicKey;

/// Whether this is a request for the key's certificate that the key has signed.
pub(crate) fn is_by(key: &CardPublicKey, request: &[u8]) -> bool {
    read(request).is_ok_and(|Request { information, public_key_info, signature }| {
        public_key_info == key.as_der() && key.has_signed(information, signature)
    })
}

struct Request<'a> {
    information: &'a [u8],
    public_key_info: &'a [u8],
    signature: &'a [u8],
}

fn read(der: &[u8]) -> Result<Request<'_>> {
    let mut request = SliceReader::new(AnyRef::from_der(der)?.value())?;
    let information = request.tlv_bytes()?;
    AnyRef::decode(&mut request)?;
    let signature = BitStringRef::decode(&mut request)?.raw_bytes();
    let mut fields = SliceReader::new(AnyRef::from_der(information)?.value())?;
    for _version_subject in 0..2 {
        AnyRef::decode(&mut fields)?;
    }
    Ok(Request { information, public_key_info: fields.tlv_bytes()?, signature })
}
