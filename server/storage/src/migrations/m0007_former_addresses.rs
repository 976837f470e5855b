//! The address before the one on file, while unlock codes still go there.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer_null, text_null},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite adds one column at a time.
        for column in [text_null("former_email"), big_integer_null("former_until")] {
            manager.alter_table(Table::alter().table("registrations").add_column(column).take()).await?;
        }
        Ok(())
    }
}
