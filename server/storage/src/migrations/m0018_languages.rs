//! In which language a person is addressed.

use sea_orm_migration::{prelude::*, schema::text};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut column = text("language");
        manager.alter_table(Table::alter().table("people").add_column(column.default("en")).take()).await
    }
}
