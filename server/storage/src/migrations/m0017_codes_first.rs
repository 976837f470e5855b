//! Which mails hold a code: somebody waits for them, so they go before others.

use sea_orm_migration::{prelude::*, schema::boolean};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut column = boolean("holds_code");
        manager.alter_table(Table::alter().table("outbox").add_column(column.default(false)).take()).await?;
        manager.drop_index(Index::drop().name("mails_that_wait").table("outbox").to_owned()).await?;
        manager
            .create_index(
                Index::create()
                    .name("mails_that_wait")
                    .table("outbox")
                    .col(("holds_code", IndexOrder::Desc))
                    .col("created_at")
                    .col("id")
                    .and_where(Expr::col("body").is_not_null())
                    .take(),
            )
            .await
    }
}
