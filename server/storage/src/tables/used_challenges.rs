//! The table `used_challenges`.

use async_trait::async_trait;
use card_protocol::Challenge;
use domain::{
    ports::{StoreError, UsedChallenge, UsedChallenges},
    token::FlowId,
};
use sea_orm::entity::prelude::*;

use crate::{SqlTransaction, value};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "used_challenges")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub challenge: Vec<u8>,
    pub flow: Option<Uuid>,
    #[sea_orm(column_type = "Text")]
    pub outcome: String,
    pub used_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&UsedChallenge> for Model {
    fn from(used: &UsedChallenge) -> Self {
        Self {
            challenge: used.challenge.0.to_vec(),
            flow: used.flow.map(|flow| flow.0),
            outcome: used.outcome.clone(),
            used_at: value::milliseconds(used.at),
        }
    }
}

impl TryFrom<Model> for UsedChallenge {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            challenge: Challenge(value::read_bytes(row.challenge, "used_challenges.challenge")?),
            flow: row.flow.map(FlowId),
            outcome: row.outcome,
            at: value::read_time(row.used_at, "used_challenges.used_at")?,
        })
    }
}

#[async_trait]
impl UsedChallenges for SqlTransaction {
    async fn used_challenge(&mut self, challenge: &Challenge) -> Result<Option<UsedChallenge>, StoreError> {
        self.find(Entity::find_by_id(challenge.0.to_vec())).await?.map(UsedChallenge::try_from).transpose()
    }

    async fn insert_used_challenge(&mut self, used: &UsedChallenge) -> Result<(), StoreError> {
        self.insert(Model::from(used)).await
    }
}
