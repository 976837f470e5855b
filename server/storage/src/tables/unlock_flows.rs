//! The table `unlock_flows`. Of the flows of a card at most one is open: an index holds that, so the older one is to be
//! saved as ended before a new one is added.

use async_trait::async_trait;
use card_protocol::Guid;
use domain::{
    Timestamp,
    ports::{StoreError, UnlockFlows},
    token::{FlowId, TokenHash},
    unlock::UnlockFlow,
};
use sea_orm::{ExprTrait, QueryOrder, entity::prelude::*};

use crate::{SqlTransaction, value};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "unlock_flows")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub token: Vec<u8>,
    pub card: Uuid,
    pub person: String,
    /// Whether the step is an open one, for the index and the query.
    pub open: bool,
    #[sea_orm(column_type = "Text")]
    pub step: String,
    pub began_at: i64,
    pub last_active: i64,
    pub version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<&UnlockFlow> for Model {
    type Error = StoreError;

    fn try_from(flow: &UnlockFlow) -> Result<Self, StoreError> {
        Ok(Self {
            id: flow.id.0,
            token: flow.token.0.to_vec(),
            card: value::uuid(&flow.card),
            person: flow.person.as_str().to_owned(),
            open: flow.step.is_open(),
            step: value::json(&flow.step, "unlock_flows.step")?,
            began_at: value::milliseconds(flow.began_at),
            last_active: value::milliseconds(flow.last_active),
            version: flow.version.into(),
        })
    }
}

impl TryFrom<Model> for UnlockFlow {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: FlowId(row.id),
            token: TokenHash(value::read_bytes(row.token, "unlock_flows.token")?),
            card: value::read_guid(row.card),
            person: value::read_user_number(&row.person, "unlock_flows.person")?,
            step: value::read_json(&row.step, "unlock_flows.step")?,
            began_at: value::read_time(row.began_at, "unlock_flows.began_at")?,
            last_active: value::read_time(row.last_active, "unlock_flows.last_active")?,
            version: value::read_version(row.version, "unlock_flows.version")?,
        })
    }
}

#[async_trait]
impl UnlockFlows for SqlTransaction {
    async fn unlock_flow(&mut self, token: TokenHash) -> Result<Option<UnlockFlow>, StoreError> {
        self.find(Entity::find().filter(Column::Token.eq(token.0.to_vec())))
            .await?
            .map(UnlockFlow::try_from)
            .transpose()
    }

    async fn open_unlock_flows(&mut self, guid: &Guid) -> Result<Vec<UnlockFlow>, StoreError> {
        self.list(
            Entity::find()
                .filter(Column::Card.eq(value::uuid(guid)))
                .filter(Column::Open.eq(true))
                .order_by_asc(Column::Id),
        )
        .await?
        .into_iter()
        .map(UnlockFlow::try_from)
        .collect()
    }

    async fn unlock_flows_begun_since(&mut self, guid: &Guid, after: Timestamp) -> Result<Vec<Timestamp>, StoreError> {
        self.list(
            Entity::find()
                .filter(Column::Card.eq(value::uuid(guid)))
                .filter(Column::BeganAt.gt(value::milliseconds(after)))
                .order_by_asc(Column::BeganAt),
        )
        .await?
        .into_iter()
        .map(|row| value::read_time(row.began_at, "unlock_flows.began_at"))
        .collect()
    }

    async fn insert_unlock_flow(&mut self, flow: &UnlockFlow) -> Result<(), StoreError> {
        self.insert(Model::try_from(flow)?).await
    }

    async fn touch_unlock_flow(&mut self, id: FlowId, at: Timestamp) -> Result<(), StoreError> {
        self.update(
            Entity::update_many()
                .col_expr(Column::LastActive, value::milliseconds(at).into())
                .filter(Column::Id.eq(id.0)),
        )
        .await
        .map(drop)
    }

    async fn save_unlock_flow(&mut self, flow: &UnlockFlow) -> Result<(), StoreError> {
        let row = Model::try_from(flow)?;
        self.save(
            Entity::update_many()
                .col_expr(Column::Token, row.token.into())
                .col_expr(Column::Open, row.open.into())
                .col_expr(Column::Step, row.step.into())
                .col_expr(Column::LastActive, row.last_active.into())
                .col_expr(Column::Version, Expr::col(Column::Version).add(1))
                .filter(Column::Id.eq(row.id))
                .filter(Column::Version.eq(row.version)),
        )
        .await
    }
}
