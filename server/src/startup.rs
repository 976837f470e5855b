//! What is checked before anybody is served: that the secrets are those of this database.

use card_protocol::Guid;
use domain::{
    ports::{Store, StoreError, Vault, VaultError},
    trail::{BrokenChain, ChainEnd, TrailKey},
    unlock_key::KeyRingState,
};

/// How many of the first records are looked at.
const FIRST_RECORDS: u64 = 64;

/// The secrets are not those of this database. To go on would make the next unlock keys unreadable for the others.
#[derive(Debug, thiserror::Error)]
pub enum StartupError {
    /// An unlock key of the database does not open.
    #[error(
        "the vault key is not the one of this database: the unlock key of the card {guid} does not open. Put the \
         former vault key back among secrets.vault_key_files"
    )]
    VaultKey {
        /// The card.
        guid: Guid,
        /// Why.
        #[source]
        source: VaultError,
    },
    /// The audit trail was not made with this key.
    #[error("the trail key is not the one of this database, or its audit trail was changed")]
    TrailKey(#[source] BrokenChain),
    /// The database does not answer.
    #[error("the database cannot be read")]
    Store(#[from] StoreError),
    /// There is no room for temporary files.
    #[error("no temporary folder can be made (TMPDIR)")]
    Site(#[source] std::io::Error),
}

/// Checks that the secrets are those of this database: the first records of the trail fit the trail key, and the
/// unlock key of a card opens.
///
/// # Errors
///
/// [`StartupError`].
pub async fn check_secrets(store: &dyn Store, vault: &dyn Vault, trail_key: &TrailKey) -> Result<(), StartupError> {
    let mut transaction = store.begin().await?;
    let records = transaction.trail_from(1, FIRST_RECORDS).await?;
    trail_key.follow(ChainEnd::START, &records).map_err(StartupError::TrailKey)?;
    // Any key shows which card to look at; what must open is the one that this card has now.
    let Some(any) = transaction.unlock_keys_after(None, 1).await?.pop() else { return Ok(()) };
    let guid = any.guid;
    let Some(ring) = transaction.key_ring(&guid).await? else { return Ok(()) };
    let (KeyRingState::Settled { current } | KeyRingState::Unresolved { current, .. }) = ring.state;
    let Some(key) = transaction.unlock_key(current).await? else { return Ok(()) };
    key.open(vault).map(drop).map_err(|source| StartupError::VaultKey { guid, source })
}
