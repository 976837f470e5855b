//! The demonstration's certification authority: made for one box of cards, its key forgotten afterwards.

use piv::{Algorithm, PublicKey, Slot};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256, PublicKeyData, SanType,
    SignatureAlgorithm, string::Ia5String,
};
use time::{Duration, OffsetDateTime};

use crate::issuance::CertifyError;

/// id-PIV-cardAuth (FIPS 201-3, appendix B): the key stands for the card and not for its holder.
const CARD_AUTHENTICATION: [u64; 8] = [2, 16, 840, 1, 101, 3, 6, 8];

/// How long the cards are good for.
pub const LIFETIME: Duration = Duration::days(5 * 365);

/// Who a card is for.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The cardholder's name.
    pub name: &'a str,
    /// The card's GUID in its usual form, as a UUID.
    pub uuid: &'a str,
}

/// Signs the cards' certificates.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    now: OffsetDateTime,
}

impl Authority {
    /// Makes an authority with a fresh key.
    ///
    /// # Errors
    ///
    /// When the machine has no randomness to give.
    pub fn new(now: OffsetDateTime) -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Demonstration cards (not for real use)");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.not_before = now;
        params.not_after = now + LIFETIME;
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Self { issuer, now })
    }

    /// Its own certificate, PEM.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Makes the certificate of a card's key, DER.
    ///
    /// # Errors
    ///
    /// When a name can't stand in a certificate.
    pub fn certify(&self, slot: Slot, key: &SlotKey, subject: Subject) -> Result<Vec<u8>, CertifyError> {
        let mut params = CertificateParams::default();
        let name = match slot {
            Slot::PivAuthentication => subject.name,
            Slot::CardAuthentication => subject.uuid,
        };
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = match slot {
            Slot::PivAuthentication => vec![ExtendedKeyUsagePurpose::ClientAuth],
            Slot::CardAuthentication => vec![ExtendedKeyUsagePurpose::Other(CARD_AUTHENTICATION.to_vec())],
        };
        let uri = Ia5String::try_from(format!("urn:uuid:{}", subject.uuid)).map_err(|_| CertifyError)?;
        params.subject_alt_names = vec![SanType::URI(uri)];
        params.not_before = self.now;
        params.not_after = self.now + LIFETIME;
        let certificate = params.signed_by(key, &self.issuer).map_err(|_| CertifyError)?;
        Ok(certificate.der().to_vec())
    }
}

/// A card's public key as a certificate names it.
pub struct SlotKey {
    bytes: Vec<u8>,
    algorithm: &'static SignatureAlgorithm,
}

impl SlotKey {
    /// Takes what the card answered when it made the key.
    pub fn new(algorithm: Algorithm, key: &PublicKey) -> Self {
        let algorithm = match algorithm {
            Algorithm::P256 => &PKCS_ECDSA_P256_SHA256,
            Algorithm::P384 => &PKCS_ECDSA_P384_SHA384,
            Algorithm::Rsa2048 => &PKCS_RSA_SHA256,
        };
        Self { bytes: key.to_bits(), algorithm }
    }
}

impl PublicKeyData for SlotKey {
    fn der_bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}
