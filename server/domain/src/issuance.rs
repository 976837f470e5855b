//! Issuing a card: a blank one becomes somebody's.
//!
//! ```text
//! Fresh --order--> Begun --prepared proof, keys--> Prepared --card proof--> Issued
//!                    ^______ order, after a cut ______|
//! ```
//!
//! Where another authority makes the certificates, a card stays prepared until they are there, which may be days later and at
//! another desk: its requests wait with it.
//!
//! The card's secrets are durable before they leave, and named by the GUID that the card is given first: a card that was
//! pulled on its way says by itself whose secrets it may have. Until it has proved its last key it is nobody's card. The use
//! cases stand with the desk of the RA.

pub use card_protocol::issuing::CardManagementKey;
use card_protocol::{Challenge, ConnectionKey, Guid, UnlockKey, message::CertificateRequests, proof::KeyAlgorithm};
use serde::{Deserialize, Serialize};
use time::{Duration, format_description::BorrowedFormatItem, macros::format_description};
use zeroize::Zeroizing;

use crate::{
    Timestamp,
    card::{Card, CardPublicKey, CardState},
    person::UserNumber,
    ports::{Randomness, Vault, VaultCiphertext, VaultError},
    trail::ByOfficer,
};

/// The management key with which cards leave the factory (Yubico SDK manual, PIV application, «Management key»).
const FACTORY_MANAGEMENT_KEY: [u8; 24] =
    *b"\x01\x02\x03\x04\x05\x06\x07\x08\x01\x02\x03\x04\x05\x06\x07\x08\x01\x02\x03\x04\x05\x06\x07\x08";
/// The unlock key with which they do.
const FACTORY_UNLOCK_KEY: [u8; 8] = *b"12345678";

/// How an organisation issues cards.
#[derive(Clone)]
pub struct IssuingTerms {
    /// The management key with which blank cards come.
    pub transport_management_key: CardManagementKey,
    /// The unlock key with which they come.
    pub transport_unlock_key: UnlockKey,
    /// The kind of their keys.
    pub algorithm: KeyAlgorithm,
    /// How long a card is good for.
    pub card_life: Duration,
    /// Where their certificates come from.
    pub certificates: CertificateSource,
}

/// Where the certificates of cards come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateSource {
    /// The service's own authority.
    Own,
    /// Another authority, which is asked for them.
    Requested,
}

/// Cards straight from the factory, P-256, five years, certificates of our own.
impl Default for IssuingTerms {
    fn default() -> Self {
        Self {
            transport_management_key: CardManagementKey::new(&FACTORY_MANAGEMENT_KEY).expect("it has 24 bytes"),
            transport_unlock_key: UnlockKey::new(FACTORY_UNLOCK_KEY),
            algorithm: KeyAlgorithm::P256,
            card_life: Duration::days(5 * 365),
            certificates: CertificateSource::Own,
        }
    }
}

/// A card on its way from blank to somebody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuance {
    /// The GUID that the card is given.
    pub guid: Guid,
    /// Whose it will be.
    pub person: UserNumber,
    /// Who issues it, why, and how they recognised the person.
    pub by: ByOfficer,
    /// The card in whose place it comes, if in any's.
    pub replaces: Option<Guid>,
    /// The unlock key that the card gets, sealed by the vault.
    pub unlock_key: VaultCiphertext,
    /// The management key that it gets, likewise. It is kept: with it the card can be written again.
    pub management_key: VaultCiphertext,
    /// How often its secrets were sent.
    pub attempts: u32,
    /// How far it is.
    pub step: IssuanceStep,
    /// When it began.
    pub began_at: Timestamp,
    /// The version that was read.
    pub version: u32,
}

/// How far an issuance is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum IssuanceStep {
    /// It has secrets, and they were not sent.
    Fresh,
    /// They were sent.
    Begun(Begun),
    /// The card has its secrets and keys, and waits for its certificates.
    Prepared(Prepared),
    /// It is a card like any other.
    Issued,
}

/// The secrets were sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// What the card signs when it has them.
    pub completion: Challenge,
    /// The connection that they were sealed to.
    pub connection_key: ConnectionKey,
}

/// The card has keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    /// What the card has signed, so that the same proof again is answered alike.
    pub completion: Challenge,
    /// The key of slot 9A, DER.
    pub authentication_key: Vec<u8>,
    /// The key of slot 9E, DER.
    pub card_authentication_key: Vec<u8>,
    /// What it asks another authority for.
    #[serde(default)]
    pub requests: Option<CertificateRequests>,
}

