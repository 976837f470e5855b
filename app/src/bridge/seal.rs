//! Sealing a passcode in the page: HPKE (RFC 9180), base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, by
//! the browser's own cryptography (Web Crypto).
//!
//! Only what one message needs: Encap (4.1), KeySchedule (5.1) without a pre-shared key, and Seal (5.2) at sequence
//! number 0. Every expanded key is 32 bytes or fewer, so HKDF-Expand (RFC 5869, 2.3) is a single HMAC.

use card_protocol::{
    ConnectionKey,
    passcode::Passcode,
    sealed::{PASSCODE_INFO, Sealed},
};
use js_sys::{Array, ArrayBuffer, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CryptoKey, CryptoKeyPair, SubtleCrypto};
use zeroize::Zeroizing;

/// "KEM" and the id of DHKEM(X25519, HKDF-SHA256) (RFC 9180, 4.1 and 7.1).
const KEM_SUITE: &[u8] = b"KEM\x00\x20";

/// "HPKE" and the ids of KEM, HKDF-SHA256 and AES-256-GCM (RFC 9180, 5.1 and 7).
const HPKE_SUITE: &[u8] = b"HPKE\x00\x20\x00\x01\x00\x02";

/// Mode base (RFC 9180, 5).
const MODE_BASE: u8 = 0;

/// The browser cannot seal: it is too old, or the page is not in a secure context.
#[derive(Debug)]
pub struct CannotSeal;

impl From<JsValue> for CannotSeal {
    fn from(_: JsValue) -> Self {
        Self
    }
}

type Secret = Zeroizing<Vec<u8>>;

/// Seals a passcode to a connection key.
pub async fn seal_passcode(
    to: &ConnectionKey,
    additional_data: &[u8],
    passcode: &Passcode,
) -> Result<Sealed, CannotSeal> {
    let subtle = subtle()?;
    let (encapsulated_key, shared_secret) = encapsulate(&subtle, to).await?;
    let (key, nonce) = schedule(&subtle, &shared_secret, PASSCODE_INFO).await?;
    let ciphertext = encrypt(&subtle, &key, &nonce, additional_data, passcode.expose_secret().as_bytes()).await?;
    Ok(Sealed { encapsulated_key, ciphertext })
}

fn subtle() -> Result<SubtleCrypto, CannotSeal> {
    let crypto = Reflect::get(&js_sys::global(), &"crypto".into())?;
    let subtle = Reflect::get(&crypto, &"subtle".into())?;
    if subtle.is_undefined() { Err(CannotSeal) } else { Ok(subtle.unchecked_into()) }
}

/// A fresh key pair's public key, and the secret shared with the holder of `to`.
async fn encapsulate(subtle: &SubtleCrypto, to: &ConnectionKey) -> Result<(Vec<u8>, Secret), CannotSeal> {
    let usages = Array::of1(&"deriveBits".into());
    let pair = awaited(subtle.generate_key_with_str("X25519", false, &usages)?).await?;
    let pair: CryptoKeyPair = pair.unchecked_into();
    let encapsulated_key = bytes(awaited(subtle.export_key("raw", &public_key(&pair)?)?).await?).to_vec();
    let recipient = subtle.import_key_with_str("raw", &array(&to.0).into(), "X25519", true, &Array::new())?;
    let recipient = awaited(recipient).await?;
    let algorithm = object(&[("name", &"X25519".into()), ("public", &recipient)])?;
    let shared = awaited(subtle.derive_bits_with_object(&algorithm, &private_key(&pair)?, 256)?).await?;
    let shared = Zeroizing::new(bytes(shared).to_vec());
    let context = [encapsulated_key.as_slice(), &to.0].concat();
    let extracted = labeled_extract(subtle, KEM_SUITE, &[], b"eae_prk", &shared).await?;
    let secret = labeled_expand(subtle, KEM_SUITE, &extracted, b"shared_secret", &context, 32).await?;
    Ok((encapsulated_key, secret))
}

/// The key and the nonce of the first message.
async fn schedule(subtle: &SubtleCrypto, shared_secret: &[u8], info: &[u8]) -> Result<(Secret, Secret), CannotSeal> {
    let psk_id_hash = labeled_extract(subtle, HPKE_SUITE, &[], b"psk_id_hash", &[]).await?;
    let info_hash = labeled_extract(subtle, HPKE_SUITE, &[], b"info_hash", info).await?;
    let context = [&[MODE_BASE], psk_id_hash.as_slice(), &info_hash].concat();
    let secret = labeled_extract(subtle, HPKE_SUITE, shared_secret, b"secret", &[]).await?;
    let key = labeled_expand(subtle, HPKE_SUITE, &secret, b"key", &context, 32).await?;
    let nonce = labeled_expand(subtle, HPKE_SUITE, &secret, b"base_nonce", &context, 12).await?;
    Ok((key, nonce))
}

