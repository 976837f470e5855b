//! The parsers on what real cards hold, and on anything else.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use hex_literal::hex;
use piv::{
    Algorithm, CardError, Certificate, Command, Guid, Passcode, PublicKey, StatusWord, Trace, UnlockKey, Verdict, tlv,
};

fn certificate(der: &[u8]) -> Certificate {
    Certificate::from_object(&Certificate::to_object(der)).unwrap()
}

#[test]
fn the_algorithm_of_a_certificate_is_recognised() {
    for (der, algorithm) in [
        (&include_bytes!("certificates/p256.der")[..], Ok(Algorithm::P256)),
        (include_bytes!("certificates/p384.der"), Ok(Algorithm::P384)),
        (include_bytes!("certificates/rsa2048.der"), Ok(Algorithm::Rsa2048)),
        (include_bytes!("certificates/rsa3072.der"), Err(CardError::Unsuitable)),
        (include_bytes!("certificates/p521.der"), Err(CardError::Unsuitable)),
        (include_bytes!("certificates/ed25519.der"), Err(CardError::Unsuitable)),
    ] {
        assert_eq!(certificate(der).algorithm(), algorithm);
    }
}

#[test]
fn the_name_on_a_certificate_is_read() {
    for (der, name) in [
        (&include_bytes!("certificates/p256.der")[..], "Card P-256"),
        (include_bytes!("certificates/p384.der"), "Card P-384"),
        (include_bytes!("certificates/rsa2048.der"), "Card RSA"),
    ] {
        assert_eq!(certificate(der).common_name(), Ok(Some(name.to_owned())));
    }
    assert_eq!(certificate(&[0x30, 0x00]).common_name(), Err(CardError::Garbled));
}

#[test]
fn the_public_key_of_a_certificate_is_taken_out_as_openssl_does() {
    for (der, public_key_info) in [
        (&include_bytes!("certificates/p256.der")[..], &include_bytes!("certificates/p256.spki.der")[..]),
        (include_bytes!("certificates/p384.der"), include_bytes!("certificates/p384.spki.der")),
        (include_bytes!("certificates/rsa2048.der"), include_bytes!("certificates/rsa2048.spki.der")),
    ] {
        assert_eq!(certificate(der).public_key_info().unwrap(), public_key_info);
    }
}

#[test]
fn a_generated_public_key_is_read() {
    let point = [4; 65];
    let answer = tlv::encode(0x7F49, &tlv::encode(0x86, &point));
    assert_eq!(PublicKey::parse(&answer), Ok(PublicKey::EllipticCurve(point.to_vec())));
    let answer = hex!("7F49 08 8102C001 82020003");
    let rsa = PublicKey::Rsa { modulus: vec![0xC0, 0x01], exponent: vec![0x00, 0x03] };
    assert_eq!(PublicKey::parse(&answer), Ok(rsa));
    assert_eq!(PublicKey::parse(&hex!("7F49 04 8102C001")), Err(CardError::Garbled));
}

#[test]
fn a_length_is_written_in_the_fewest_bytes_and_read_back() {
    for (length, header) in [
        (0, &hex!("5300")[..]),
        (127, &hex!("537F")),
        (128, &hex!("538180")),
        (255, &hex!("5381FF")),
        (256, &hex!("53820100")),
    ] {
        let encoded = tlv::encode(0x53, &vec![7; length]);
        assert_eq!(encoded[..encoded.len() - length], *header);
        assert_eq!(tlv::find(&encoded, 0x53), Ok(Some(&vec![7; length][..])));
    }
}

#[test]
fn lengths_beyond_the_input_and_endless_tags_are_errors() {
    for bytes in
        [&hex!("53")[..], &hex!("5302 00"), &hex!("5380 0000"), &hex!("5384 00000001 00"), &hex!("1F818181 00")]
    {
        assert_eq!(tlv::find(bytes, 0x99), Err(tlv::TlvError), "{bytes:02X?}");
    }
}

#[test]
fn a_guid_of_zeros_is_none() {
    assert_eq!(Guid::new([0; 16]), None);
    assert!(Guid::new(*b"0000000000000000").is_some());
}

#[test]
fn only_six_to_eight_digits_become_a_passcode() {
    for digits in ["123456", "1234567", "12345678"] {
        assert!(Passcode::from_digits(digits).is_ok());
    }
    for other in ["", "12345", "123456789", "12345a", "12 456", "１２３４５６"] {
        assert!(Passcode::from_digits(other).is_err(), "{other}");
    }
}

#[test]
fn every_dialect_of_a_refusal_has_one_meaning() {
    for (word, verdict) in [
        (0x9000, Verdict::Accepted),
        (0x63C2, Verdict::Refused { tries_left: Some(2) }),
        (0x63CF, Verdict::Refused { tries_left: Some(15) }),
        (0x63C0, Verdict::Blocked),
        (0x6983, Verdict::Blocked),
        (0x6300, Verdict::Refused { tries_left: None }),
        (0x6A80, Verdict::Unclear(StatusWord(0x6A80))),
        (0x6982, Verdict::Unclear(StatusWord(0x6982))),
        (0x63D2, Verdict::Unclear(StatusWord(0x63D2))),
    ] {
        assert_eq!(Verdict::from(StatusWord(word)), verdict, "{word:04X}");
    }
}

#[test]
fn no_secret_is_shown() {
    let passcode = Passcode::from_digits("824917").unwrap();
    let key = UnlockKey::new(*b"\x82\x49\x17secre");
    let command = Command::reset_retry_counter(&key, &passcode);
    let apdu = command.apdus().remove(0);
    assert_eq!(format!("{passcode:?} {key:?}"), "Passcode(hidden) UnlockKey(hidden)");
    assert_eq!(format!("{command:?}"), "Command { instruction: ResetRetryCounter, p1: 00, p2: 80, .. }");
    assert_eq!(format!("{:?}", Trace::new(&apdu, &hex!("63C2"))), "ResetRetryCounter -> 63C2");
    assert_eq!(format!("{}", Trace::new(&apdu, &[])), "ResetRetryCounter -> cut off");
}

#[test]
fn whoever_compares_unlock_keys_compares_every_byte() {
    let key = UnlockKey::new([1, 2, 3, 4, 5, 6, 7, 8]);
    assert!(key.is(&UnlockKey::new([1, 2, 3, 4, 5, 6, 7, 8])));
    assert!(!key.is(&UnlockKey::new([1, 2, 3, 4, 5, 6, 7, 9])));
    assert!(!key.is(&UnlockKey::new([0, 2, 3, 4, 5, 6, 7, 8])));
}