impl Issuance {
    /// One with fresh secrets, that were not sent yet.
    pub(crate) fn fresh(
        person: UserNumber,
        by: ByOfficer,
        now: Timestamp,
        randomness: &dyn Randomness,
        vault: &dyn Vault,
    ) -> Self {
        let guid = fresh_guid(randomness);
        let (mut unlock_key, mut management_key) = (Zeroizing::new([0; 8]), Zeroizing::new([0; 32]));
        randomness.fill(&mut *unlock_key);
        randomness.fill(&mut *management_key);
        Self {
            guid,
            person,
            by,
            replaces: None,
            unlock_key: vault.seal(&*unlock_key, &unlock_context(&guid)),
            management_key: vault.seal(&*management_key, &management_context(&guid)),
            attempts: 0,
            step: IssuanceStep::Fresh,
            began_at: now,
            version: 0,
        }
    }

    /// How a card is prepared that waits for the certificates of another authority, and its requests for them.
    pub fn waits(&self) -> Option<(&Prepared, &CertificateRequests)> {
        match &self.step {
            IssuanceStep::Prepared(prepared) => Some((prepared, prepared.requests.as_ref()?)),
            IssuanceStep::Fresh | IssuanceStep::Begun(_) | IssuanceStep::Issued => None,
        }
    }

    /// Opens the unlock key.
    ///
    /// # Errors
    ///
    /// [`VaultError`].
    pub fn open_unlock_key(&self, vault: &dyn Vault) -> Result<UnlockKey, VaultError> {
        let bytes = vault.open(&self.unlock_key, &unlock_context(&self.guid))?;
        Ok(UnlockKey::new(bytes.as_slice().try_into().map_err(|_| VaultError::NotAuthentic)?))
    }

    /// Opens the management key.
    ///
    /// # Errors
    ///
    /// [`VaultError`].
    pub fn open_management_key(&self, vault: &dyn Vault) -> Result<CardManagementKey, VaultError> {
        let bytes = vault.open(&self.management_key, &management_context(&self.guid))?;
        CardManagementKey::new(&bytes).ok_or(VaultError::NotAuthentic)
    }

    /// Seals both anew, under the vault's current key; nothing where they are.
    ///
    /// # Errors
    ///
    /// [`VaultError`].
    pub fn reseal(&self, vault: &dyn Vault) -> Result<Option<Self>, VaultError> {
        if !vault.is_outdated(&self.unlock_key) && !vault.is_outdated(&self.management_key) {
            return Ok(None);
        }
        let (unlock_key, management_key) = (self.open_unlock_key(vault)?, self.open_management_key(vault)?);
        Ok(Some(Self {
            unlock_key: vault.seal(unlock_key.expose_secret(), &unlock_context(&self.guid)),
            management_key: vault.seal(management_key.expose_secret(), &management_context(&self.guid)),
            ..self.clone()
        }))
    }
}

impl Prepared {
    /// The card that it becomes; nothing where a key cannot be read.
    pub fn card(&self, guid: Guid, holder: UserNumber) -> Option<Card> {
        Some(Card {
            guid,
            holder,
            authentication_key: CardPublicKey::from_der(&self.authentication_key).ok()?,
            card_authentication_key: CardPublicKey::from_der(&self.card_authentication_key).ok()?,
            state: CardState::Active,
            version: 0,
        })
    }
}

/// A random GUID in the form of a UUID of version 4 (RFC 9562, 5.4), as SP 800-73-4 part 1, 3.4.1, wants it.
fn fresh_guid(randomness: &dyn Randomness) -> Guid {
    let mut bytes = [0; 16];
    randomness.fill(&mut bytes);
    Guid(*uuid::Builder::from_random_bytes(bytes).as_uuid().as_bytes())
}

/// A day as the card carries it: `YYYYMMDD` in ASCII.
pub(crate) fn day(time: Timestamp) -> [u8; 8] {
    const FORMAT: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]");
    let text = time.date().format(FORMAT).unwrap_or_default();
    text.as_bytes().try_into().unwrap_or(*b"99991231")
}

fn unlock_context(guid: &Guid) -> Vec<u8> {
    [b"issued-unlock-key", &guid.0[..]].concat()
}

fn management_context(guid: &Guid) -> Vec<u8> {
    [b"management-key", &guid.0[..]].concat()
}
