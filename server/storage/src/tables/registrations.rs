//! The table `registrations`: a person's completed registration, of which they have one.

use async_trait::async_trait;
use domain::{
    email::EmailAddress,
    person::UserNumber,
    ports::{Registrations, StoreError},
    registration::{FormerAddress, Registration, Standing},
};
use sea_orm::{ExprTrait, entity::prelude::*};

use crate::{
    SqlTransaction,
    error::{UnknownValue, unreadable},
    value,
};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "registrations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub person: String,
    pub email: String,
    /// Together with `former_until`, while the address is new.
    pub former_email: Option<String>,
    pub former_until: Option<i64>,
    #[sea_orm(column_type = "Text")]
    pub answers: String,
    #[sea_orm(column_type = "Text")]
    pub asked: String,
    /// While the person may try; otherwise `locked_out_since`.
    pub failed_attempts: Option<i64>,
    pub locked_out_since: Option<i64>,
    /// Beside `locked_out_since`: to a server that knows of no freezing, whoever is frozen is locked out.
    pub frozen_since: Option<i64>,
    pub registered_at: i64,
    pub version: i64,
    #[sea_orm(column_type = "Text")]
    pub recovery_codes: String,
    pub ended_at: Option<i64>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<&Registration> for Model {
    type Error = StoreError;

    fn try_from(registration: &Registration) -> Result<Self, StoreError> {
        let (failed_attempts, locked_out_since, frozen_since) = match registration.standing {
            Standing::Open { failed_attempts } => (Some(failed_attempts.into()), None, None),
            Standing::LockedOut { since } => (None, Some(value::milliseconds(since)), None),
            Standing::Frozen { since } => (None, Some(value::milliseconds(since)), Some(value::milliseconds(since))),
        };
        Ok(Self {
            person: registration.person.as_str().to_owned(),
            email: registration.email.as_str().to_owned(),
            former_email: registration.former.as_ref().map(|former| former.email.as_str().to_owned()),
            former_until: registration.former.as_ref().map(|former| value::milliseconds(former.until)),
            answers: value::json(&registration.answers, "registrations.answers")?,
            asked: value::json(&registration.asked, "registrations.asked")?,
            failed_attempts,
            locked_out_since,
            frozen_since,
            registered_at: value::milliseconds(registration.registered_at),
            version: registration.version.into(),
            recovery_codes: value::json(&registration.recovery_codes, "registrations.recovery_codes")?,
            ended_at: registration.ended_at.map(value::milliseconds),
        })
    }
}

impl TryFrom<Model> for Registration {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            person: value::read_user_number(&row.person, "registrations.person")?,
            email: EmailAddress::parse(&row.email).map_err(unreadable("registrations.email"))?,
            former: read_former(row.former_email, row.former_until)?,
            answers: value::read_json(&row.answers, "registrations.answers")?,
            recovery_codes: value::read_json(&row.recovery_codes, "registrations.recovery_codes")?,
            asked: value::read_json(&row.asked, "registrations.asked")?,
            standing: read_standing(row.failed_attempts, row.locked_out_since, row.frozen_since)?,
            registered_at: value::read_time(row.registered_at, "registrations.registered_at")?,
            ended_at: row.ended_at.map(|at| value::read_time(at, "registrations.ended_at")).transpose()?,
            version: value::read_version(row.version, "registrations.version")?,
        })
    }
}

fn read_former(email: Option<String>, until: Option<i64>) -> Result<Option<FormerAddress>, StoreError> {
    match (email, until) {
        (None, None) => Ok(None),
        (Some(email), Some(until)) => Ok(Some(FormerAddress {
            email: EmailAddress::parse(&email).map_err(unreadable("registrations.former_email"))?,
            until: value::read_time(until, "registrations.former_until")?,
        })),
        (None, Some(_)) | (Some(_), None) => Err(unreadable("registrations.former_until")(UnknownValue)),
    }
}

fn read_standing(
    failed_attempts: Option<i64>,
    locked_out_since: Option<i64>,
    frozen_since: Option<i64>,
) -> Result<Standing, StoreError> {
    match (failed_attempts, locked_out_since, frozen_since) {
        (Some(failed), None, None) => Ok(Standing::Open {
            failed_attempts: u8::try_from(failed).map_err(unreadable("registrations.failed_attempts"))?,
        }),
        (None, Some(since), None) => {
            Ok(Standing::LockedOut { since: value::read_time(since, "registrations.locked_out_since")? })
        }
        (None, Some(_), Some(since)) => {
            Ok(Standing::Frozen { since: value::read_time(since, "registrations.frozen_since")? })
        }
        _ => Err(unreadable("registrations.locked_out_since")(UnknownValue)),
    }
}

#[async_trait]
impl Registrations for SqlTransaction {
    async fn registration(&mut self, person: &UserNumber) -> Result<Option<Registration>, StoreError> {
        self.find(Entity::find_by_id(person.as_str())).await?.map(Registration::try_from).transpose()
    }

    async fn insert_registration(&mut self, registration: &Registration) -> Result<(), StoreError> {
        self.insert(Model::try_from(registration)?).await
    }

    async fn delete_registration(&mut self, registration: &Registration) -> Result<(), StoreError> {
        let row = Model::try_from(registration)?;
        let delete =
            Entity::delete_many().filter(Column::Person.eq(row.person)).filter(Column::Version.eq(row.version));
        if self.delete(delete).await? == 1 { Ok(()) } else { Err(StoreError::Conflict) }
    }

    async fn save_registration(&mut self, registration: &Registration) -> Result<(), StoreError> {
        let row = Model::try_from(registration)?;
        self.save(
            Entity::update_many()
                .col_expr(Column::Email, row.email.into())
                .col_expr(Column::FormerEmail, row.former_email.into())
                .col_expr(Column::FormerUntil, row.former_until.into())
                .col_expr(Column::Answers, row.answers.into())
                .col_expr(Column::RecoveryCodes, row.recovery_codes.into())
                .col_expr(Column::Asked, row.asked.into())
                .col_expr(Column::FailedAttempts, row.failed_attempts.into())
                .col_expr(Column::LockedOutSince, row.locked_out_since.into())
                .col_expr(Column::FrozenSince, row.frozen_since.into())
                .col_expr(Column::RegisteredAt, row.registered_at.into())
                .col_expr(Column::EndedAt, row.ended_at.into())
                .col_expr(Column::Version, Expr::col(Column::Version).add(1))
                .filter(Column::Person.eq(row.person))
                .filter(Column::Version.eq(row.version)),
        )
        .await
    }
}
