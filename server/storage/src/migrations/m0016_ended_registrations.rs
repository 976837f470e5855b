//! When a person ended their registration: address and failed attempts stay.

use sea_orm_migration::{prelude::*, schema::big_integer_null};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = big_integer_null("ended_at");
        manager.alter_table(Table::alter().table("registrations").add_column(column).take()).await
    }
}
