//! SQLite: the folder, the file, and the settings on which durability and erasure rest.
//!
//! One connection for one server. Every transaction is `BEGIN IMMEDIATE` (see the store), so more connections would
//! only wait for each other inside SQLite, which polls and is not fair, where the pool's queue is. Another process on
//! the same file waits by the busy timeout.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, SqlxSqliteConnector, Statement,
    sqlx::{
        self, ConnectOptions, Connection, SqlitePool,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteLockingMode, SqlitePoolOptions, SqliteSynchronous},
    },
};

use crate::connect::{ACQUIRE_TIMEOUT, ConnectError};

/// The name of the file in the data folder; SQLite makes `-wal` and `-shm` beside it, with the same permissions.
pub(crate) const FILE: &str = "service-centre.sqlite";

/// How long a transaction waits for one of another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long to wait before a new file is opened again.
const RETRY_AFTER: Duration = Duration::from_millis(20);

/// How much of the database is kept in memory at most. The keys of most tables are random, so that what is added lies
/// all over their indexes.
const CACHE_KIB: u32 = 64 * 1024;

/// How many rows are read before the first is taken: the thread that reads them has to be woken less often.
const ROWS_AHEAD: usize = 1_000;

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
    let options = options(&make_file(folder)?);
    set(connect(&options).await.map_err(ConnectError::Open)?).await
}

/// Opens the file in this folder for nobody else: while another program has it open it is refused, and from then on every
/// other one is.
pub(crate) async fn open_alone(folder: &Path) -> Result<DatabaseConnection, ConnectError> {
    let options = options(&existing_file(folder)?).locking_mode(SqliteLockingMode::Exclusive);
    let pool = connect(&options).await;
    let pool = pool.map_err(|fault| if is_busy(&fault) { ConnectError::InUse } else { ConnectError::Open(fault) })?;
    set(pool).await
}

/// Opens the file in this folder, and makes none.
pub(crate) async fn open_existing(folder: &Path) -> Result<DatabaseConnection, ConnectError> {
    let options = options(&existing_file(folder)?);
    set(connect(&options).await.map_err(ConnectError::Open)?).await
}

fn existing_file(folder: &Path) -> Result<PathBuf, ConnectError> {
    let file = folder.join(FILE);
    if file.is_file() { Ok(file) } else { Err(ConnectError::Missing { folder: folder.to_owned() }) }
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .row_buffer_size(ROWS_AHEAD)
        .pragma("secure_delete", "ON")
        .pragma("temp_store", "MEMORY")
        .pragma("cache_size", format!("-{CACHE_KIB}"))
        .pragma("journal_size_limit", "0")
        .disable_statement_logging()
}

/// Makes sure that the settings hold.
async fn set(pool: SqlitePool) -> Result<DatabaseConnection, ConnectError> {
    let connection = SqlxSqliteConnector::from_sqlx_sqlite_pool(pool);
    for (setting, wanted) in SETTINGS {
        let found = pragma(&connection, setting).await.map_err(ConnectError::Migration)?;
        if found.as_deref() != Some(wanted) {
            return Err(ConnectError::Setting { setting });
        }
    }
    Ok(connection)
}

/// Opens the pool. A connection that is still in a transaction when its turn is over is replaced: when a write fails, on a
/// full disk for one, SQLite ends the transaction itself, the rollback that follows fails, and sqlx counts on in the
/// transaction that is no more. On such a connection the next one would begin with a savepoint, and its commit release
/// that, be answered as done, and keep nothing.
///
/// It is opened again and again for as long as another process would be waited for: SQLite answers at once that it
/// is busy, whatever the busy timeout, while another process makes the write-ahead log of a new file.
async fn connect(options: &SqliteConnectOptions) -> Result<SqlitePool, sqlx::Error> {
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        // There is no network in between that could have lost it.
        .test_before_acquire(false)
        .before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }))
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None);
    let until = Instant::now() + BUSY_TIMEOUT;
    loop {
        match pool.clone().connect_with(options.clone()).await {
            Err(fault) if is_busy(&fault) && Instant::now() < until => tokio::time::sleep(RETRY_AFTER).await,
            ended => return ended,
        }
    }
}

