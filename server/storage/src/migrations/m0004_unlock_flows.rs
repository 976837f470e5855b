//! Unlocks that are under way or were.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, blob, boolean, text, uuid},
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
                    .table("unlock_flows")
                    .col(uuid("id").primary_key())
                    .col(blob("token").unique_key())
                    .col(uuid("card").extra(refers_to("cards (guid)")))
                    .col(text("person").extra(refers_to("people (user_number)")))
                    .col(boolean("open"))
                    .col(text("step"))
                    .col(big_integer("last_active"))
                    .col(big_integer("version"))
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("one_open_unlock_flow_of_a_card")
                    .table("unlock_flows")
                    .col("card")
                    .unique()
                    .and_where(Expr::col("open"))
                    .take(),
            )
            .await
    }
}
