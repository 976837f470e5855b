//! The audit trail, and the triggers that let it only grow. (Who owns the database can remove them; the chain shows
//! what was done then.)

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, blob, text, text_null},
    sea_orm::DbBackend,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const SQLITE_TRIGGERS: &str = "
    CREATE TRIGGER trail_refuses_update BEFORE UPDATE ON trail
        BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END;
    CREATE TRIGGER trail_refuses_delete BEFORE DELETE ON trail
        BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END;";

const POSTGRES_TRIGGERS: &str = "
    CREATE FUNCTION refuse_trail_change() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the trail is append-only'; END $$;
    CREATE TRIGGER trail_refuses_change BEFORE UPDATE OR DELETE ON trail
        FOR EACH ROW EXECUTE FUNCTION refuse_trail_change();
    CREATE TRIGGER trail_refuses_truncate BEFORE TRUNCATE ON trail
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_trail_change();";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("trail")
                    .col(big_integer("number").primary_key())
                    .col(text("entry"))
                    .col(text_null("person"))
                    .col(blob("mac"))
                    .take(),
            )
            .await?;
        manager
            .create_index(Index::create().name("trail_of_person").table("trail").col("person").col("number").take())
            .await?;
        let triggers = match manager.get_database_backend() {
            DbBackend::Postgres => POSTGRES_TRIGGERS,
            _ => SQLITE_TRIGGERS,
        };
        manager.get_connection().execute_unprepared(triggers).await.map(drop)
    }
}
