//! What reports, the search of the trail and imports of the RA's desk need.
//!
//! The trail gets columns that the database computes out of each entry, so that they always say what it says. The names
//! of people on the trail can be traced to whoever is still there, and mails to their people, as long as these are.

use domain::{
    figure::Figure,
    person::UserNumber,
    trail::{TrailName, TrailSalt},
};
use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, text, text_null, uuid},
    sea_orm::DbBackend,
};

use crate::tables::people::trail_prefix;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// What each column of the trail is: where in the entry on SQLite, and the expression on PostgreSQL.
const TRAIL_COLUMNS: [(&str, &str, &str, &str); 4] = [
    ("at", "bigint", "$.at", "(entry::jsonb ->> 'at')::bigint"),
    ("event", "text", "$.event", "entry::jsonb ->> 'event'"),
    ("officer", "text", "$.by.officer", "entry::jsonb -> 'by' ->> 'officer'"),
    ("card", "text", "$.card", "entry::jsonb ->> 'card'"),
];

/// What was counted before there were counts: nobody noted organisations, and its days are those of UTC.
const COUNT_SQLITE: &str = "
    INSERT INTO daily_counts (organisation, day, figure, count)
    SELECT '', date(at / 1000, 'unixepoch'), 'FIGURE', count(*) FROM trail
    WHERE event = 'EVENT' AND (json_extract(entry, '$.outcome') = 'done' OR ANY) GROUP BY 2";
const COUNT_POSTGRES: &str = "
    INSERT INTO daily_counts (organisation, day, figure, count)
    SELECT '', to_char(to_timestamp(at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD'), 'FIGURE', count(*) FROM trail
    WHERE event = 'EVENT' AND (entry::jsonb ->> 'outcome' = 'done' OR ANY) GROUP BY 2";

/// The event of each figure, and whether it counts however it ended.
const COUNTED: [(Figure, &str, &str); 4] = [
    (Figure::Registered, "registered", "false"),
    (Figure::Unlocked, "card-unlocked", "false"),
    (Figure::LockedOut, "self-service-locked", "true"),
    (Figure::MailFailed, "mail-undelivered", "true"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let is_postgres = manager.get_database_backend() == DbBackend::Postgres;
        for column in [text_null("organisation"), big_integer_null("trail_prefix")] {
            manager.alter_table(Table::alter().table("people").add_column(column).take()).await?;
        }
        fill_trail_prefixes(manager).await?;
        let by_name = Index::create().name("people_by_trail_name").table("people").col("trail_prefix").take();
        manager.create_index(by_name).await?;
        manager.alter_table(Table::alter().table("outbox").add_column(text_null("owner")).take()).await?;
        let of_owner = Index::create().name("mails_of_person").table("outbox").col("owner").take();
        manager.create_index(of_owner).await?;

        let connection = manager.get_connection();
        for (name, kind, on_sqlite, on_postgres) in TRAIL_COLUMNS {
            let (value, kept) = if is_postgres {
                (on_postgres.to_owned(), "STORED")
            } else {
                (format!("CASE WHEN json_valid(entry) THEN json_extract(entry, '{on_sqlite}') END"), "VIRTUAL")
            };
            let column = format!("ALTER TABLE trail ADD COLUMN {name} {kind} GENERATED ALWAYS AS ({value}) {kept}");
            connection.execute_unprepared(&column).await?;
        }
        for (name, columns) in [
            ("trail_by_time", &["at", "number"][..]),
            ("trail_by_event", &["event", "at", "number"]),
            ("trail_by_officer", &["officer", "at", "number"]),
        ] {
            let mut index = Index::create().name(name).table("trail").take();
            for column in columns {
                index.col(*column);
            }
            if name == "trail_by_officer" {
                index.and_where(Expr::col("officer").is_not_null());
            }
            manager.create_index(index).await?;
        }

        manager
            .create_table(
                Table::create()
                    .table("daily_counts")
                    .col(text("organisation"))
                    .col(text("day"))
                    .col(text("figure"))
                    .col(big_integer("count"))
                    .primary_key(Index::create().col("organisation").col("day").col("figure"))
                    .take(),
            )
            .await?;
        manager.create_index(Index::create().name("counts_by_day").table("daily_counts").col("day").take()).await?;
        for (figure, event, any) in COUNTED {
            let statement = if is_postgres { COUNT_POSTGRES } else { COUNT_SQLITE };
            let statement = statement.replace("FIGURE", figure.as_str()).replace("EVENT", event).replace("ANY", any);
            connection.execute_unprepared(&statement).await?;
        }

        manager
            .create_table(
                Table::create()
                    .table("import_runs")
                    .col(uuid("id").primary_key())
                    .col(text("officer"))
                    .col(text("extent"))
                    .col(big_integer("began_at"))
                    .col(big_integer("seen_at"))
                    .col(text("progress"))
                    .col(text("state"))
                    .take(),
            )
            .await?;
        let latest = Index::create().name("import_runs_by_time").table("import_runs").col("began_at").take();
        manager.create_index(latest).await
    }
}

/// Of those who are there already.
async fn fill_trail_prefixes(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let people = Query::select().columns(["user_number", "trail_salt"]).from("people").take();
    for row in connection.query_all(&people).await? {
        let (number, salt): (String, Vec<u8>) = (row.try_get("", "user_number")?, row.try_get("", "trail_salt")?);
        let Some(name) = name(&number, salt) else { continue };
        let update = Query::update()
            .table("people")
            .value("trail_prefix", trail_prefix(&name))
            .and_where(Expr::col("user_number").eq(number))
            .take();
        connection.execute(&update).await?;
    }
    Ok(())
}

fn name(number: &str, salt: Vec<u8>) -> Option<TrailName> {
    let (number, salt) = (UserNumber::parse(number).ok()?, TrailSalt::new(salt.try_into().ok()?));
    Some(salt.name_person(&number))
}
