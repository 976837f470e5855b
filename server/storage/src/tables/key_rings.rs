//! The table `key_rings`: which of the unlock keys a card has. The keys stand in `unlock_keys`.

use async_trait::async_trait;
use card_protocol::Guid;
use domain::{
    ports::{KeyRings, StoreError},
    token::KeyId,
    unlock_key::{KeyRing, KeyRingState, Offered, StoredUnlockKey},
};
use sea_orm::{ExprTrait, QueryOrder, QuerySelect, entity::prelude::*};

use super::unlock_keys;
use crate::{
    SqlTransaction,
    error::{UnknownValue, unreadable},
    value,
};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "key_rings")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub card: Uuid,
    pub current: Uuid,
    /// Together with `offered`, while a release has no outcome.
    pub pending: Option<Uuid>,
    pub offered: Option<String>,
    pub version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&KeyRing> for Model {
    fn from(ring: &KeyRing) -> Self {
        let (current, pending, offered) = match ring.state {
            KeyRingState::Settled { current } => (current, None, None),
            KeyRingState::Unresolved { current, pending, offered } => (current, Some(pending), Some(offered)),
        };
        Self {
            card: value::uuid(&ring.guid),
            current: current.0,
            pending: pending.map(|pending| pending.0),
            offered: offered.map(|offered| offered_name(offered).to_owned()),
            version: ring.version.into(),
        }
    }
}

impl TryFrom<Model> for KeyRing {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        let current = KeyId(row.current);
        let state = match (row.pending, row.offered.as_deref()) {
            (None, None) => KeyRingState::Settled { current },
            (Some(pending), Some(offered)) => {
                KeyRingState::Unresolved { current, pending: KeyId(pending), offered: read_offered(offered)? }
            }
            (None, Some(_)) | (Some(_), None) => return Err(unreadable("key_rings.pending")(UnknownValue)),
        };
        Ok(Self {
            guid: value::read_guid(row.card),
            state,
            version: value::read_version(row.version, "key_rings.version")?,
        })
    }
}

fn offered_name(offered: Offered) -> &'static str {
    match offered {
        Offered::Current => "current",
        Offered::Pending => "pending",
    }
}

fn read_offered(name: &str) -> Result<Offered, StoreError> {
    [Offered::Current, Offered::Pending]
        .into_iter()
        .find(|offered| offered_name(*offered) == name)
        .ok_or_else(|| unreadable("key_rings.offered")(UnknownValue))
}

#[async_trait]
impl KeyRings for SqlTransaction {
    async fn key_ring(&mut self, guid: &Guid) -> Result<Option<KeyRing>, StoreError> {
        self.find(Entity::find_by_id(value::uuid(guid))).await?.map(KeyRing::try_from).transpose()
    }

    async fn insert_key_ring(&mut self, ring: &KeyRing) -> Result<(), StoreError> {
        self.insert(Model::from(ring)).await
    }

    async fn save_key_ring(&mut self, ring: &KeyRing) -> Result<(), StoreError> {
        let row = Model::from(ring);
        self.save(
            Entity::update_many()
                .col_expr(Column::Current, row.current.into())
                .col_expr(Column::Pending, row.pending.into())
                .col_expr(Column::Offered, row.offered.into())
                .col_expr(Column::Version, Expr::col(Column::Version).add(1))
                .filter(Column::Card.eq(row.card))
                .filter(Column::Version.eq(row.version)),
        )
        .await
    }

    async fn unlock_key(&mut self, id: KeyId) -> Result<Option<StoredUnlockKey>, StoreError> {
        Ok(self.find(unlock_keys::Entity::find_by_id(id.0)).await?.map(StoredUnlockKey::from))
    }

    async fn insert_unlock_key(&mut self, key: &StoredUnlockKey) -> Result<(), StoreError> {
        self.insert(unlock_keys::Model::from(key)).await
    }

    async fn unlock_keys_after(
        &mut self,
        after: Option<KeyId>,
        limit: u64,
    ) -> Result<Vec<StoredUnlockKey>, StoreError> {
        let mut keys = unlock_keys::Entity::find().order_by_asc(unlock_keys::Column::Id).limit(limit);
        if let Some(after) = after {
            keys = keys.filter(unlock_keys::Column::Id.gt(after.0));
        }
        Ok(self.list(keys).await?.into_iter().map(StoredUnlockKey::from).collect())
    }

    async fn save_resealed_unlock_key(&mut self, key: &StoredUnlockKey) -> Result<(), StoreError> {
        let row = unlock_keys::Model::from(key);
        self.save(
            unlock_keys::Entity::update_many()
                .col_expr(unlock_keys::Column::Sealed, row.sealed.into())
                .filter(unlock_keys::Column::Id.eq(row.id)),
        )
        .await
    }
}
