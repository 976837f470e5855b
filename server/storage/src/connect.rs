//! Where the database is, and how it is opened.

use std::{
    net::IpAddr,
    num::NonZeroU32,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use sea_orm::{
    DatabaseConnection, DbErr, SqlxPostgresConnector,
    sqlx::{
        self, ConnectOptions,
        postgres::{PgConnectOptions, PgPoolOptions, PgSslMode},
    },
};

use crate::{migrations, sqlite, store::SqlStore};

/// How many connections one server has to PostgreSQL at most, unless it is said. Transactions take turns, so more would only
/// wait there instead of here.
const POSTGRES_CONNECTIONS: NonZeroU32 = NonZeroU32::new(10).expect("ten is not zero");

/// How many it has besides for mails that leave. Operators have one of their own: theirs is to tell also when mails hang.
const POSTGRES_DISPATCH: u32 = 2;

/// How long a request waits for a connection.
pub(crate) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the database is. It has no `Debug`, as a URL can hold a password.
#[derive(Clone)]
pub struct Location(pub(crate) Kind);

#[derive(Clone)]
pub(crate) enum Kind {
    Folder(PathBuf),
    Postgres { options: Box<PgConnectOptions>, connections: NonZeroU32 },
}

/// The text names no database that can be used. It is not repeated, as a URL can hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotALocation {
    /// It is something else.
    #[error("a database is a folder, or a URL that begins with postgres:// or postgresql://")]
    Malformed,
    /// PostgreSQL is on another machine, and who answers there is not verified.
    #[error(
        "PostgreSQL on another machine needs ?sslmode=verify-full in its URL (and sslrootcert, where its CA is your own)"
    )]
    Unverified,
}

impl Location {
    /// SQLite in this folder, which is made where there is none.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self(Kind::Folder(path.into()))
    }

    /// The folder, where the database is SQLite.
    pub fn as_folder(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Folder(path) => Some(path),
            Kind::Postgres { .. } => None,
        }
    }

    /// The same database, with so many connections at most. SQLite has one.
    #[must_use]
    pub fn with_connections(self, many: NonZeroU32) -> Self {
        match self.0 {
            Kind::Postgres { options, .. } => Self(Kind::Postgres { options, connections: many }),
            Kind::Folder(_) => self,
        }
    }

    /// Reads a URL of PostgreSQL, or the path of a folder.
    ///
    /// # Errors
    ///
    /// [`NotALocation`] when the URL is malformed or of another database, leads to another machine without TLS that is
    /// verified, or the path is empty.
    pub fn parse(text: &str) -> Result<Self, NotALocation> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            let options = PgConnectOptions::from_str(text).map_err(|_| NotALocation::Malformed)?;
            if !is_on_this_machine(&options) && !matches!(options.get_ssl_mode(), PgSslMode::VerifyFull) {
                return Err(NotALocation::Unverified);
            }
            Ok(Self(Kind::Postgres { options: Box::new(options), connections: POSTGRES_CONNECTIONS }))
        } else if text.is_empty() || text.contains("://") || text.starts_with("sqlite:") {
            Err(NotALocation::Malformed)
        } else {
            Ok(Self::folder(text))
        }
    }
}

/// Whether the connection never leaves this machine: by a socket, or the loopback interface.
fn is_on_this_machine(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let is_loopback = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    options.get_socket().is_some() || host.starts_with('/') || host == "localhost" || is_loopback
}

