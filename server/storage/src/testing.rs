//! PostgreSQL for tests: each has a schema of its own in the database that `TEST_DATABASE_URL` names.

use std::fmt::Write as _;

use sea_orm::sqlx::{Connection, Executor, PgConnection};
use uuid::Uuid;

use crate::Location;

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
    #[expect(clippy::disallowed_methods, reason = "cargo gives no arguments to a test")]
    pub async fn make() -> Self {
        let Ok(database) = std::env::var(VARIABLE) else {
            panic!(
                "{VARIABLE} is not set: this test needs PostgreSQL. `server/with-postgres cargo test` starts one for \
                 the tests; or let the variable name a database in which they may make schemas"
            );
        };
        let schema = Self { database, name: format!("test_{}", Uuid::new_v4().simple()) };
        schema.execute(&format!("CREATE SCHEMA {}", schema.name)).await;
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

    async fn execute(&self, statement: &str) {
        let executed = async {
            let mut connection = PgConnection::connect(&self.database).await?;
            connection.execute(sea_orm::sqlx::AssertSqlSafe(statement)).await?;
            connection.close().await
        };
        executed.await.unwrap_or_else(|fault| panic!("{VARIABLE}: {fault}"));
    }
}

impl Drop for TestSchema {
    fn drop(&mut self) {
        // A test may end inside a runtime, which must not be blocked: another thread has one of its own.
        std::thread::scope(|scope| {
            let dropping = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let statement = format!("SET lock_timeout = '10s'; DROP SCHEMA {} CASCADE", self.name);
                runtime.map(|runtime| runtime.block_on(self.execute(&statement)))
            });
            // What cannot be dropped is left to whoever made the database.
            let _ = dropping.join();
        });
    }
}