/// SQLITE_BUSY, whatever its extended code.
fn is_busy(fault: &sqlx::Error) -> bool {
    let code = fault.as_database_error().and_then(|fault| fault.code()?.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xFF == 5)
}

/// Writes the log back into the database and cuts it to nothing, so that no erased page stays in it. While another program
/// reads an earlier state (a backup does so for minutes) that cannot be done, and nobody waits for it: everybody's next
/// transaction would.
const EMPTY_LOG: &str = "PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA busy_timeout = 5000";

/// Does it to the end, also where nobody waits for it any more: the connection would be left without its busy timeout.
pub(crate) async fn empty_log(connection: DatabaseConnection) {
    let emptied = tokio::spawn(async move {
        if connection.execute_unprepared(EMPTY_LOG).await.is_err() {
            let _ = connection.execute_unprepared("PRAGMA busy_timeout = 5000").await;
        }
    });
    let _ = emptied.await;
}

async fn pragma(connection: &DatabaseConnection, name: &str) -> Result<Option<String>, DbErr> {
    let statement = Statement::from_string(DbBackend::Sqlite, format!("PRAGMA {name}"));
    let Some(row) = connection.query_one_raw(statement).await? else { return Ok(None) };
    let number: Result<i64, DbErr> = row.try_get_by_index(0);
    number.map(|number| number.to_string()).or_else(|_| row.try_get_by_index(0)).map(Some)
}

/// Makes the file, and the folder, where they are not.
pub(crate) fn make_file(folder: &Path) -> Result<PathBuf, ConnectError> {
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
    use domain::{
        person::{Person, UserNumber},
        ports::{Store, StoreError},
        trail::TrailSalt,
    };

    use super::*;
    use crate::{SqlStore, migrations};

    fn person(number: usize) -> Person {
        let user_number = UserNumber::parse(&number.to_string()).unwrap();
        let trail_salt = TrailSalt::new([7; 32]);
        Person {
            user_number,
            name: "A Person with a long name ".repeat(20),
            email: None,
            organisation: None,
            language: domain::language::Language::English,
            role: domain::role::Role::Cardholder,
            trail_salt,
        }
    }

    async fn insert(store: &SqlStore, number: usize) -> Result<(), StoreError> {
        let mut transaction = store.begin().await?;
        transaction.insert_person(&person(number)).await?;
        transaction.commit().await
    }

    #[tokio::test]
    async fn a_full_database_is_unavailable_and_what_is_written_later_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let connection = open(folder.path()).await.unwrap();
        migrations::run(&connection).await.unwrap();
        let store = SqlStore::new(connection.clone(), [connection.clone(), connection.clone()]);
        // As many pages as it has already.
        connection.execute_unprepared("PRAGMA max_page_count = 1").await.unwrap();
        let mut written = 0;
        let fault = loop {
            match insert(&store, written).await {
                Ok(()) => written += 1,
                Err(fault) => break fault,
            }
            assert!(written < 1000, "it is never full");
        };
        let StoreError::Unavailable(cause) = fault else { panic!("{fault}") };
        assert!(format!("{cause:?}").contains("code: 13"), "SQLITE_FULL: {cause:?}");

        connection.execute_unprepared("PRAGMA max_page_count = 100000").await.unwrap();
        for number in 1000..1010 {
            // Somebody who only looks ends with a rollback.
            assert_eq!(store.begin().await.unwrap().person(&person(number).user_number).await.unwrap(), None);
            insert(&store, number).await.unwrap();
        }
        // As another program finds it.
        let connection = open(folder.path()).await.unwrap();
        let other = SqlStore::new(connection.clone(), [connection.clone(), connection]);
        let mut transaction = other.begin().await.unwrap();
        for number in (0..written).chain(1000..1010) {
            assert_eq!(transaction.person(&person(number).user_number).await.unwrap(), Some(person(number)));
        }
        assert_eq!(transaction.person(&person(written).user_number).await.unwrap(), None);
    }

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
