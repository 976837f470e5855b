//! Freezing self-service: what somebody does who is told of something that they did not do.
//!
//! Each mail that tells of something holds a link, and the link says whose self-service it freezes. Nothing is stored of
//! it: it is sealed by the vault. To open the link changes nothing, as mail servers open links too; to confirm does.

use std::sync::Arc;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};
use time::Duration;

use crate::{
    Environment, Timestamp,
    environment::retry_on_conflict,
    mail::Message,
    person::UserNumber,
    ports::{StoreError, Vault, VaultCiphertext},
    registration::{Registration, Standing},
    trail::Event,
    unlock::{EndReason, UnlockStep, end_unlocks},
};

/// How long the link of a mail works. Whoever reads an old mail has the RA.
pub const LINK_LIFE: Duration = Duration::days(30);

/// What the vault authenticates beside the sealed text: nothing else that it seals opens as a link.
const CONTEXT: &[u8] = b"freeze link";

/// What the link of a mail holds: whose it is and when it was made, sealed and in Base64 for addresses.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FreezeToken(String);

impl FreezeToken {
    /// Makes the token of a mail.
    pub(crate) fn seal(person: &UserNumber, at: Timestamp, vault: &dyn Vault) -> Self {
        let plaintext = [&at.unix_timestamp().to_be_bytes()[..], person.as_str().as_bytes()].concat();
        Self(Base64UrlUnpadded::encode_string(&vault.seal(&plaintext, CONTEXT).0))
    }

    /// Takes the text of an address.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// As it stands in an address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whose it is, while it works.
    fn open(&self, vault: &dyn Vault, now: Timestamp) -> Option<UserNumber> {
        let sealed = VaultCiphertext(Base64UrlUnpadded::decode_vec(&self.0).ok()?);
        let plaintext = vault.open(&sealed, CONTEXT).ok()?;
        let (at, person) = plaintext.split_first_chunk()?;
        let at = Timestamp::from_unix_timestamp(i64::from_be_bytes(*at)).ok()?;
        let person = UserNumber::parse(std::str::from_utf8(person).ok()?).ok()?;
        (now - at < LINK_LIFE).then_some(person)
    }
}

/// The use cases of freezing.
#[derive(Clone)]
pub struct Freezing {
    environment: Arc<Environment>,
}

/// What a link can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freezable {
    /// Self-service can be frozen.
    Yes,
    /// It is frozen already.
    Frozen {
        /// Since when.
        since: Timestamp,
    },
    /// Its person is not registered: there is nothing to freeze.
    NotRegistered,
}

/// Why a link does nothing.
#[derive(Debug, thiserror::Error)]
pub enum FreezingError {
    /// It is not ours, or too old.
    #[error("the link is not ours or too old")]
    NoLink,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FreezingError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(StoreError::Conflict))
    }
}

impl Freezing {
    pub(crate) fn new(environment: Arc<Environment>) -> Self {
        Self { environment }
    }

    /// Says what a link can do. Changes nothing.
    ///
    /// # Errors
    ///
    /// [`FreezingError`].
    pub async fn look(&self, token: &FreezeToken) -> Result<Freezable, FreezingError> {
        let person = self.person(token)?;
        let registration = self.environment.store.begin().await?.registration(&person).await?;
        Ok(freezable(registration.as_ref()))
    }

    /// Freezes self-service: whatever is under way ends, and only the RA can let it begin again. No error where it is
    /// frozen already, or there is nothing to freeze.
    ///
    /// # Errors
    ///
    /// [`FreezingError`].
    pub async fn freeze(&self, token: &FreezeToken) -> Result<(), FreezingError> {
        retry_on_conflict!(self.try_freeze(token))
    }

    async fn try_freeze(&self, token: &FreezeToken) -> Result<(), FreezingError> {
        let number = self.person(token)?;
        let environment = &self.environment;
        let mut transaction = environment.store.begin().await?;
        let Some(person) = transaction.person(&number).await? else { return Ok(()) };
        let registration = transaction.registration(&number).await?;
        let registration = registration.filter(|found| freezable(Some(found)) == Freezable::Yes);
        let Some(registration) = registration else {
            // An officer may have let somebody unlock in front of them, registered or not.
            transaction.delete_sessions(&number, None).await?;
            end_unlocks(&mut *transaction, &number, &UnlockStep::ended(EndReason::Stopped)).await?;
            return Ok(transaction.commit().await?);
        };
        let registration = registration.freeze(environment.now());
        transaction.save_registration(&registration).await?;
        let reference = environment.record_dead_end(&mut *transaction, Event::SelfServiceFrozen, &number, None).await?;
        transaction.delete_sessions(&number, None).await?;
        let ended = UnlockStep::Ended { reason: EndReason::Frozen, reference: Some(reference) };
        end_unlocks(&mut *transaction, &number, &ended).await?;
        environment.tell(&mut *transaction, &person, Some(&registration), &Message::SelfServiceFrozen).await?;
        Ok(transaction.commit().await?)
    }

    fn person(&self, token: &FreezeToken) -> Result<UserNumber, FreezingError> {
        token.open(&*self.environment.vault, self.environment.now()).ok_or(FreezingError::NoLink)
    }
}

fn freezable(registration: Option<&Registration>) -> Freezable {
    match registration.map(|registration| registration.standing) {
        Some(Standing::Open { .. } | Standing::LockedOut { .. }) => Freezable::Yes,
        Some(Standing::Frozen { since }) => Freezable::Frozen { since },
        None => Freezable::NotRegistered,
    }
}
