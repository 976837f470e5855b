//! The making of certificates, with `rcgen`: the authority of the cards that are issued here, and the certificates of their
//! keys. Nobody has to trust them to use the service, which knows each card's keys by heart; other programs may.

use domain::{
    Timestamp,
    authority::{Authority, CertificateSubject, Certifier, CertifierError},
    card::{CardPublicKey, KeyAlgorithm},
};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256, PublicKeyData, SanType, SerialNumber,
    SignatureAlgorithm, string::Ia5String,
};
use spki::{SubjectPublicKeyInfoRef, der::Decode};
use time::Duration;
use zeroize::Zeroizing;

use card_protocol::Slot;

/// id-PIV-cardAuth (FIPS 201-3, appendix B): the key stands for the card and not for its holder.
const CARD_AUTHENTICATION: [u64; 8] = [2, 16, 840, 1, 101, 3, 6, 8];

/// How long the authority is good for.
const AUTHORITY_LIFE: Duration = Duration::days(20 * 365);

/// The name of the authority. It stands in every certificate, so it never changes.
const AUTHORITY: &str = "Smartcard Service Centre cards";

/// Makes certificates.
pub struct X509Certifier;

/// What the authority says of itself, but for the time.
fn authority() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, AUTHORITY);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

impl Certifier for X509Certifier {
    fn found(&self, now: Timestamp) -> Result<Authority, CertifierError> {
        let mut params = authority();
        params.not_before = now;
        params.not_after = now + AUTHORITY_LIFE;
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(failed)?;
        let certificate = params.self_signed(&key).map_err(failed)?;
        Ok(Authority { certificate: certificate.der().to_vec(), key: Zeroizing::new(key.serialize_der()) })
    }

    fn certify(&self, authority: &Authority, subject: &CertificateSubject<'_>) -> Result<Vec<u8>, CertifierError> {
        let key = KeyPair::try_from(authority.key.as_slice()).map_err(failed)?;
        let issuer = Issuer::new(self::authority(), key);
        let mut params = CertificateParams::default();
        let uuid = uuid::Uuid::from_bytes(subject.guid.0);
        let name = match subject.slot {
            Slot::Authentication => subject.name.to_owned(),
            Slot::CardAuthentication => uuid.to_string(),
        };
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = match subject.slot {
            Slot::Authentication => vec![ExtendedKeyUsagePurpose::ClientAuth],
            Slot::CardAuthentication => vec![ExtendedKeyUsagePurpose::Other(CARD_AUTHENTICATION.to_vec())],
        };
        let uri = Ia5String::try_from(format!("urn:uuid:{uuid}")).map_err(failed)?;
        params.subject_alt_names = vec![SanType::URI(uri)];
        // Random, for a card may get another certificate for the same key (RFC 5280, 4.1.2.2).
        params.serial_number = Some(SerialNumber::from_slice(uuid::Uuid::new_v4().as_bytes()));
        params.use_authority_key_identifier_extension = true;
        params.not_before = subject.from;
        params.not_after = subject.until;
        let certificate = params.signed_by(&SubjectKey::new(subject.key)?, &issuer).map_err(failed)?;
        Ok(certificate.der().to_vec())
    }
}

fn failed(fault: impl std::error::Error + Send + Sync + 'static) -> CertifierError {
    CertifierError(Box::new(fault))
}

/// A card's public key as a certificate names it.
struct SubjectKey {
    bits: Vec<u8>,
    algorithm: &'static SignatureAlgorithm,
}

impl SubjectKey {
    fn new(key: &CardPublicKey) -> Result<Self, CertifierError> {
        let info = SubjectPublicKeyInfoRef::from_der(key.as_der()).map_err(failed)?;
        let algorithm = match key.algorithm() {
            KeyAlgorithm::P256 => &PKCS_ECDSA_P256_SHA256,
            KeyAlgorithm::P384 => &PKCS_ECDSA_P384_SHA384,
            KeyAlgorithm::Rsa2048 => &PKCS_RSA_SHA256,
        };
        Ok(Self { bits: info.subject_public_key.raw_bytes().to_vec(), algorithm })
    }
}

impl PublicKeyData for SubjectKey {
    fn der_bytes(&self) -> &[u8] {
        &self.bits
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use card_protocol::Guid;
    use p256::pkcs8::EncodePublicKey;
    use time::macros::datetime;

    use super::*;

    const NOW: Timestamp = datetime!(2026-11-24 12:00 UTC);

    fn key() -> CardPublicKey {
        let key = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
        CardPublicKey::from_der(key.verifying_key().to_public_key_der().unwrap().as_bytes()).unwrap()
    }

    fn certificate(authority: &Authority, slot: Slot, name: &str) -> Vec<u8> {
        let key = key();
        let subject = CertificateSubject {
            name,
            guid: Guid([0x0A; 16]),
            slot,
            key: &key,
            from: NOW,
            until: NOW + Duration::days(365),
        };
        X509Certifier.certify(authority, &subject).unwrap()
    }

    #[test]
    fn a_certificate_holds_the_key_of_the_card() {
        let authority = X509Certifier.found(NOW).unwrap();
        for slot in [Slot::Authentication, Slot::CardAuthentication] {
            let certificate = certificate(&authority, slot, "Jane Smith");
            assert_eq!(CardPublicKey::from_certificate_or_key(&certificate).unwrap(), key());
        }
    }

    #[test]
    fn another_program_finds_it_to_be_the_authoritys() {
        let folder = tempfile::tempdir().unwrap();
        let authority = X509Certifier.found(NOW).unwrap();
        let authority_file = folder.path().join("authority.pem");
        std::fs::write(&authority_file, pem::encode(&pem::Pem::new("CERTIFICATE", authority.certificate.clone())))
            .unwrap();
        for (slot, subject) in [
            (Slot::Authentication, "Zoë O'Neill, \u{4f60}\u{597d}"),
            (Slot::CardAuthentication, "0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a"),
        ] {
            let file = folder.path().join("card.pem");
            let der = certificate(&authority, slot, "Zoë O'Neill, \u{4f60}\u{597d}");
            std::fs::write(&file, pem::encode(&pem::Pem::new("CERTIFICATE", der))).unwrap();
            let verified = Command::new("openssl")
                .args(["verify", "-x509_strict", "-no_check_time", "-CAfile"])
                .args([&authority_file, &file])
                .output()
                .unwrap();
            assert!(verified.status.success(), "{verified:?}");
            let shown = Command::new("openssl")
                .args(["x509", "-noout", "-subject", "-ext", "subjectAltName,extendedKeyUsage", "-nameopt", "utf8"])
                .arg("-in")
                .arg(&file)
                .output()
                .unwrap();
            let shown = String::from_utf8(shown.stdout).unwrap();
            assert!(shown.contains(subject), "{shown}");
            assert!(shown.contains("URI:urn:uuid:0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a"), "{shown}");
        }
    }
}
