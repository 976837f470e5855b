//! The mails that wait to be sent.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, blob_null, uuid},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("outbox")
                    .col(uuid("id").primary_key())
                    .col(blob_null("body"))
                    .col(big_integer("created_at"))
                    .col(big_integer("due_at"))
                    .col(big_integer("attempts"))
                    .col(big_integer_null("sent_at"))
                    .col(big_integer_null("given_up_at"))
                    .check(Expr::cust("(body IS NULL) = (sent_at IS NOT NULL OR given_up_at IS NOT NULL)"))
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("mails_that_wait")
                    .table("outbox")
                    .col("due_at")
                    .and_where(Expr::col("body").is_not_null())
                    .take(),
            )
            .await
    }
}
