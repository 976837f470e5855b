//! What a fault of the database means to a use case.

use domain::ports::StoreError;
use sea_orm::{DbErr, RuntimeErr};

/// A row that does not hold what this version of the service wrote.
#[derive(Debug, thiserror::Error)]
#[error("{column} cannot be read")]
struct Unreadable {
    column: &'static str,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// A value that is none of those that the column can have. It is not repeated: it could be anything.
#[derive(Debug, thiserror::Error)]
#[error("not a value of this column")]
pub(crate) struct UnknownValue;

/// Names the column, as `table.column`, that cannot be read.
pub(crate) fn unreadable<E>(column: &'static str) -> impl FnOnce(E) -> StoreError
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    move |source| StoreError::Unavailable(Box::new(Unreadable { column, source: source.into() }))
}

/// Says whether trying the whole transaction again can help.
pub(crate) fn store_error(fault: DbErr) -> StoreError {
    if is_conflict(&fault) { StoreError::Conflict } else { StoreError::Unavailable(Box::new(fault)) }
}

/// A key is there already, or the database refuses the transaction in favour of another one.
///
/// A plain SQLITE_BUSY is not among these: it comes after the busy timeout, and to wait that long again and again
/// helps nobody.
fn is_conflict(fault: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(fault)) | DbErr::Query(RuntimeErr::SqlxError(fault))) = fault else {
        return false;
    };
    let Some(fault) = fault.as_database_error() else { return false };
    fault.is_unique_violation()
        || matches!(
            fault.code().as_deref(),
            // PostgreSQL: serialization_failure, deadlock_detected. SQLite: SQLITE_BUSY_RECOVERY, SQLITE_BUSY_SNAPSHOT.
            Some("40001" | "40P01" | "261" | "517")
        )
}
