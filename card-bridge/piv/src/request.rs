//! Requests for the certificates of a card's keys (PKCS #10, RFC 2986), for a certification authority elsewhere.

use std::fmt::Write as _;

use crate::application::Application;
use crate::certificate::{BIT_STRING, COMMON_NAME, INTEGER, OBJECT_IDENTIFIER, PublicKey, SEQUENCE, SET, UTF8_STRING};
use crate::error::CardError;
use crate::objects::Guid;
use crate::slot::{Algorithm, Slot};
use crate::tlv::encode;

const OCTET_STRING: u32 = 0x04;
/// The attributes of a request (RFC 2986, 4.1).
const ATTRIBUTES: u32 = 0xA0;
/// uniformResourceIdentifier of a GeneralName (RFC 5280, 4.2.1.6).
const URI: u32 = 0x86;

/// id-ce-subjectAltName (RFC 5280, 4.2.1.6).
const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1D, 0x11];
/// pkcs-9-at-extensionRequest (RFC 2985, 5.4.2).
const EXTENSION_REQUEST: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x0E];
/// RFC 5758, 3.2.
const ECDSA_WITH_SHA256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];
/// RFC 5758, 3.2.
const ECDSA_WITH_SHA384: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x03];
/// RFC 4055, 5.
const SHA256_WITH_RSA_ENCRYPTION: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B];
/// The parameters that RFC 4055, 5, wants with it: NULL.
const NULL: &[u8] = &[0x05, 0x00];

/// What requests are made with.
#[derive(Clone, Copy)]
pub struct RequestTerms<'a> {
    /// The name of the card's holder.
    pub holder: &'a str,
    /// The digest of a message that a key of this kind signs.
    pub digest: fn(Algorithm, &[u8]) -> Vec<u8>,
}

/// The requests of a card, DER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requests {
    /// For the key of slot 9A, in the name of its holder.
    pub authentication: Vec<u8>,
    /// For the key of slot 9E, in the name of the card.
    pub card_authentication: Vec<u8>,
}

/// Has a key of the card sign a request for its own certificate; 9A does so while the passcode is verified.
pub(crate) fn request(
    application: &mut Application,
    guid: Guid,
    slot: Slot,
    (key, algorithm): (&PublicKey, Algorithm),
    terms: RequestTerms,
) -> Result<Vec<u8>, CardError> {
    let information = information(guid, slot, &key.to_public_key_info(algorithm), terms.holder);
    let signature = application.sign(slot, algorithm, &(terms.digest)(algorithm, &information))?;
    let (kind, parameters) = match algorithm {
        Algorithm::P256 => (ECDSA_WITH_SHA256, &[][..]),
        Algorithm::P384 => (ECDSA_WITH_SHA384, &[][..]),
        Algorithm::Rsa2048 => (SHA256_WITH_RSA_ENCRYPTION, NULL),
    };
    let algorithm = named(kind, parameters);
    Ok(encode(SEQUENCE, &[information, algorithm, encode(BIT_STRING, &[&[0], &signature[..]].concat())].concat()))
}

/// CertificationRequestInfo: what the key signs.
fn information(guid: Guid, slot: Slot, public_key_info: &[u8], holder: &str) -> Vec<u8> {
    let uuid = uuid(guid);
    let common_name = match slot {
        Slot::PivAuthentication => holder,
        Slot::CardAuthentication => &uuid,
    };
    let subject = named(COMMON_NAME, &encode(UTF8_STRING, common_name.as_bytes()));
    let names = encode(SEQUENCE, &encode(URI, ["urn:uuid:", &uuid].concat().as_bytes()));
    let extensions = encode(SEQUENCE, &named(SUBJECT_ALTERNATIVE_NAME, &encode(OCTET_STRING, &names)));
    let fields = [
        // Version 1.
        encode(INTEGER, &[0]),
        encode(SEQUENCE, &encode(SET, &subject)),
        public_key_info.to_vec(),
        encode(ATTRIBUTES, &named(EXTENSION_REQUEST, &encode(SET, &extensions))),
    ];
    encode(SEQUENCE, &fields.concat())
}

/// A value with the object identifier that says what it is.
fn named(identifier: &[u8], value: &[u8]) -> Vec<u8> {
    encode(SEQUENCE, &[&encode(OBJECT_IDENTIFIER, identifier), value].concat())
}

/// The GUID as a UUID is written (RFC 9562, 4).
fn uuid(guid: Guid) -> String {
    let digits = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut digits, byte| {
            let _ = write!(digits, "{byte:02x}");
            digits
        })
    };
    let bytes = guid.bytes();
    [&bytes[..4], &bytes[4..6], &bytes[6..8], &bytes[8..10], &bytes[10..]].map(digits).join("-")
}
