//! Of which release the tables are, and from which release on a program may use them.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, integer},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("schema_release")
                    .col(integer("id").primary_key())
                    .col(big_integer("release"))
                    .col(big_integer("serves_from"))
                    .check(Expr::cust("id = 1"))
                    .take(),
            )
            .await
    }
}
