//! People, their cards, and the unlock keys of these.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, blob, text, text_null, uuid, uuid_null},
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
                    .table("people")
                    .col(text("user_number").primary_key())
                    .col(text("name"))
                    .col(text_null("email"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("cards")
                    .col(uuid("guid").primary_key())
                    .col(text("holder").extra(refers_to("people (user_number)")))
                    .col(text("state"))
                    .col(big_integer("version"))
                    .take(),
            )
            .await?;
        manager.create_index(Index::create().name("cards_of_holder").table("cards").col("holder").take()).await?;
        manager
            .create_table(
                Table::create()
                    .table("card_keys")
                    .col(blob("fingerprint").primary_key())
                    .col(uuid("card").extra(refers_to("cards (guid)")))
                    .col(text("slot"))
                    .col(blob("public_key"))
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create().name("one_key_in_a_slot").table("card_keys").col("card").col("slot").unique().take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("unlock_keys")
                    .col(uuid("id").primary_key())
                    .col(uuid("card").extra(refers_to("cards (guid)")))
                    .col(blob("sealed"))
                    .take(),
            )
            .await?;
        manager
            .create_index(Index::create().name("unlock_keys_of_card").table("unlock_keys").col("card").take())
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("key_rings")
                    .col(uuid("card").primary_key().extra(refers_to("cards (guid)")))
                    .col(uuid("current").extra(refers_to("unlock_keys (id)")))
                    .col(uuid_null("pending").extra(refers_to("unlock_keys (id)")))
                    .col(text_null("offered"))
                    .col(big_integer("version"))
                    .check(Expr::cust("(pending IS NULL) = (offered IS NULL)"))
                    .take(),
            )
            .await
    }
}
