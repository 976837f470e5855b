//! The recovery codes that a registration has left.

use sea_orm_migration::{prelude::*, schema::text};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = text("recovery_codes").default("[]").take();
        manager.alter_table(Table::alter().table("registrations").add_column(column).take()).await
    }
}
