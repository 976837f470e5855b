//! The table `issuances`: cards on their way from blank to somebody's. The authority stands in `certificate_authorities`.

use async_trait::async_trait;
use card_protocol::Guid;
use domain::{
    authority::StoredAuthority,
    issuance::Issuance,
    person::UserNumber,
    ports::{Issuances, StoreError, VaultCiphertext},
};
use sea_orm::{ExprTrait, QueryOrder, QuerySelect, entity::prelude::*};

use super::certificate_authorities;
use crate::{SqlTransaction, value};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "issuances")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub guid: Uuid,
    pub person: String,
    #[sea_orm(column_type = "Text")]
    pub by: String,
    pub replaces: Option<Uuid>,
    pub unlock_key: Vec<u8>,
    pub management_key: Vec<u8>,
    pub attempts: i64,
    #[sea_orm(column_type = "Text")]
    pub step: String,
    pub began_at: i64,
    pub version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<&Issuance> for Model {
    type Error = StoreError;

    fn try_from(issuance: &Issuance) -> Result<Self, StoreError> {
        Ok(Self {
            guid: value::uuid(&issuance.guid),
            person: issuance.person.as_str().to_owned(),
            by: value::json(&issuance.by, "issuances.by")?,
            replaces: issuance.replaces.as_ref().map(value::uuid),
            unlock_key: issuance.unlock_key.0.clone(),
            management_key: issuance.management_key.0.clone(),
            attempts: issuance.attempts.into(),
            step: value::json(&issuance.step, "issuances.step")?,
            began_at: value::milliseconds(issuance.began_at),
            version: issuance.version.into(),
        })
    }
}

impl TryFrom<Model> for Issuance {
    type Error = StoreError;

    fn try_from(row: Model) -> Result<Self, StoreError> {
        Ok(Self {
            guid: value::read_guid(row.guid),
            person: value::read_user_number(&row.person, "issuances.person")?,
            by: value::read_json(&row.by, "issuances.by")?,
            replaces: row.replaces.map(value::read_guid),
            unlock_key: VaultCiphertext(row.unlock_key),
            management_key: VaultCiphertext(row.management_key),
            attempts: value::read_version(row.attempts, "issuances.attempts")?,
            step: value::read_json(&row.step, "issuances.step")?,
            began_at: value::read_time(row.began_at, "issuances.began_at")?,
            version: value::read_version(row.version, "issuances.version")?,
        })
    }
}

#[async_trait]
impl Issuances for SqlTransaction {
    async fn issuance(&mut self, guid: &Guid) -> Result<Option<Issuance>, StoreError> {
        self.find(Entity::find_by_id(value::uuid(guid))).await?.map(Issuance::try_from).transpose()
    }

    async fn insert_issuance(&mut self, issuance: &Issuance) -> Result<(), StoreError> {
        self.insert(Model::try_from(issuance)?).await
    }

    async fn save_issuance(&mut self, issuance: &Issuance) -> Result<(), StoreError> {
        let row = Model::try_from(issuance)?;
        self.save(
            Entity::update_many()
                .col_expr(Column::Person, row.person.into())
                .col_expr(Column::By, row.by.into())
                .col_expr(Column::Replaces, row.replaces.into())
                .col_expr(Column::UnlockKey, row.unlock_key.into())
                .col_expr(Column::ManagementKey, row.management_key.into())
                .col_expr(Column::Attempts, row.attempts.into())
                .col_expr(Column::Step, row.step.into())
                .col_expr(Column::Version, Expr::col(Column::Version).add(1))
                .filter(Column::Guid.eq(row.guid))
                .filter(Column::Version.eq(row.version)),
        )
        .await
    }

    async fn issuances_of(&mut self, person: &UserNumber) -> Result<Vec<Issuance>, StoreError> {
        let issuances = Entity::find().filter(Column::Person.eq(person.as_str())).order_by_asc(Column::Guid);
        self.list(issuances).await?.into_iter().map(Issuance::try_from).collect()
    }

    async fn issuances_after(&mut self, after: Option<Guid>, limit: u64) -> Result<Vec<Issuance>, StoreError> {
        let mut issuances = Entity::find().order_by_asc(Column::Guid).limit(limit);
        if let Some(after) = after {
            issuances = issuances.filter(Column::Guid.gt(value::uuid(&after)));
        }
        self.list(issuances).await?.into_iter().map(Issuance::try_from).collect()
    }

    async fn certificate_authority(&mut self) -> Result<Option<StoredAuthority>, StoreError> {
        let found = self.find(certificate_authorities::Entity::find_by_id(certificate_authorities::THE_ONE)).await?;
        Ok(found.map(StoredAuthority::from))
    }

    async fn insert_certificate_authority(&mut self, authority: &StoredAuthority) -> Result<(), StoreError> {
        self.insert(certificate_authorities::Model::from(authority)).await
    }

    async fn save_resealed_authority(&mut self, authority: &StoredAuthority) -> Result<(), StoreError> {
        let row = certificate_authorities::Model::from(authority);
        self.save(
            certificate_authorities::Entity::update_many()
                .col_expr(certificate_authorities::Column::Key, row.key.into())
                .filter(certificate_authorities::Column::Id.eq(row.id))
                .filter(certificate_authorities::Column::Certificate.eq(row.certificate)),
        )
        .await
    }
}