/// The database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The folder or the file cannot be made, or not be kept to the service's own user.
    #[error("the data folder {} cannot be used", path.display())]
    Folder {
        /// The folder or the file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It does not open.
    #[error("the database does not open")]
    Open(#[source] sqlx::Error),
    /// It opens, but a setting on which durability rests does not take: a network file system, or PostgreSQL with
    /// `synchronous_commit` off.
    #[error("the database does not take the setting {setting}")]
    Setting {
        /// Its name in the database.
        setting: &'static str,
    },
    /// There is no file of a database in the folder.
    #[error("there is no database in {}", folder.display())]
    Missing {
        /// The folder.
        folder: PathBuf,
    },
    /// Another program has it open, and must not.
    #[error("another program has the database open: stop the service first")]
    InUse,
    /// It was made by a version of the service that is newer than the next.
    #[error("the database is of a newer version of the service, which this one cannot go along with: update this one")]
    Newer,
    /// Its tables are older than those of the version before this one.
    #[error("the database is of a version of the service before the last: start the version in between on it first")]
    Older,
    /// Its tables cannot be brought up to date.
    #[error("the tables cannot be brought up to date")]
    Migration(#[source] DbErr),
}

/// Opens the database and brings its tables up to date.
///
/// # Errors
///
/// [`ConnectError`].
pub async fn connect(location: &Location) -> Result<SqlStore, ConnectError> {
    let (connection, besides) = match &location.0 {
        Kind::Folder(path) => {
            let connection = sqlite::open(path).await?;
            (connection.clone(), [connection.clone(), connection])
        }
        Kind::Postgres { options, connections } => {
            (open_postgres(options, *connections).await?, [POSTGRES_DISPATCH, 1].map(|many| open_lazily(options, many)))
        }
    };
    migrations::run(&connection).await?;
    Ok(SqlStore::new(connection, besides))
}

pub(crate) async fn open_postgres(
    options: &PgConnectOptions,
    connections: NonZeroU32,
) -> Result<DatabaseConnection, ConnectError> {
    let pool = PgPoolOptions::new()
        .max_connections(connections.get())
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_with(options.clone().disable_statement_logging())
        .await
        .map_err(ConnectError::Open)?;
    // Off, a commit would be answered before it is on disk, and with it an unlock key before it is kept.
    let durability: String =
        sqlx::query_scalar("SHOW synchronous_commit").fetch_one(&pool).await.map_err(ConnectError::Open)?;
    if durability == "off" {
        return Err(ConnectError::Setting { setting: "synchronous_commit" });
    }
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
}

/// A few more connections, opened when they are first needed.
fn open_lazily(options: &PgConnectOptions, many: u32) -> DatabaseConnection {
    let pool = PgPoolOptions::new()
        .max_connections(many)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options.clone().disable_statement_logging());
    SqlxPostgresConnector::from_sqlx_postgres_pool(pool)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_of_postgresql_and_a_path_are_locations() {
        assert!(Location::parse("postgres://service:secret@db.example.org/centre?sslmode=verify-full").is_ok());
        assert!(Location::parse("/var/lib/service-centre").is_ok());
        assert!(Location::parse("data").is_ok());
    }

    #[test]
    fn postgresql_elsewhere_is_verified() {
        for text in [
            "postgres://service:secret@db.example.org/centre",
            "postgres://service:secret@db.example.org/centre?sslmode=require",
            "postgres://service:secret@db.example.org/centre?sslmode=verify-ca",
            "postgres://service:secret@192.0.2.1/centre",
            "postgres://service:secret@localhost.example.org/centre",
        ] {
            let fault = Location::parse(text).err().unwrap_or_else(|| panic!("{text} is taken"));
            assert_eq!(fault, NotALocation::Unverified, "{text}");
        }
        for text in [
            "postgres://service:secret@localhost/centre",
            "postgres://service:secret@127.0.0.1:5433/centre?sslmode=disable",
            "postgres://service:secret@[::1]/centre",
            "postgres:///centre?host=/run/postgresql",
            "postgres://%2Frun%2Fpostgresql/centre",
        ] {
            assert!(Location::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn other_databases_are_none_and_the_text_is_not_repeated() {
        for text in
            ["", "mysql://service:secret@db/centre", "sqlite:data.db", "postgres://service:secret@db:port/centre"]
        {
            let fault = Location::parse(text).err().unwrap_or_else(|| panic!("{text} is taken"));
            assert!(!fault.to_string().contains("secret"));
        }
    }
}
