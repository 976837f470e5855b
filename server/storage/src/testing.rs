//! PostgreSQL for tests: each has a schema of its own in the database that `TEST_DATABASE_URL` names. And databases that
//! are taken away for a while: a test that does so on PostgreSQL has one of its own beside the named one.

use std::{fmt::Write as _, path::Path, str::FromStr};

use sea_orm::sqlx::{
    self, AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, SqliteConnection,
    postgres::PgConnectOptions, sqlite::SqliteConnectOptions,
};
use uuid::Uuid;

use crate::{Location, sqlite};

/// The variable that names the database.
pub const VARIABLE: &str = "TEST_DATABASE_URL";

/// An empty schema, dropped with all that is in it when this value is.
pub struct TestSchema {
    database: String,
    name: String,
}

impl TestSchema {
    /// Makes it.
    ///
    /// # Panics
    ///
    /// When the variable is not set, or its database does not answer.
    pub async fn make() -> Self {
        let schema = Self { database: named_database(), name: new_name() };
        execute(&schema.database, &format!("CREATE SCHEMA {}", schema.name)).await;
        schema
    }

    /// The URL of a database that has this schema and no other.
    pub fn url(&self) -> String {
        let mut url = self.database.clone();
        let first = if url.contains('?') { '&' } else { '?' };
        write!(url, "{first}options=-c%20search_path%3D{}", self.name).expect("a string takes what is written to it");
        url
    }

    /// The same as a location.
    ///
    /// # Panics
    ///
    /// When the variable names no PostgreSQL database.
    pub fn location(&self) -> Location {
        Location::parse(&self.url()).unwrap_or_else(|fault| panic!("{VARIABLE}: {fault}"))
    }

    /// The tables of which a row holds this text, plainly or in a column of bytes, by name.
    ///
    /// # Panics
    ///
    /// When they cannot be read.
    pub async fn tables_with(&self, text: &str) -> Vec<String> {
        let read = async {
            let mut connection = PgConnection::connect(&self.url()).await?;
            let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename";
            let mut found = Vec::new();
            for table in sqlx::query_scalar::<_, String>(tables).fetch_all(&mut connection).await? {
                let select = format!(
                    "SELECT EXISTS (SELECT FROM {table} WHERE strpos({table}::text, $1) > 0
                        OR strpos({table}::text, encode(convert_to($1, 'UTF8'), 'hex')) > 0)"
                );
                let select = sqlx::query_scalar::<_, bool>(AssertSqlSafe(select)).bind(text);
                found.extend(select.fetch_one(&mut connection).await?.then_some(table));
            }
            connection.close().await?;
            Ok::<_, sqlx::Error>(found)
        };
        read.await.unwrap_or_else(|fault| panic!("{VARIABLE}: {fault}"))
    }
}

impl Drop for TestSchema {
    fn drop(&mut self) {
        execute_at_last(&self.database, &format!("SET lock_timeout = '10s'; DROP SCHEMA {} CASCADE", self.name));
    }
}

/// An empty database, dropped with all that is in it when this value is. Whoever the variable names may make databases.
pub struct TestDatabase {
    server: String,
    name: String,
}

impl TestDatabase {
    /// Makes it.
    ///
    /// # Panics
    ///
    /// When the variable is not set, or its database does not answer, or lets nobody make another.
    pub async fn make() -> Self {
        let database = Self { server: named_database(), name: new_name() };
        execute(&database.server, &format!("CREATE DATABASE {}", database.name)).await;
        database
    }

    /// Its URL.
    ///
    /// # Panics
    ///
    /// When the variable names no PostgreSQL database.
    pub fn url(&self) -> String {
        let options = PgConnectOptions::from_str(&self.server).unwrap_or_else(|fault| panic!("{VARIABLE}: {fault}"));
        options.database(&self.name).to_url_lossy().into()
    }

    /// Ends every connection to it and lets nobody in.
    ///
    /// # Panics
    ///
    /// When the server does not do it.
    pub async fn take_away(&self) {
        execute(&self.server, &format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", self.name)).await;
        let connections =
            format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'", self.name);
        execute(&self.server, &connections).await;
    }

    /// Lets everybody in again.
    ///
    /// # Panics
    ///
    /// When the server does not do it.
    pub async fn give_back(&self) {
        execute(&self.server, &format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", self.name)).await;
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        execute_at_last(&self.server, &format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

/// The SQLite database of a folder, locked as by a program that does not let go. Nobody else writes until this value is
/// released.
pub struct LockedFolder(SqliteConnection);

impl LockedFolder {
    /// Locks it.
    ///
    /// # Panics
    ///
    /// When it has none, or somebody else has locked it.
    pub async fn lock(folder: &Path) -> Self {
        let locked = async {
            let options = SqliteConnectOptions::new().filename(folder.join(sqlite::FILE));
            let mut connection = SqliteConnection::connect_with(&options).await?;
            connection.execute("BEGIN EXCLUSIVE").await?;
            Ok::<_, sqlx::Error>(connection)
        };
        Self(locked.await.unwrap_or_else(|fault| panic!("{}: {fault}", folder.display())))
    }

    /// Lets go.
    ///
    /// # Panics
    ///
    /// When SQLite does not.
    pub async fn release(self) {
        self.0.close().await.unwrap_or_else(|fault| panic!("{fault}"));
    }
}

/// Waits until no worker is just taking or putting off a mail in this database: others pass over it meanwhile.
///
/// # Panics
///
/// When it does not answer.
pub async fn wait_for_workers(url: &str) {
    execute(url, "SELECT FROM outbox FOR UPDATE").await;
}

#[expect(clippy::disallowed_methods, reason = "cargo gives no arguments to a test")]
fn named_database() -> String {
    let Ok(database) = std::env::var(VARIABLE) else {
        panic!(
            "{VARIABLE} is not set: this test needs PostgreSQL. `server/with-postgres cargo test` starts one for \
             the tests; or let the variable name a database in which they may make schemas"
        );
    };
    database
}

fn new_name() -> String {
    format!("test_{}", Uuid::new_v4().simple())
}

async fn execute(database: &str, statement: &str) {
    let executed = async {
        let mut connection = PgConnection::connect(database).await?;
        connection.execute(AssertSqlSafe(statement)).await?;
        connection.close().await
    };
    executed.await.unwrap_or_else(|fault| panic!("{VARIABLE}: {fault}"));
}

/// The same when a value is dropped: a test may end inside a runtime, which must not be blocked, so another thread has
/// one of its own. What cannot be dropped is left to whoever made the database.
fn execute_at_last(database: &str, statement: &str) {
    std::thread::scope(|scope| {
        let dropping = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map(|runtime| runtime.block_on(execute(database, statement)))
        });
        let _ = dropping.join();
    });
}
