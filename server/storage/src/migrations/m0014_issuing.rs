//! Cards that are issued here, and the certification authority behind them.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, blob, integer, text, uuid, uuid_null},
};

use super::refers_to;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("issuances")
                    // No reference: until it is issued it is no row of `cards`.
                    .col(uuid("guid").primary_key())
                    .col(text("person").extra(refers_to("people (user_number)")))
                    .col(text("by"))
                    .col(uuid_null("replaces"))
                    .col(blob("unlock_key"))
                    .col(blob("management_key"))
                    .col(big_integer("attempts"))
                    .col(text("step"))
                    .col(big_integer("began_at"))
                    .col(big_integer("version"))
                    .take(),
            )
            .await?;
        let of_person = Index::create().name("issuances_of_person").table("issuances").col("person").take();
        manager.create_index(of_person).await?;
        manager
            .create_table(
                Table::create()
                    .table("certificate_authorities")
                    .col(integer("id").primary_key())
                    .col(blob("certificate"))
                    .col(blob("key"))
                    .check(Expr::cust("id = 1"))
                    .take(),
            )
            .await
    }
}
