//! The table `unlock_keys`: every unlock key that a card has had or was to get, encrypted by the vault. Rows are added
//! and read; the only change is that one is sealed under another vault key. They go with their person only.

use domain::{ports::VaultCiphertext, token::KeyId, unlock_key::StoredUnlockKey};
use sea_orm::entity::prelude::*;

use crate::value;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "unlock_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub card: Uuid,
    pub sealed: Vec<u8>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&StoredUnlockKey> for Model {
    fn from(key: &StoredUnlockKey) -> Self {
        Self { id: key.id.0, card: value::uuid(&key.guid), sealed: key.sealed.0.clone() }
    }
}

impl From<Model> for StoredUnlockKey {
    fn from(row: Model) -> Self {
        Self { id: KeyId(row.id), guid: value::read_guid(row.card), sealed: VaultCiphertext(row.sealed) }
    }
}
