//! The table `outbox`: mails that wait, and of those that are done with the times only.

use async_trait::async_trait;
use domain::{
    CLOCKS_AGREE_WITHIN, Timestamp,
    delivery::{MailOnRecord, MailState, Undelivered},
    mail::OutboxMail,
    ports::{Dispatch, Outbox, StoreError, Transaction, VaultCiphertext},
    token::MailId,
    trail::TrailName,
};
use sea_orm::{
    ExprTrait, QueryOrder, QuerySelect,
    entity::prelude::*,
    sea_query::{LockBehavior, LockType},
};

use crate::{
    SqlTransaction,
    error::{UnknownValue, unreadable},
    value,
};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The sealed mail, while it waits.
    pub body: Option<Vec<u8>>,
    pub created_at: i64,
    /// When it may be claimed, while it waits.
    pub due_at: i64,
    /// How often it was claimed.
    pub attempts: i64,
    pub sent_at: Option<i64>,
    pub given_up_at: Option<i64>,
    /// Beside `given_up_at`, where the mail server refused the address.
    pub refused_at: Option<i64>,
    /// Whose it is: their name on the trail.
    pub owner: Option<String>,
    pub holds_code: bool,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for OutboxMail {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            id: MailId(row.id),
            sealed: VaultCiphertext(row.body.ok_or_else(|| unreadable("outbox.body")(UnknownValue))?),
            created_at: value::read_time(row.created_at, "outbox.created_at")?,
            attempts: u32::try_from(row.attempts).map_err(unreadable("outbox.attempts"))?,
            holds_code: row.holds_code,
            owner: row.owner.map(TrailName::of_record),
        })
    }
}

impl TryFrom<Model> for MailState {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        match (row.sent_at, row.given_up_at, row.refused_at) {
            (None, None, None) => Ok(Self::Waiting { since: value::read_time(row.created_at, "outbox.created_at")? }),
            (Some(_), None, None) => Ok(Self::Sent),
            (None, Some(_), None) => Ok(Self::Undelivered(Undelivered::GivenUp)),
            (None, Some(_), Some(_)) => Ok(Self::Undelivered(Undelivered::Refused)),
            _ => Err(unreadable("outbox.sent_at")(UnknownValue)),
        }
    }
}

/// Notes in one of the columns when the mail was done with, and erases its body.
fn finish(id: MailId, column: Column, at: Timestamp) -> sea_orm::UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::Body, Expr::value(None::<Vec<u8>>))
        .col_expr(column, value::milliseconds(at).into())
        .filter(Column::Id.eq(id.0))
        .filter(Column::Body.is_not_null())
}

#[async_trait]
impl Outbox for SqlTransaction {
    async fn insert_mail(&mut self, mail: &OutboxMail) -> Result<(), StoreError> {
        let created_at = value::milliseconds(mail.created_at);
        self.mailed();
        self.insert(Model {
            id: mail.id.0,
            body: Some(mail.sealed.0.clone()),
            created_at,
            due_at: created_at,
            attempts: mail.attempts.into(),
            sent_at: None,
            given_up_at: None,
            refused_at: None,
            owner: mail.owner.as_ref().map(|owner| owner.as_str().to_owned()),
            holds_code: mail.holds_code,
        })
        .await
    }

    async fn end_mail(&mut self, id: MailId, why: Undelivered, at: Timestamp) -> Result<(), StoreError> {
        self.erased();
        let ended = match why {
            Undelivered::Refused => {
                finish(id, Column::GivenUpAt, at).col_expr(Column::RefusedAt, value::milliseconds(at).into())
            }
            Undelivered::GivenUp => finish(id, Column::GivenUpAt, at),
        };
        self.update(ended).await.map(drop)
    }

    async fn mails_of(&mut self, owner: &TrailName, limit: u64) -> Result<Vec<MailOnRecord>, StoreError> {
        let theirs = Entity::find().filter(Column::Owner.eq(owner.as_str()));
        let rows = self.list(theirs.order_by_desc(Column::CreatedAt).order_by_asc(Column::Id).limit(limit)).await?;
        let mail = |row: Model| {
            let at = value::read_time(row.created_at, "outbox.created_at")?;
            Ok(MailOnRecord { at, state: MailState::try_from(row)? })
        };
        rows.into_iter().map(mail).collect()
    }

    async fn mail_state(&mut self, id: MailId) -> Result<Option<MailState>, StoreError> {
        self.find(Entity::find_by_id(id.0)).await?.map(MailState::try_from).transpose()
    }
}

#[async_trait]
impl Dispatch for SqlTransaction {
    async fn claim_due_mails(
        &mut self,
        now: Timestamp,
        lease: Timestamp,
        limit: u64,
    ) -> Result<Vec<OutboxMail>, StoreError> {
        // A mail that nobody has tried and that was made later than now is from before the clock was put back.
        let made_later = Column::CreatedAt.gt(value::milliseconds(now + CLOCKS_AGREE_WITHIN));
        let due = Column::DueAt.lte(value::milliseconds(now)).or(Column::Attempts.eq(0).and(made_later));
        let rows = self
            .list(
                Entity::find()
                    .filter(Column::Body.is_not_null())
                    .filter(due)
                    .order_by_desc(Column::HoldsCode)
                    .order_by_asc(Column::CreatedAt)
                    .order_by_asc(Column::Id)
                    .limit(limit)
                    .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked),
            )
            .await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        // Whoever else claims has skipped these, and finds them put off once it is committed. A claim counts as an attempt at once: a mail that brings its worker down is given up in the end.
        self.update(
            Entity::update_many()
                .col_expr(Column::DueAt, value::milliseconds(lease).into())
                .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
                .filter(Column::Id.is_in(rows.iter().map(|row| row.id))),
        )
        .await?;
        rows.into_iter().map(OutboxMail::try_from).collect()
    }

    async fn mark_mail_sent(&mut self, id: MailId, at: Timestamp) -> Result<(), StoreError> {
        self.erased();
        self.update(finish(id, Column::SentAt, at)).await.map(drop)
    }

    async fn put_off_mail(&mut self, mail: &OutboxMail, until: Timestamp) -> Result<(), StoreError> {
        self.update(
            Entity::update_many()
                .col_expr(Column::DueAt, value::milliseconds(until).into())
                .filter(Column::Id.eq(mail.id.0))
                .filter(Column::Attempts.eq(i64::from(mail.attempts) + 1))
                .filter(Column::Body.is_not_null()),
        )
        .await
        .map(drop)
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        Transaction::commit(self).await
    }
}
