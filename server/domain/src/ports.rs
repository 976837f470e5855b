//! What the domain asks of the world: stores, clock, randomness, vault and hasher. Each has one implementation in the
//! server and one for tests.

mod store;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use store::{
    BulkEnrolment, Cards, CodeMails, DailyCounts, Dispatch, ErasedRows, Erasing, Forgetting, HandledForms, ImportRuns,
    Issuances, KeyRings, NewlyEnrolled, Outbox, People, RegistrationFlows, Registrations, Sessions, Store, StoreError,
    TrailRecords, Transaction, UnlockFlows, UsedChallenge, UsedChallenges,
};

use crate::{Timestamp, person::UserNumber};

/// The time.
pub trait Clock: Send + Sync + 'static {
    /// Now, in whole milliseconds.
    fn now(&self) -> Timestamp;
}

/// The days, in the time zone in which people are told times.
pub trait Calendar: Send + Sync + 'static {
    /// The day of a point in time.
    fn date(&self, at: Timestamp) -> time::Date;

    /// When a day begins.
    fn beginning(&self, date: time::Date) -> Timestamp;
}

/// A cryptographically secure source of randomness.
pub trait Randomness: Send + Sync + 'static {
    /// Fills the bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// Encrypts what is to be stored, under keys that are not in the database.
pub trait Vault: Send + Sync + 'static {
    /// Encrypts and authenticates; `context` is what the ciphertext belongs to, and is authenticated too.
    fn seal(&self, plaintext: &[u8], context: &[u8]) -> VaultCiphertext;

    /// Decrypts.
    ///
    /// # Errors
    ///
    /// [`VaultError`] when its key is not held or anything was changed.
    fn open(&self, sealed: &VaultCiphertext, context: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError>;

    /// Whether it was sealed under a former key.
    fn is_outdated(&self, sealed: &VaultCiphertext) -> bool;
}

/// What the vault makes: the id of its key, the nonce, the ciphertext and the tag, in the vault's own format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultCiphertext(pub Vec<u8>);

/// Something does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The key under which it was sealed is not among those configured.
    #[error("the vault key is not configured")]
    UnknownKey,
    /// It was changed, or belongs to something else.
    #[error("the ciphertext is not authentic")]
    NotAuthentic,
}

/// Hashes answers and codes: Argon2id with salt and pepper. It has a queue, as a hash is dear.
#[async_trait]
pub trait AnswerHasher: Send + Sync + 'static {
    /// Enters the queue once for all that a use case hashes about a person: whoever was let in is not turned away half-way.
    /// One use case of a person is in it at a time, however many requests are sent; the others wait outside.
    ///
    /// # Errors
    ///
    /// [`HasherError::Busy`] when it is full, or too many wait of this person.
    async fn enter(&self, person: &UserNumber) -> Result<Box<dyn Hashing>, HasherError>;

    /// Whether those who are in the queue wait so long that nobody else had better begin what will need it.
    fn is_crowded(&self) -> bool;

    /// Whether a hash was made with another pepper or other numbers than are in use now.
    fn is_outdated(&self, hash: &SecretHash) -> bool;
}

/// A use case in the queue of the hasher; it leaves when this is dropped.
#[async_trait]
pub trait Hashing: Send + Sync {
    /// Whether it has waited outside for another use case of the same person.
    fn has_waited(&self) -> bool;

    /// Hashes with a fresh salt.
    ///
    /// # Errors
    ///
    /// [`HasherError`] when it cannot.
    async fn hash(&self, secret: &str) -> Result<SecretHash, HasherError>;

    /// Compares in constant time.
    ///
    /// # Errors
    ///
    /// [`HasherError`] when it cannot.
    async fn matches(&self, hash: &SecretHash, secret: &str) -> Result<bool, HasherError>;
}

/// A salted, peppered hash in the PHC string format, the pepper's id in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretHash(pub String);

/// The hasher cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HasherError {
    /// Too many are waiting already.
    #[error("the hasher is overloaded")]
    Busy,
    /// The hash was made with a pepper that is not configured, or is none.
    #[error("the hash cannot be read")]
    Unreadable,
}
