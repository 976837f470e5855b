//! The table `registration_flows`: at most one for a session, so the session is its key.

use async_trait::async_trait;
use domain::{
    Timestamp,
    ports::{RegistrationFlows, StoreError},
    registration::RegistrationFlow,
    token::{FlowId, SessionId},
};
use sea_orm::{ExprTrait, entity::prelude::*};

use crate::{SqlTransaction, value};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "registration_flows")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub session: Uuid,
    pub id: Uuid,
    pub person: String,
    pub card: Uuid,
    #[sea_orm(column_type = "Text")]
    pub step: String,
    pub last_active: i64,
    pub version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<&RegistrationFlow> for Model {
    type Error = StoreError;

    fn try_from(flow: &RegistrationFlow) -> Result<Self, StoreError> {
        Ok(Self {
            session: flow.session.0,
            id: flow.id.0,
            person: flow.person.as_str().to_owned(),
            card: value::uuid(&flow.card),
            step: value::json(&flow.step, "registration_flows.step")?,
            last_active: value::milliseconds(flow.last_active),
            version: flow.version.into(),
        })
    }
}

impl TryFrom<Model> for RegistrationFlow {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: FlowId(row.id),
            session: SessionId(row.session),
            person: value::read_user_number(&row.person, "registration_flows.person")?,
            card: value::read_guid(row.card),
            step: value::read_json(&row.step, "registration_flows.step")?,
            last_active: value::read_time(row.last_active, "registration_flows.last_active")?,
            version: value::read_version(row.version, "registration_flows.version")?,
        })
    }
}

#[async_trait]
impl RegistrationFlows for SqlTransaction {
    async fn registration_flow(&mut self, session: SessionId) -> Result<Option<RegistrationFlow>, StoreError> {
        self.find(Entity::find_by_id(session.0)).await?.map(RegistrationFlow::try_from).transpose()
    }

    async fn replace_registration_flow(&mut self, flow: &RegistrationFlow) -> Result<(), StoreError> {
        let row = Model::try_from(flow)?;
        self.delete(Entity::delete_many().filter(Column::Session.eq(row.session))).await?;
        self.insert(row).await
    }

    async fn touch_registration_flow(&mut self, id: FlowId, at: Timestamp) -> Result<(), StoreError> {
        self.update(
            Entity::update_many()
                .col_expr(Column::LastActive, value::milliseconds(at).into())
                .filter(Column::Id.eq(id.0)),
        )
        .await
        .map(drop)
    }

    async fn save_registration_flow(&mut self, flow: &RegistrationFlow) -> Result<(), StoreError> {
        let row = Model::try_from(flow)?;
        self.save(
            Entity::update_many()
                .col_expr(Column::Step, row.step.into())
                .col_expr(Column::LastActive, row.last_active.into())
                .col_expr(Column::Version, Expr::col(Column::Version).add(1))
                .filter(Column::Session.eq(row.session))
                .filter(Column::Id.eq(row.id))
                .filter(Column::Version.eq(row.version)),
        )
        .await
    }
}
