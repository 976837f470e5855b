//! Backups of an SQLite database: taken while the service runs, and put back while it does not.
//!
//! A backup is one file. While it is made or looked at it stands in a folder of its own, as the database of that folder.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};

use crate::{
    ConnectError, SqlStore, migrations,
    sqlite::{self, FILE},
};

/// What stands beside the file while a program has it open, or was killed then.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

/// A backup cannot be taken or put back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database does not open.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A statement fails.
    #[error("the database does not answer")]
    Database(#[from] DbErr),
    /// What SQLite finds when it looks at every page and row.
    #[error("the file is damaged: {finding}")]
    Damaged {
        /// The first that it says.
        finding: String,
    },
    /// There is a database already, and it may not be replaced.
    #[error("there is a database already, and it is not empty")]
    NotEmpty,
    /// A file cannot be made, moved or made durable.
    #[error("{} cannot be written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// What becomes of a database in whose place a backup is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Former {
    /// It stays: only an empty one is replaced.
    Stays,
    /// It is kept under another name.
    IsPutAside,
}

/// Copies the database of a folder, as it is at one moment, into another folder, beside the running service. What was
/// erased is not copied.
///
/// # Errors
///
/// [`BackupError`], also where there is no database.
pub async fn take(folder: &Path, into: &Path) -> Result<(), BackupError> {
    let connection = sqlite::open_existing(folder).await?;
    let file = sqlite::make_file(into)?;
    // Into a file that is empty and nobody else's.
    let vacuum = Statement::from_sql_and_values(DbBackend::Sqlite, "VACUUM INTO $1", [path_value(&file)]);
    connection.execute_raw(vacuum).await?;
    connection.close().await?;
    sync(&file)
}

/// Opens the copy in a folder once SQLite has found nothing wrong with it, and brings its tables up to date. Close the store
/// when you have looked: the copy is one file then.
///
/// # Errors
///
/// [`BackupError`]; also where it is of a newer version of the service, or no database at all.
pub async fn open(folder: &Path) -> Result<SqlStore, BackupError> {
    let connection = sqlite::open_existing(folder).await?;
    for (pragma, good) in [("PRAGMA integrity_check(1)", Some("ok")), ("PRAGMA foreign_key_check", None)] {
        let row = connection.query_one_raw(Statement::from_string(DbBackend::Sqlite, pragma)).await?;
        let finding = row.map(|row| row.try_get_by_index::<String>(0)).transpose()?;
        if finding.as_deref() != good {
            return Err(BackupError::Damaged { finding: finding.unwrap_or_default() });
        }
    }
    migrations::run(&connection).await?;
    Ok(SqlStore::new(connection.clone(), [connection.clone(), connection]))
}

/// Makes the copy of a folder the database of another one, which nobody has open. Gives where the former one is kept.
///
/// # Errors
///
/// [`BackupError`]: then the former one is in its place, or kept under another name.
pub async fn put_back(copy: &Path, folder: &Path, former: Former) -> Result<Option<PathBuf>, BackupError> {
    let kept = match (is_empty(folder).await?, former) {
        (true, _) => None,
        (false, Former::Stays) => return Err(BackupError::NotEmpty),
        (false, Former::IsPutAside) => Some(put_aside(folder)?),
    };
    // The log of another file would be taken for that of this one.
    for companion in COMPANIONS {
        let path = folder.join(format!("{FILE}{companion}"));
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(BackupError::File { path, source }),
            _ => {}
        }
    }
    let path = folder.join(FILE);
    sync(&copy.join(FILE))?;
    fs::rename(copy.join(FILE), &path).map_err(|source| BackupError::File { path, source })?;
    sync(folder)?;
    Ok(kept)
}

/// Makes a file or what stands in a folder durable.
///
/// # Errors
///
/// [`BackupError::File`].
pub fn sync(path: &Path) -> Result<(), BackupError> {
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.map_err(|source| BackupError::File { path: path.to_owned(), source })
}

/// Whether nobody would miss the database of a folder: nobody was taken in, and nothing happened. One that cannot be read
/// is not empty.
async fn is_empty(folder: &Path) -> Result<bool, BackupError> {
    let connection = match sqlite::open_alone(folder).await {
        Ok(connection) => connection,
        Err(ConnectError::Missing { .. }) => return Ok(true),
        Err(ConnectError::InUse) => return Err(ConnectError::InUse.into()),
        Err(_) => return Ok(false),
    };
    let is_empty = has_no_rows(&connection).await;
    connection.close().await?;
    Ok(is_empty)
}

async fn has_no_rows(connection: &DatabaseConnection) -> bool {
    let rows = "SELECT EXISTS (SELECT 1 FROM people) OR EXISTS (SELECT 1 FROM trail)";
    let row = connection.query_one_raw(Statement::from_string(DbBackend::Sqlite, rows)).await;
    row.is_ok_and(|row| row.is_some_and(|row| row.try_get_by_index::<i64>(0).is_ok_and(|has_some| has_some == 0)))
}

/// Gives the file another name, with what stands beside it.
fn put_aside(folder: &Path) -> Result<PathBuf, BackupError> {
    let name = |number: u32| folder.join(format!("{FILE}.replaced-{number}"));
    let mut number = 1;
    while name(number).exists() {
        number += 1;
    }
    let aside = name(number);
    for companion in COMPANIONS.into_iter().chain([""]) {
        let path = folder.join(format!("{FILE}{companion}"));
        let mut to = aside.clone().into_os_string();
        to.push(companion);
        match fs::rename(&path, &to) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(BackupError::File { path, source }),
            _ => {}
        }
    }
    Ok(aside)
}

fn path_value(path: &Path) -> sea_orm::Value {
    path.to_string_lossy().into_owned().into()
}
