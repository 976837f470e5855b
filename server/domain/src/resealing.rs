//! Sealing the unlock keys anew, after the vault was given another key.

use card_protocol::Guid;

use crate::{
    environment::retry_on_conflict,
    ports::{Store, StoreError, Vault, VaultError},
    token::KeyId,
    unlock_key::StoredUnlockKey,
};

/// How far the sealing of all unlock keys under the vault's current key has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resealing {
    /// How many keys were looked at.
    pub looked_at: u64,
    /// How many of them were sealed anew.
    pub resealed: u64,
    last: Option<KeyId>,
}

/// How many keys are sealed anew in one transaction: few, so that no unlock waits for it.
const RESEALED_AT_ONCE: u64 = 100;

impl Resealing {
    /// Goes on with the next few keys; gives nothing when all are done. May be begun again at any time: a key that is
    /// sealed under the current key already stays as it is.
    ///
    /// # Errors
    ///
    /// [`ResealError`]; what was done before stays done.
    pub async fn go_on(self, store: &dyn Store, vault: &dyn Vault) -> Result<Option<Self>, ResealError> {
        retry_on_conflict!(self.try_go_on(store, vault))
    }

    async fn try_go_on(mut self, store: &dyn Store, vault: &dyn Vault) -> Result<Option<Self>, ResealError> {
        let mut transaction = store.begin().await?;
        let keys = transaction.unlock_keys_after(self.last, RESEALED_AT_ONCE).await?;
        let Some(last) = keys.last() else {
            return Ok(None);
        };
        self.last = Some(last.id);
        for stored in keys {
            self.looked_at += 1;
            if vault.is_outdated(&stored.sealed) {
                let (id, guid) = (stored.id, stored.guid);
                let key = stored.open(vault).map_err(|source| ResealError::Vault { guid, source })?;
                transaction.save_resealed_unlock_key(&StoredUnlockKey::seal(id, guid, &key, vault)).await?;
                self.resealed += 1;
            }
        }
        transaction.commit().await?;
        Ok(Some(self))
    }
}

/// Why unlock keys were not sealed anew.
#[derive(Debug, thiserror::Error)]
pub enum ResealError {
    /// One does not open.
    #[error("an unlock key of the card {guid} does not open: {source}. Put its vault key back among the keys")]
    Vault {
        /// The card.
        guid: Guid,
        /// Why.
        source: VaultError,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ResealError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(StoreError::Conflict))
    }
}
