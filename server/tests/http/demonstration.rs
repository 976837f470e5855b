//! The demonstration's cards.

use std::fs;

use server::demonstration::{Manifest, TakenIn};

use crate::test_app::TestApp;

/// As `virtual-card make` writes it, with keys of P-256.
const MANIFEST: &str = r#"{ "cards": [
  { "card": "samuel-sample", "user_number": "555000000025", "name": "Samuel Sample",
    "email": "samuel.sample@demo.nhs.net", "guid": "0102030405060708090a0b0c0d0e0f10",
    "piv_authentication_key": "HOLDER_KEY",
    "card_authentication_key": "CARD_KEY",
    "unlock_key": "1122334455667788", "passcode": "27150386", "locked": true,
    "registered": { "email": "samuel.sample@demo.nhs.net", "answers": [
      { "question": 2, "answer": "Bramble the bear" }, { "question": 6, "answer": "Whitby" },
      { "question": 9, "answer": "blue vase" }, { "question": 18, "answer": "Hebden Bridge" } ] } } ] }"#;

fn manifest() -> Manifest {
    use base64ct::{Base64UrlUnpadded, Encoding};
    use p256::{ecdsa::SigningKey, pkcs8::EncodePublicKey};
    let public = |byte: u8| {
        let key = SigningKey::from_slice(&[byte; 32]).unwrap();
        Base64UrlUnpadded::encode_string(key.verifying_key().to_public_key_der().unwrap().as_bytes())
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("manifest.json");
    fs::write(&file, MANIFEST.replace("HOLDER_KEY", &public(7)).replace("CARD_KEY", &public(8))).unwrap();
    Manifest::read(&file).unwrap_or_else(|fault| panic!("{fault:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_is_taken_in_once() {
    let app = TestApp::start().await;
    let first = manifest().take_in(app.services()).await.unwrap();
    assert_eq!(first, TakenIn { cards: 1, registrations: 1 });
    let second = manifest().take_in(app.services()).await.unwrap();
    assert_eq!(second, TakenIn::default());
}

#[test]
fn pages_show_passcodes_and_answers() {
    let demonstration = manifest().to_demonstration();
    let card = &demonstration.cards[0];
    assert_eq!((card.name.as_str(), card.passcode.as_str()), ("samuel-sample", "27150386"));
    assert!(card.is_registered && card.is_locked);
    assert_eq!(card.answers[2], (9, "blue vase".to_owned()));
}