/// LabeledExtract (RFC 9180, 4).
async fn labeled_extract(
    subtle: &SubtleCrypto,
    suite: &[u8],
    salt: &[u8],
    label: &[u8],
    key_material: &[u8],
) -> Result<Secret, CannotSeal> {
    let labeled = Zeroizing::new([b"HPKE-v1", suite, label, key_material].concat());
    hmac(subtle, salt, &labeled).await
}

/// LabeledExpand (RFC 9180, 4), to at most 32 bytes.
async fn labeled_expand(
    subtle: &SubtleCrypto,
    suite: &[u8],
    secret: &[u8],
    label: &[u8],
    info: &[u8],
    length: u8,
) -> Result<Secret, CannotSeal> {
    let labeled = [&[0, length], b"HPKE-v1".as_slice(), suite, label, info, &[1]].concat();
    let mut expanded = hmac(subtle, secret, &labeled).await?;
    expanded.truncate(usize::from(length));
    Ok(expanded)
}

async fn hmac(subtle: &SubtleCrypto, key: &[u8], data: &[u8]) -> Result<Secret, CannotSeal> {
    // Web Crypto takes no empty key; HMAC pads a key with zeros, so one zero byte is the same key (RFC 2104, 2).
    let key = array(if key.is_empty() { &[0] } else { key });
    let algorithm = object(&[("name", &"HMAC".into()), ("hash", &"SHA-256".into())])?;
    let usages = Array::of1(&"sign".into());
    let imported = awaited(subtle.import_key_with_object("raw", &key, &algorithm, false, &usages)?).await?;
    let signed = subtle.sign_with_str_and_js_u8_array("HMAC", imported.unchecked_ref(), &array(data))?;
    Ok(Zeroizing::new(bytes(awaited(signed).await?).to_vec()))
}

async fn encrypt(
    subtle: &SubtleCrypto,
    key: &[u8],
    nonce: &[u8],
    additional_data: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, CannotSeal> {
    let usages = Array::of1(&"encrypt".into());
    let key = awaited(subtle.import_key_with_str("raw", &array(key), "AES-GCM", false, &usages)?).await?;
    let algorithm = object(&[
        ("name", &"AES-GCM".into()),
        ("iv", &array(nonce)),
        ("additionalData", &array(additional_data)),
        ("tagLength", &128.into()),
    ])?;
    let encrypted = subtle.encrypt_with_object_and_js_u8_array(&algorithm, key.unchecked_ref(), &array(plaintext))?;
    Ok(bytes(awaited(encrypted).await?).to_vec())
}

fn public_key(pair: &CryptoKeyPair) -> Result<CryptoKey, JsValue> {
    Ok(Reflect::get(pair, &"publicKey".into())?.unchecked_into())
}

fn private_key(pair: &CryptoKeyPair) -> Result<CryptoKey, JsValue> {
    Ok(Reflect::get(pair, &"privateKey".into())?.unchecked_into())
}

fn object(entries: &[(&str, &JsValue)]) -> Result<Object, JsValue> {
    let object = Object::new();
    for (key, value) in entries {
        Reflect::set(&object, &(*key).into(), value)?;
    }
    Ok(object)
}

fn array(bytes: &[u8]) -> Uint8Array {
    Uint8Array::from(bytes)
}

fn bytes(buffer: JsValue) -> Uint8Array {
    Uint8Array::new(&buffer.unchecked_into::<ArrayBuffer>())
}

async fn awaited(promise: Promise) -> Result<JsValue, JsValue> {
    JsFuture::from(promise).await
}

#[cfg(all(test, target_arch = "wasm32"))]
mod tests {
    use card_protocol::sealed::ConnectionSecret;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    async fn the_bridge_opens_what_the_page_seals() {
        let connection = ConnectionSecret::new([7; 32]);
        let passcode = Passcode::parse("824917").unwrap();
        let sealed = seal_passcode(&connection.public(), b"request", &passcode).await.unwrap();
        let opened = connection.open_passcode(b"request", &sealed).unwrap();
        assert_eq!(opened.expose_secret(), "824917");
    }

    #[wasm_bindgen_test]
    async fn what_is_sealed_for_one_request_opens_for_no_other() {
        let connection = ConnectionSecret::new([7; 32]);
        let passcode = Passcode::parse("824917").unwrap();
        let sealed = seal_passcode(&connection.public(), b"request", &passcode).await.unwrap();
        assert!(connection.open_passcode(b"another", &sealed).is_err());
        assert!(ConnectionSecret::new([8; 32]).open_passcode(b"request", &sealed).is_err());
    }

    #[wasm_bindgen_test]
    async fn no_two_sealed_messages_are_alike() {
        let connection = ConnectionSecret::new([7; 32]);
        let passcode = Passcode::parse("824917").unwrap();
        let first = seal_passcode(&connection.public(), b"request", &passcode).await.unwrap();
        let second = seal_passcode(&connection.public(), b"request", &passcode).await.unwrap();
        assert_ne!(first, second);
    }
}
