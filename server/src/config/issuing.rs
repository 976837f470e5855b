//! Section `issuing`: the cards that are issued here.

use domain::{card::KeyAlgorithm, issuance::CertificateSource};
use serde::Deserialize;
use time::Duration;

use super::FieldError;

/// What kind of cards, and for how long. The keys with which blank ones come are among the secrets.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IssuingSection {
    /// The kind of their keys: P-256, P-384 or RSA-2048.
    pub keys: CardKeys,
    /// How many years they are good for: 1 to 10.
    pub card_years: u8,
    /// Where their certificates come from.
    pub certificates: Certificates,
}

/// Where the certificates of cards come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Certificates {
    /// The service's own authority.
    Own,
    /// Another authority: each card makes requests for it.
    Requested,
}

/// The kind of a card's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum CardKeys {
    /// ECDSA on P-256.
    #[serde(rename = "P-256")]
    P256,
    /// ECDSA on P-384.
    #[serde(rename = "P-384")]
    P384,
    /// RSA of 2048 bits.
    #[serde(rename = "RSA-2048")]
    Rsa2048,
}

impl Default for IssuingSection {
    fn default() -> Self {
        Self { keys: CardKeys::P256, card_years: 5, certificates: Certificates::Own }
    }
}

impl IssuingSection {
    pub(super) fn validate(&self) -> Result<(), FieldError> {
        if (1..=10).contains(&self.card_years) {
            Ok(())
        } else {
            Err(FieldError::new("issuing.card_years", "is a number from 1 to 10"))
        }
    }

    /// The kind of the cards' keys.
    pub fn algorithm(&self) -> KeyAlgorithm {
        match self.keys {
            CardKeys::P256 => KeyAlgorithm::P256,
            CardKeys::P384 => KeyAlgorithm::P384,
            CardKeys::Rsa2048 => KeyAlgorithm::Rsa2048,
        }
    }

    /// Where the cards' certificates come from.
    pub fn certificate_source(&self) -> CertificateSource {
        match self.certificates {
            Certificates::Own => CertificateSource::Own,
            Certificates::Requested => CertificateSource::Requested,
        }
    }

    /// How long a card is good for.
    pub fn card_life(&self) -> Duration {
        Duration::days(i64::from(self.card_years) * 365)
    }
}
