//! The salt with which the names of a person on the trail are made. Records that are there already keep the user
//! numbers with which they were written: the trail only grows.

use sea_orm_migration::{prelude::*, schema::blob_null, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// SQLite cannot forbid a missing value in a column that is added later; a person without a salt cannot be read.
const SQLITE_SALTS: &str = "UPDATE people SET trail_salt = randomblob(32)";

/// 122 bits of each of the two are random.
const POSTGRES_SALTS: &str = "
    UPDATE people SET trail_salt = uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
    ALTER TABLE people ALTER COLUMN trail_salt SET NOT NULL;";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("people").add_column(blob_null("trail_salt")).take()).await?;
        let salts = match manager.get_database_backend() {
            DbBackend::Postgres => POSTGRES_SALTS,
            _ => SQLITE_SALTS,
        };
        manager.get_connection().execute_unprepared(salts).await.map(drop)
    }
}
