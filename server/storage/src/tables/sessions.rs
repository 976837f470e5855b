//! The table `sessions`.

use async_trait::async_trait;
use domain::{
    Timestamp,
    person::UserNumber,
    ports::{Sessions, StoreError},
    session::Session,
    token::{SessionId, TokenHash},
};
use sea_orm::entity::prelude::*;

use crate::{SqlTransaction, value};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub token: Vec<u8>,
    pub person: String,
    pub card: Uuid,
    pub began_at: i64,
    pub last_active: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Session> for Model {
    fn from(session: &Session) -> Self {
        Self {
            id: session.id.0,
            token: session.token.0.to_vec(),
            person: session.person.as_str().to_owned(),
            card: value::uuid(&session.card),
            began_at: value::milliseconds(session.began_at),
            last_active: value::milliseconds(session.last_active),
        }
    }
}

impl TryFrom<Model> for Session {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: SessionId(row.id),
            token: TokenHash(value::read_bytes(row.token, "sessions.token")?),
            person: value::read_user_number(&row.person, "sessions.person")?,
            card: value::read_guid(row.card),
            began_at: value::read_time(row.began_at, "sessions.began_at")?,
            last_active: value::read_time(row.last_active, "sessions.last_active")?,
        })
    }
}

#[async_trait]
impl Sessions for SqlTransaction {
    async fn session(&mut self, token: TokenHash) -> Result<Option<Session>, StoreError> {
        self.find(Entity::find().filter(Column::Token.eq(token.0.to_vec()))).await?.map(Session::try_from).transpose()
    }

    async fn insert_session(&mut self, session: &Session) -> Result<(), StoreError> {
        self.insert(Model::from(session)).await
    }

    async fn touch_session(&mut self, id: SessionId, at: Timestamp) -> Result<(), StoreError> {
        self.update(
            Entity::update_many()
                .col_expr(Column::LastActive, value::milliseconds(at).into())
                .filter(Column::Id.eq(id.0)),
        )
        .await
        .map(drop)
    }

    async fn renew_session(&mut self, id: SessionId, token: TokenHash) -> Result<(), StoreError> {
        self.update(Entity::update_many().col_expr(Column::Token, token.0.to_vec().into()).filter(Column::Id.eq(id.0)))
            .await
            .map(drop)
    }

    async fn delete_session(&mut self, id: SessionId) -> Result<(), StoreError> {
        self.delete(Entity::delete_many().filter(Column::Id.eq(id.0))).await.map(drop)
    }

    async fn delete_sessions(&mut self, person: &UserNumber, but: Option<SessionId>) -> Result<(), StoreError> {
        let mut sessions = Entity::delete_many().filter(Column::Person.eq(person.as_str()));
        if let Some(but) = but {
            sessions = sessions.filter(Column::Id.ne(but.0));
        }
        self.delete(sessions).await.map(drop)
    }
}
