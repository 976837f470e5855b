//! The table `code_mails`: when codes were mailed to whom.

use async_trait::async_trait;
use domain::{
    Timestamp,
    person::UserNumber,
    ports::{CodeMails, StoreError},
};
use sea_orm::{ActiveValue::Set, QueryOrder, entity::prelude::*};

use crate::{SqlTransaction, value};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "code_mails")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub person: String,
    pub sent_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

#[async_trait]
impl CodeMails for SqlTransaction {
    async fn code_mails_since(&mut self, person: &UserNumber, after: Timestamp) -> Result<Vec<Timestamp>, StoreError> {
        self.list(
            Entity::find()
                .filter(Column::Person.eq(person.as_str()))
                .filter(Column::SentAt.gt(value::milliseconds(after)))
                .order_by_asc(Column::SentAt),
        )
        .await?
        .into_iter()
        .map(|row| value::read_time(row.sent_at, "code_mails.sent_at"))
        .collect()
    }

    async fn insert_code_mail(&mut self, person: &UserNumber, at: Timestamp) -> Result<(), StoreError> {
        self.insert(ActiveModel {
            person: Set(person.as_str().to_owned()),
            sent_at: Set(value::milliseconds(at)),
            ..Default::default()
        })
        .await
    }
}
