//! Sessions, and what keeps a proof and a form from counting twice.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, blob, text, uuid, uuid_null},
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
                    .table("sessions")
                    .col(uuid("id").primary_key())
                    .col(blob("token").unique_key())
                    .col(text("person").extra(refers_to("people (user_number)")))
                    .col(uuid("card").extra(refers_to("cards (guid)")))
                    .col(big_integer("began_at"))
                    .col(big_integer("last_active"))
                    .take(),
            )
            .await?;
        manager.create_index(Index::create().name("sessions_of_person").table("sessions").col("person").take()).await?;
        manager
            .create_table(
                Table::create()
                    .table("used_challenges")
                    .col(blob("challenge").primary_key())
                    .col(uuid_null("flow"))
                    .col(text("outcome"))
                    .col(big_integer("used_at"))
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create().name("used_challenges_by_time").table("used_challenges").col("used_at").take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("handled_forms")
                    .col(uuid("flow"))
                    .col(uuid("form"))
                    .col(text("outcome"))
                    .primary_key(Index::create().col("flow").col("form"))
                    .take(),
            )
            .await
    }
}
