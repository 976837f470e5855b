//! Servers of two versions that follow each other, on one database: the later one is made up here.

use std::sync::Arc;

use sea_orm::sqlx::{self, AssertSqlSafe, Connection, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions};
use storage::{ConnectError, Location, connect, testing::TestSchema};
use tempfile::TempDir;

use crate::suite::{
    erasing::{has_everything_of, with_everything_of},
    fixtures::*,
};

/// A database with tables of this version, and a connection to it past the store.
enum Database {
    Sqlite(TempDir, Box<SqliteConnection>),
    Postgres(TestSchema, Box<PgConnection>),
}

impl Database {
    async fn on_both() -> [Self; 2] {
        let folder = tempfile::tempdir().unwrap();
        connect(&Location::folder(folder.path())).await.unwrap().close().await.unwrap();
        let options = SqliteConnectOptions::new().filename(folder.path().join("service-centre.sqlite"));
        let file = SqliteConnection::connect_with(&options).await.unwrap();
        let schema = TestSchema::make().await;
        drop(connect(&schema.location()).await.unwrap());
        let past = PgConnection::connect(&schema.url()).await.unwrap();
        [Self::Sqlite(folder, Box::new(file)), Self::Postgres(schema, Box::new(past))]
    }

    fn location(&self) -> Location {
        match self {
            Self::Sqlite(folder, _) => Location::folder(folder.path()),
            Self::Postgres(schema, _) => schema.location(),
        }
    }

    async fn open(&self) -> Shared {
        Arc::new(connect(&self.location()).await.unwrap())
    }

    async fn refusal(&self) -> ConnectError {
        connect(&self.location()).await.err().unwrap()
    }

    async fn execute(&mut self, statement: &str) {
        let statement = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()));
        match self {
            Self::Sqlite(_, file) => statement.execute(&mut **file).await.map(drop).unwrap(),
            Self::Postgres(_, past) => statement.execute(&mut **past).await.map(drop).unwrap(),
        }
    }

    async fn tables(&mut self) -> Vec<String> {
        match self {
            Self::Sqlite(_, file) => {
                let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
                sqlx::query_scalar(tables).fetch_all(&mut **file).await.unwrap()
            }
            Self::Postgres(_, past) => {
                let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()";
                sqlx::query_scalar(tables).fetch_all(&mut **past).await.unwrap()
            }
        }
    }

    /// What a later version does when it starts: it adds a table, and a column to each that is there.
    async fn expand(&mut self, release: i64, serves_from: i64) {
        for table in self.tables().await {
            self.execute(&format!("ALTER TABLE {table} ADD COLUMN later text DEFAULT 'x' NOT NULL")).await;
        }
        self.execute("CREATE TABLE later_things (number bigint)").await;
        self.execute("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_later', 0)").await;
        self.note(release, serves_from).await;
    }

    async fn note(&mut self, release: i64, serves_from: i64) {
        self.execute(&format!("UPDATE schema_release SET release = {release}, serves_from = {serves_from}")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_goes_on_and_starts_again_when_the_next_version_has_brought_the_tables_up_to_date() {
    for mut database in Database::on_both().await {
        let running = database.open().await;
        with_everything_of(&running, 1).await;
        database.expand(2, 1).await;
        with_everything_of(&running, 2).await;
        let started = database.open().await;
        with_everything_of(&started, 3).await;
        for store in [&running, &started] {
            for number in [1, 2, 3] {
                has_everything_of(store, number).await;
            }
            committed!(store, |transaction| transaction.erase_person(&user_number(9)));
        }
        // It left the note of the later version as it was.
        database.note(3, 2).await;
        assert!(matches!(database.refusal().await, ConnectError::Newer));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_that_do_not_serve_this_version_any_more_are_refused() {
    for mut database in Database::on_both().await {
        database.expand(3, 2).await;
        let refusal = database.refusal().await;
        assert!(matches!(refusal, ConnectError::Newer), "{refusal:?}");
        assert!(refusal.to_string().contains("newer version"), "{refusal}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_of_a_later_version_in_which_a_step_of_this_one_is_missing_are_refused() {
    for mut database in Database::on_both().await {
        database.expand(2, 1).await;
        database.execute("DELETE FROM seaql_migrations WHERE version = 'm0018_languages'").await;
        assert!(matches!(database.refusal().await, ConnectError::Newer));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_from_before_the_version_before_are_refused_and_left_as_they_are() {
    for mut database in Database::on_both().await {
        database.note(0, 0).await;
        for _ in 0..2 {
            let refusal = database.refusal().await;
            assert!(matches!(refusal, ConnectError::Older), "{refusal:?}");
        }
    }
}
