//! The table `handled_forms`.

use async_trait::async_trait;
use domain::{
    ports::{HandledForms, StoreError},
    token::{FlowId, FormId},
};
use sea_orm::entity::prelude::*;

use crate::SqlTransaction;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "handled_forms")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub flow: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub form: Uuid,
    #[sea_orm(column_type = "Text")]
    pub outcome: String,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

#[async_trait]
impl HandledForms for SqlTransaction {
    async fn handled_form(&mut self, flow: FlowId, form: FormId) -> Result<Option<String>, StoreError> {
        Ok(self.find(Entity::find_by_id((flow.0, form.0))).await?.map(|row| row.outcome))
    }

    async fn insert_handled_form(&mut self, flow: FlowId, form: FormId, outcome: &str) -> Result<(), StoreError> {
        self.insert(Model { flow: flow.0, form: form.0, outcome: outcome.to_owned() }).await
    }
}
