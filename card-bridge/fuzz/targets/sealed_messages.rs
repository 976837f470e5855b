//! Sealed messages: arbitrary bytes are refused, changed messages are refused, and of what the right sender has sealed
//! only what is unlock keys or a passcode comes out.

use card_protocol::sealed::{ConnectionSecret, PASSCODE_INFO, Sealed, ServiceSecret, UNLOCK_KEYS_INFO};
use hpke::{Deserializable, Kem as _, OpModeS, Serializable, aead::AesGcm256, kdf::HkdfSha256, kem::X25519HkdfSha256};

type Kem = X25519HkdfSha256;

const CONNECTION: [u8; 32] = [7; 32];
const SERVICE: [u8; 32] = [5; 32];
const ADDITIONAL_DATA: &[u8] = b"additional data";

pub fn run(input: &[u8]) {
    let Some((kind, bytes)) = input.split_first() else { return };
    match kind % 4 {
        0 => nothing_is_opened(&raw(bytes)),
        1 => unlock_keys(bytes),
        2 => passcode(bytes),
        _ => changed(bytes),
    }
}

/// The bytes as a message: the encapsulated key of whatever length the first byte says, then the ciphertext.
fn raw(bytes: &[u8]) -> Sealed {
    let (length, rest) = bytes.split_first().map_or((0, bytes), |(length, rest)| (usize::from(*length), rest));
    let (encapsulated_key, ciphertext) = rest.split_at(length.min(rest.len()));
    Sealed { encapsulated_key: encapsulated_key.to_vec(), ciphertext: ciphertext.to_vec() }
}

fn nothing_is_opened(sealed: &Sealed) {
    let connection = ConnectionSecret::new(CONNECTION);
    let service = ServiceSecret::new(SERVICE).public();
    assert!(connection.open_unlock_keys(&service, ADDITIONAL_DATA, sealed).is_err());
    assert!(connection.open_passcode(ADDITIONAL_DATA, sealed).is_err());
}

fn unlock_keys(plaintext: &[u8]) {
    let sealed = seal(&from_service(), UNLOCK_KEYS_INFO, plaintext);
    let service = ServiceSecret::new(SERVICE).public();
    let opened = ConnectionSecret::new(CONNECTION).open_unlock_keys(&service, ADDITIONAL_DATA, &sealed);
    // The number of candidates, these, the next key and the completion challenge.
    let is_unlock_keys = matches!((plaintext.first(), plaintext.len()), (Some(1), 49) | (Some(2), 57));
    assert_eq!(opened.is_ok(), is_unlock_keys);
}

fn passcode(plaintext: &[u8]) {
    let sealed = seal(&OpModeS::Base, PASSCODE_INFO, plaintext);
    let opened = ConnectionSecret::new(CONNECTION).open_passcode(ADDITIONAL_DATA, &sealed);
    let is_passcode = (6..=8).contains(&plaintext.len()) && plaintext.iter().all(u8::is_ascii_digit);
    assert_eq!(opened.is_ok(), is_passcode);
}

/// A good message, of which the input changes bytes: pairs of a place and what it is combined with.
fn changed(changes: &[u8]) {
    let mut plaintext = [0; 49];
    plaintext[0] = 1;
    for (mode, info, plaintext) in
        [(from_service(), UNLOCK_KEYS_INFO, &plaintext[..]), (OpModeS::Base, PASSCODE_INFO, b"824917")]
    {
        let good = seal(&mode, info, plaintext);
        let mut sealed = good.clone();
        for change in changes.chunks_exact(2) {
            let at = usize::from(change[0]);
            let (key, ciphertext) = (sealed.encapsulated_key.len(), sealed.ciphertext.len());
            if at < key {
                sealed.encapsulated_key[at] ^= change[1];
            } else {
                sealed.ciphertext[(at - key) % ciphertext] ^= change[1];
            }
        }
        // Two changes of one place may cancel each other out.
        if sealed != good {
            nothing_is_opened(&sealed);
        }
    }
}

fn from_service() -> OpModeS<'static, Kem> {
    let secret = <Kem as hpke::Kem>::PrivateKey::from_bytes(&SERVICE).expect("32 bytes are a private key");
    let public = Kem::sk_to_pk(&secret);
    OpModeS::Auth((secret, public))
}

fn seal(mode: &OpModeS<Kem>, info: &[u8], plaintext: &[u8]) -> Sealed {
    let to = ConnectionSecret::new(CONNECTION).public();
    let to = <Kem as hpke::Kem>::PublicKey::from_bytes(&to.0).expect("32 bytes are a public key");
    let (encapsulated_key, ciphertext) =
        hpke::single_shot_seal::<AesGcm256, HkdfSha256, Kem>(mode, &to, info, plaintext, ADDITIONAL_DATA)
            .expect("a message can be sealed");
    Sealed { encapsulated_key: encapsulated_key.to_bytes().to_vec(), ciphertext }
}
