//! Sealing what the vault keeps for good anew, after it was given another key: unlock keys, the keys of cards that are issued
//! here, and the key of their certification authority.

use card_protocol::Guid;

use crate::{
    authority::StoredAuthority,
    environment::retry_on_conflict,
    ports::{Store, StoreError, Transaction, Vault, VaultError},
    token::KeyId,
    unlock_key::StoredUnlockKey,
};

/// How far the sealing of all keys under the vault's current key has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resealing {
    /// How many keys were looked at.
    pub looked_at: u64,
    /// How many of them were sealed anew.
    pub resealed: u64,
    stage: Stage,
}

/// What is looked at, and after which one of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    UnlockKeys(Option<KeyId>),
    Issuances(Option<Guid>),
    Authority,
    Done,
}

impl Default for Stage {
    fn default() -> Self {
        Self::UnlockKeys(None)
    }
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
        self.stage = match self.stage {
            Stage::UnlockKeys(after) => self.unlock_keys(&mut *transaction, vault, after).await?,
            Stage::Issuances(after) => self.issuances(&mut *transaction, vault, after).await?,
            Stage::Authority => self.authority(&mut *transaction, vault).await?,
            Stage::Done => return Ok(None),
        };
        transaction.commit().await?;
        Ok(Some(self))
    }

    async fn unlock_keys(
        &mut self,
        transaction: &mut dyn Transaction,
        vault: &dyn Vault,
        after: Option<KeyId>,
    ) -> Result<Stage, ResealError> {
        let keys = transaction.unlock_keys_after(after, RESEALED_AT_ONCE).await?;
        let Some(last) = keys.last().map(|key| key.id) else { return Ok(Stage::Issuances(None)) };
        for stored in keys {
            self.looked_at += 1;
            if vault.is_outdated(&stored.sealed) {
                let (id, guid) = (stored.id, stored.guid);
                let key = stored.open(vault).map_err(|source| ResealError::Vault { guid, source })?;
                transaction.save_resealed_unlock_key(&StoredUnlockKey::seal(id, guid, &key, vault)).await?;
                self.resealed += 1;
            }
        }
        Ok(Stage::UnlockKeys(Some(last)))
    }

    async fn issuances(
        &mut self,
        transaction: &mut dyn Transaction,
        vault: &dyn Vault,
        after: Option<Guid>,
    ) -> Result<Stage, ResealError> {
        let issuances = transaction.issuances_after(after, RESEALED_AT_ONCE).await?;
        let Some(last) = issuances.last().map(|issuance| issuance.guid) else { return Ok(Stage::Authority) };
        for issuance in issuances {
            self.looked_at += 1;
            let guid = issuance.guid;
            if let Some(anew) = issuance.reseal(vault).map_err(|source| ResealError::Vault { guid, source })? {
                transaction.save_issuance(&anew).await?;
                self.resealed += 1;
            }
        }
        Ok(Stage::Issuances(Some(last)))
    }

    async fn authority(&mut self, transaction: &mut dyn Transaction, vault: &dyn Vault) -> Result<Stage, ResealError> {
        if let Some(stored) = transaction.certificate_authority().await? {
            self.looked_at += 1;
            if vault.is_outdated(&stored.key) {
                let authority = stored.open(vault).map_err(ResealError::Authority)?;
                transaction.save_resealed_authority(&StoredAuthority::seal(&authority, vault)).await?;
                self.resealed += 1;
            }
        }
        Ok(Stage::Done)
    }
}

/// Why keys were not sealed anew.
#[derive(Debug, thiserror::Error)]
pub enum ResealError {
    /// One of a card does not open.
    #[error("a key of the card {guid} does not open: {source}. Put its vault key back among the keys")]
    Vault {
        /// The card.
        guid: Guid,
        /// Why.
        source: VaultError,
    },
    /// That of the certification authority does not open.
    #[error("the key of the certification authority does not open: {0}. Put its vault key back among the keys")]
    Authority(#[source] VaultError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ResealError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(StoreError::Conflict))
    }
}
