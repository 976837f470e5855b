//! A row of the file of cards.

use base64ct::{Base64, Encoding};
use card_protocol::{Guid, UnlockKey};
use domain::{
    card::CardPublicKey,
    import::{ImportedCard, RowFault},
    person::UserNumber,
};

/// The first line of the file.
pub const HEADER: [&str; 5] = ["guid", "user_number", "authentication", "card_authentication", "unlock_key"];

/// Reads a row.
pub fn parse(
    [guid, holder, authentication, card_authentication, unlock_key]: &[&str; 5],
) -> Result<ImportedCard, RowFault> {
    Ok(ImportedCard {
        guid: guid.parse::<Guid>().map_err(|_| RowFault::Guid)?,
        holder: UserNumber::parse(holder).map_err(|_| RowFault::UserNumber)?,
        authentication_key: public_key(authentication).ok_or(RowFault::AuthenticationKey)?,
        card_authentication_key: public_key(card_authentication).ok_or(RowFault::CardAuthenticationKey)?,
        unlock_key: parse_unlock_key(unlock_key).ok_or(RowFault::UnlockKey)?,
    })
}

/// Reads 16 hexadecimal digits.
pub fn parse_unlock_key(digits: &str) -> Option<UnlockKey> {
    let is_key = digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let key = u64::from_str_radix(digits, 16).ok().filter(|_| is_key)?;
    Some(UnlockKey::new(key.to_be_bytes()))
}

/// Reads a certificate or a public key: PEM (RFC 7468), or what stands between its first and its last line.
fn public_key(text: &str) -> Option<CardPublicKey> {
    let digits: String = between_lines(text)?.split_ascii_whitespace().collect();
    CardPublicKey::from_certificate_or_key(&Base64::decode_vec(&digits).ok()?).ok()
}

fn between_lines(text: &str) -> Option<&str> {
    if !text.starts_with('-') {
        return Some(text);
    }
    ["CERTIFICATE", "PUBLIC KEY"].iter().find_map(|label| {
        let text = text.strip_prefix(&format!("-----BEGIN {label}-----"))?;
        text.strip_suffix(&format!("-----END {label}-----"))
    })
}

#[cfg(test)]
mod tests {
    use p256::{ecdsa::SigningKey, pkcs8::EncodePublicKey};

    use super::*;

    /// openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=card
    const CERTIFICATE: &str = include_str!("../../tests/certificates/p256.pem");
    /// openssl x509 -pubkey -noout
    const PUBLIC_KEY: &str = include_str!("../../tests/certificates/p256.public.pem");

    fn key(number: u8) -> String {
        let key = SigningKey::from_slice(&[number; 32]).unwrap();
        Base64::encode_string(key.verifying_key().to_public_key_der().unwrap().as_bytes())
    }

    fn fault(row: [&str; 5]) -> Option<RowFault> {
        parse(&row).err()
    }

    const GUID: &str = "30313233343536373839616263646566";
    const UNLOCK_KEY: &str = "00112233aaBBccDD";

    #[test]
    fn a_certificate_stands_for_its_key_in_pem_and_in_base64() {
        let key = public_key(PUBLIC_KEY.trim()).unwrap();
        let bare = |text: &str| text.lines().filter(|line| !line.starts_with('-')).collect::<String>();
        for text in [CERTIFICATE.trim(), &bare(CERTIFICATE), &bare(PUBLIC_KEY)] {
            assert_eq!(public_key(text).as_ref(), Some(&key), "{text}");
        }
    }

    #[test]
    fn what_is_no_card_is_refused() {
        let (a, b) = (key(1), key(2));
        assert_eq!(fault([GUID, "1001", &a, &b, UNLOCK_KEY]), None);
        assert_eq!(fault([&GUID[1..], "1001", &a, &b, UNLOCK_KEY]), Some(RowFault::Guid));
        assert_eq!(fault([GUID, "", &a, &b, UNLOCK_KEY]), Some(RowFault::UserNumber));
        assert_eq!(fault([GUID, "1001", "", &b, UNLOCK_KEY]), Some(RowFault::AuthenticationKey));
        assert_eq!(fault([GUID, "1001", &a, "AAAA", UNLOCK_KEY]), Some(RowFault::CardAuthenticationKey));
        for unlock_key in ["", "0011223344556677 ", "+011223344556677", "001122334455667", "00112233445566778"] {
            assert_eq!(fault([GUID, "1001", &a, &b, unlock_key]), Some(RowFault::UnlockKey), "{unlock_key}");
        }
    }
}
