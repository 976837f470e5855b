//! SQLite: the folder, the file, and the settings on which durability and erasure rest.
//!
//! One connection for one server. Every transaction is `BEGIN IMMEDIATE` (see the store), so more connections would
//! only wait for each other inside SQLite, which polls and is not fair, where the pool's queue is. Another process on
//! the same file waits by the busy timeout.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, SqlxSqliteConnector, Statement,
    sqlx::{
        self, ConnectOptions, SqlitePool,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
    },
};

use crate::connect::{ACQUIRE_TIMEOUT, ConnectError};

/// The name of the file in the data folder; SQLite makes `-wal` and `-shm` beside it, with the same permissions.
const FILE: &str = "service-centre.sqlite";

/// How long a transaction waits for one of another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long to wait before a new file is opened again.
const RETRY_AFTER: Duration = Duration::from_millis(20);

/// What must hold for a commit to be durable and for an erased row to be gone: pragma and value.
///
/// `synchronous = 2` is FULL: the write-ahead log is flushed at each commit. `temp_store = 2` keeps what is sorted out
/// of temporary files. `journal_size_limit = 0` cuts the log when it starts anew.
const SETTINGS: [(&str, &str); 7] = [
    ("journal_mode", "wal"),
    ("synchronous", "2"),
    ("foreign_keys", "1"),
    ("busy_timeout", "5000"),
    ("secure_delete", "1"),
    ("temp_store", "2"),
    ("journal_size_limit", "0"),
];

/// Opens the file in this folder, and makes both where they are not.
pub(crate) async fn open(folder: &Path) -> Result<DatabaseConnection, ConnectError> {
    let file = make_file(folder)?;
    let options = SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("secure_delete", "ON")
        .pragma("temp_store", "MEMORY")
        .pragma("journal_size_limit", "0")
        .disable_statement_logging();
    let connection = SqlxSqliteConnector::from_sqlx_sqlite_pool(connect(&options).await.map_err(ConnectError::Open)?);
    for (setting, wanted) in SETTINGS {
        let found = pragma(&connection, setting).await.map_err(ConnectError::Migration)?;
        if found.as_deref() != Some(wanted) {
            return Err(ConnectError::Setting { setting });
        }
    }
    Ok(connection)
}

/// Opens the pool, again and again for as long as another process would be waited for: SQLite answers at once that it
/// is busy, whatever the busy timeout, while another process makes the write-ahead log of a new file.
async fn connect(options: &SqliteConnectOptions) -> Result<SqlitePool, sqlx::Error> {
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None);
    let mut waited = Duration::ZERO;
    loop {
        match pool.clone().connect_with(options.clone()).await {
            Err(fault) if is_busy(&fault) && waited < BUSY_TIMEOUT => {
                tokio::time::sleep(RETRY_AFTER).await;
                waited += RETRY_AFTER;
            }
            ended => return ended,
        }
    }
}

/// SQLITE_BUSY, whatever its extended code.
fn is_busy(fault: &sqlx::Error) -> bool {
    let code = fault.as_database_error().and_then(|fault| fault.code()?.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xFF == 5)
}

/// Writes the log back into the database and cuts it to nothing, so that no erased page stays in it.
pub(crate) async fn empty_log(connection: &DatabaseConnection) -> Result<(), DbErr> {
    connection.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await.map(drop)
}

async fn pragma(connection: &DatabaseConnection, name: &str) -> Result<Option<String>, DbErr> {
    let statement = Statement::from_string(DbBackend::Sqlite, format!("PRAGMA {name}"));
    let Some(row) = connection.query_one_raw(statement).await? else { return Ok(None) };
    let number: Result<i64, DbErr> = row.try_get_by_index(0);
    number.map(|number| number.to_string()).or_else(|_| row.try_get_by_index(0)).map(Some)
}

fn make_file(folder: &Path) -> Result<PathBuf, ConnectError> {
    let path = folder.join(FILE);
    make_private_folder(folder).map_err(|source| ConnectError::Folder { path: folder.to_owned(), source })?;
    make_private_file(&path).map_err(|source| ConnectError::Folder { path: path.clone(), source })?;
    // The name of a new file is durable only once its folder is.
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| ConnectError::Folder { path: folder.to_owned(), source })?;
    Ok(path)
}

fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn make_private_file(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    // A file that was there, from a copied backup for one, is closed to others too.
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn durability_and_erasure_are_really_set() {
        let folder = tempfile::tempdir().unwrap();
        let connection = open(folder.path()).await.unwrap();
        let mut found = Vec::new();
        for (setting, _) in SETTINGS {
            found.push((setting, pragma(&connection, setting).await.unwrap().unwrap_or_default()));
        }
        let found: Vec<(&str, &str)> = found.iter().map(|(setting, value)| (*setting, value.as_str())).collect();
        assert_eq!(
            found,
            [
                ("journal_mode", "wal"),
                ("synchronous", "2"),
                ("foreign_keys", "1"),
                ("busy_timeout", "5000"),
                ("secure_delete", "1"),
                ("temp_store", "2"),
                ("journal_size_limit", "0"),
            ]
        );
    }
}
