//! The store: it opens transactions.

use async_trait::async_trait;
use domain::ports::{Store, StoreError, Transaction};
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};

use crate::{error::store_error, transaction::SqlTransaction};

/// The store on SQL. Cheap to clone: the clones share their connections.
#[derive(Clone)]
pub struct SqlStore {
    connection: DatabaseConnection,
}

impl SqlStore {
    pub(crate) fn new(connection: DatabaseConnection) -> Self {
        Self { connection }
    }

    /// Waits for the transactions that are under way and closes the connections. SQLite then writes its log back into
    /// the database and removes it. Transactions that are begun later fail.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn close(&self) -> Result<(), StoreError> {
        self.connection.close_by_ref().await.map_err(store_error)
    }
}

#[async_trait]
impl Store for SqlStore {
    async fn begin(&self) -> Result<Box<dyn Transaction>, StoreError> {
        let transaction = begin(&self.connection).await.map_err(store_error)?;
        Ok(Box::new(SqlTransaction::new(transaction, self.connection.clone())))
    }
}

/// Begins a transaction that no other one can make wrong.
///
/// On SQLite it takes the write lock at once: one that began by reading and wrote later would fail whenever another had
/// written meanwhile, without being allowed to wait. On PostgreSQL the database detects that and refuses the later one.
async fn begin(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let isolation_level =
        (connection.get_database_backend() == DbBackend::Postgres).then_some(IsolationLevel::Serializable);
    begin_with(connection, isolation_level).await
}

/// Begins the transaction of a migration. On PostgreSQL it sees what others have committed until it reads, and so, once
/// it has the lock of migrations, what they migrated.
pub(crate) async fn begin_migration(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    begin_with(connection, None).await
}

async fn begin_with(
    connection: &DatabaseConnection,
    isolation_level: Option<IsolationLevel>,
) -> Result<DatabaseTransaction, DbErr> {
    let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
    connection
        .begin_with_options(TransactionOptions { isolation_level, access_mode: None, sqlite_transaction_mode })
        .await
}
