//! Registrations, those under way, and the times of code mails.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, big_pk_auto, text, uuid},
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
                    .table("registrations")
                    .col(text("person").primary_key().extra(refers_to("people (user_number)")))
                    .col(text("email"))
                    .col(text("answers"))
                    .col(text("asked"))
                    .col(big_integer_null("failed_attempts"))
                    .col(big_integer_null("locked_out_since"))
                    .col(big_integer("registered_at"))
                    .col(big_integer("version"))
                    .check(Expr::cust("(failed_attempts IS NULL) <> (locked_out_since IS NULL)"))
                    .take(),
            )
            .await?;
        // A flow outlives its session: the session is no row that it refers to.
        manager
            .create_table(
                Table::create()
                    .table("registration_flows")
                    .col(uuid("session").primary_key())
                    .col(uuid("id").unique_key())
                    .col(text("person").extra(refers_to("people (user_number)")))
                    .col(uuid("card").extra(refers_to("cards (guid)")))
                    .col(text("step"))
                    .col(big_integer("last_active"))
                    .col(big_integer("version"))
                    .take(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("code_mails")
                    .col(big_pk_auto("id"))
                    .col(text("person").extra(refers_to("people (user_number)")))
                    .col(big_integer("sent_at"))
                    .take(),
            )
            .await?;
        manager
            .create_index(
                Index::create().name("code_mails_of_person").table("code_mails").col("person").col("sent_at").take(),
            )
            .await
    }
}
