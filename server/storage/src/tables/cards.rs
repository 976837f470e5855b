//! The table `cards`. The keys of a card stand in `card_keys`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use card_protocol::{Guid, Slot};
use domain::{
    card::{Card, CardPublicKey, CardState},
    person::UserNumber,
    ports::{Cards, StoreError},
};
use sea_orm::{ExprTrait, QueryOrder, entity::prelude::*};

use super::card_keys;
use crate::{
    SqlTransaction,
    error::{UnknownValue, unreadable},
    value,
};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "cards")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub guid: Uuid,
    pub holder: String,
    pub state: String,
    pub version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Card> for Model {
    fn from(card: &Card) -> Self {
        Self {
            guid: value::uuid(&card.guid),
            holder: card.holder.as_str().to_owned(),
            state: state_name(card.state).to_owned(),
            version: card.version.into(),
        }
    }
}

impl Model {
    pub(super) fn read(self, keys: &[card_keys::Model]) -> Result<Card, StoreError> {
        Ok(Card {
            guid: value::read_guid(self.guid),
            holder: value::read_user_number(&self.holder, "cards.holder")?,
            authentication_key: key_in(Slot::Authentication, keys)?,
            card_authentication_key: key_in(Slot::CardAuthentication, keys)?,
            state: read_state(&self.state)?,
            version: value::read_version(self.version, "cards.version")?,
        })
    }
}

fn key_in(slot: Slot, keys: &[card_keys::Model]) -> Result<CardPublicKey, StoreError> {
    keys.iter().find(|key| key.is_in(slot)).ok_or_else(|| unreadable("card_keys.slot")(UnknownValue))?.read()
}

fn state_name(state: CardState) -> &'static str {
    match state {
        CardState::Active => "active",
        CardState::Cancelled => "cancelled",
        CardState::UnlockKeyUnknown => "unlock-key-unknown",
    }
}

fn read_state(name: &str) -> Result<CardState, StoreError> {
    [CardState::Active, CardState::Cancelled, CardState::UnlockKeyUnknown]
        .into_iter()
        .find(|state| state_name(*state) == name)
        .ok_or_else(|| unreadable("cards.state")(UnknownValue))
}

#[async_trait]
impl Cards for SqlTransaction {
    async fn card(&mut self, guid: &Guid) -> Result<Option<Card>, StoreError> {
        let guid = value::uuid(guid);
        let Some(row) = self.find(Entity::find_by_id(guid)).await? else { return Ok(None) };
        let keys = self.list(card_keys::Entity::find().filter(card_keys::Column::Card.eq(guid))).await?;
        row.read(&keys).map(Some)
    }

    async fn card_with_key(&mut self, key: &CardPublicKey) -> Result<Option<Guid>, StoreError> {
        let found = self.find(card_keys::Entity::find_by_id(key.fingerprint().to_vec())).await?;
        Ok(found.map(|found| value::read_guid(found.card)))
    }

    async fn cards_of(&mut self, holder: &UserNumber) -> Result<Vec<Card>, StoreError> {
        let rows =
            self.list(Entity::find().filter(Column::Holder.eq(holder.as_str())).order_by_asc(Column::Guid)).await?;
        let guids = rows.iter().map(|row| row.guid);
        let mut keys: BTreeMap<Uuid, Vec<card_keys::Model>> = BTreeMap::new();
        for key in self.list(card_keys::Entity::find().filter(card_keys::Column::Card.is_in(guids))).await? {
            keys.entry(key.card).or_default().push(key);
        }
        rows.into_iter()
            .map(|row| {
                let keys = keys.remove(&row.guid).unwrap_or_default();
                row.read(&keys)
            })
            .collect()
    }

    async fn guids_of(&mut self, holders: &[UserNumber]) -> Result<Vec<(UserNumber, Guid)>, StoreError> {
        let holders: Vec<&str> = holders.iter().map(UserNumber::as_str).collect();
        let rows = self.list_among::<Entity, _>(Column::Holder, &holders).await?;
        let card = |row: Model| Ok((value::read_user_number(&row.holder, "cards.holder")?, value::read_guid(row.guid)));
        rows.into_iter().map(card).collect()
    }

    async fn insert_card(&mut self, card: &Card) -> Result<(), StoreError> {
        let guid = value::uuid(&card.guid);
        self.insert(Model::from(card)).await?;
        self.insert(card_keys::Model::new(guid, Slot::Authentication, &card.authentication_key)).await?;
        self.insert(card_keys::Model::new(guid, Slot::CardAuthentication, &card.card_authentication_key)).await
    }

    async fn save_card(&mut self, card: &Card) -> Result<(), StoreError> {
        self.save(
            Entity::update_many()
                .col_expr(Column::State, state_name(card.state).into())
                .col_expr(Column::Version, Expr::col(Column::Version).add(1))
                .filter(Column::Guid.eq(value::uuid(&card.guid)))
                .filter(Column::Version.eq(card.version)),
        )
        .await
    }
}
