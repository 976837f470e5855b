//! The store: it opens transactions.

use std::sync::Arc;

use async_trait::async_trait;
use domain::ports::{Dispatch, Store, StoreError, Transaction};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::{
    connect::ACQUIRE_TIMEOUT,
    error::store_error,
    observer::{Observer, Waiting},
    transaction::SqlTransaction,
};

/// How many of everybody's transactions are in the queue of the database at once. The others wait before it, in their order,
/// so that one of the desk's has these before it at most.
const EVERYBODYS_PLACES: usize = 64;

/// How many of the desk's: of officers whom this server has seen.
const DESKS_PLACES: usize = 16;

/// The store on SQL. Cheap to clone: the clones share their connections.
#[derive(Clone)]
pub struct SqlStore {
    connection: DatabaseConnection,
    /// For mails that leave and for operators: they take no turn, and on PostgreSQL have connections of their own, as the others
    /// may all wait for theirs.
    dispatch: DatabaseConnection,
    aside: DatabaseConnection,
    observer: Option<Arc<dyn Observer>>,
    /// Is notified where a mail was put into the outbox.
    wake: Option<Arc<Notify>>,
    /// In the queue of the database, for whoever this is the store of.
    places: Arc<Semaphore>,
    desks_places: Arc<Semaphore>,
}

impl SqlStore {
    pub(crate) fn new(connection: DatabaseConnection, [dispatch, aside]: [DatabaseConnection; 2]) -> Self {
        let [places, desks_places] = [EVERYBODYS_PLACES, DESKS_PLACES].map(|places| Arc::new(Semaphore::new(places)));
        Self { connection, dispatch, aside, observer: None, wake: None, places, desks_places }
    }

    /// The same store for the desk: its transactions do not wait for those of everybody that wait for a place.
    #[must_use]
    pub fn for_the_desk(&self) -> Self {
        Self { places: Arc::clone(&self.desks_places), ..self.clone() }
    }

    /// The same store, which tells somebody how it fares.
    #[must_use]
    pub fn observed_by(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// The same store, which wakes whoever empties the outbox once a mail that was put into it is committed.
    #[must_use]
    pub fn waking(self, wake: Arc<Notify>) -> Self {
        Self { wake: Some(wake), ..self }
    }

    pub(crate) fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    pub(crate) fn aside(&self) -> &DatabaseConnection {
        &self.aside
    }

    pub(crate) fn backend(&self) -> DbBackend {
        self.connection.get_database_backend()
    }

    /// Waits for the transactions that are under way and closes the connections. SQLite then writes its log back into
    /// the database and removes it. Transactions that are begun later fail.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn close(&self) -> Result<(), StoreError> {
        self.connection.close_by_ref().await.map_err(store_error)?;
        self.dispatch.close_by_ref().await.map_err(store_error)?;
        self.aside.close_by_ref().await.map_err(store_error)
    }
}

impl SqlStore {
    async fn place(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        let place = tokio::time::timeout(ACQUIRE_TIMEOUT, Arc::clone(&self.places).acquire_owned()).await;
        place
            .map_err(|late| StoreError::Unavailable(Box::new(late)))?
            .map_err(|closed| StoreError::Unavailable(Box::new(closed)))
    }

    fn begun(
        &self,
        waiting: Waiting,
        place: Option<OwnedSemaphorePermit>,
        transaction: Result<DatabaseTransaction, StoreError>,
    ) -> Result<SqlTransaction, StoreError> {
        match transaction {
            Ok(transaction) => {
                let transaction = SqlTransaction::new(transaction, self.connection.clone(), waiting.begin());
                Ok(transaction.waking(self.wake.clone()).in_place(place))
            }
            Err(fault) => {
                waiting.fail(&fault);
                Err(fault)
            }
        }
    }
}

#[async_trait]
impl Store for SqlStore {
    async fn begin(&self) -> Result<Box<dyn Transaction>, StoreError> {
        let waiting = Waiting::new(self.observer.clone());
        let (place, transaction) = match self.place().await {
            Ok(place) => (Some(place), begin_turn(&self.connection).await.map_err(store_error)),
            Err(fault) => (None, Err(fault)),
        };
        Ok(Box::new(self.begun(waiting, place, transaction)?))
    }

    async fn begin_dispatch(&self) -> Result<Box<dyn Dispatch>, StoreError> {
        let waiting = Waiting::new(self.observer.clone());
        let transaction = begin_beside(&self.dispatch).await.map_err(store_error);
        Ok(Box::new(self.begun(waiting, None, transaction)?))
    }
}

/// Waits for the turn of this transaction: the lock is the service's own, one for each schema, and ends with the
/// transaction. The first number is arbitrary.
const TAKE_TURN: &str = "SELECT pg_advisory_xact_lock(1396919623, hashtext(current_schema()))";

/// How long a transaction waits for its turn, and after which time a server that has stopped within its own loses it:
/// earlier, so that the others only wait.
const POSTGRES_LIMITS: &str = "SET LOCAL lock_timeout = '10s'; SET LOCAL idle_in_transaction_session_timeout = '5s';";

/// Begins a transaction that no other one can make wrong: they run one at a time, also among several servers.
///
/// On SQLite it takes the write lock at once: one that began by reading and wrote later would fail whenever another had
/// written meanwhile, without being allowed to wait. On PostgreSQL it takes a lock first and sees what was committed
/// before it got it. `SERIALIZABLE` would refuse there instead of waiting: nearly every use case adds to the end of the
/// trail, so of many at once all but one would begin again, round after round.
pub(crate) async fn begin_turn(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let transaction = open(connection).await?;
    if transaction.get_database_backend() == DbBackend::Postgres {
        transaction.execute_unprepared(&format!("{POSTGRES_LIMITS} {TAKE_TURN}")).await?;
    }
    Ok(transaction)
}

/// Begins a transaction that takes no turn on PostgreSQL: for [`Dispatch`] only.
///
/// Nothing that it does can make a turn wrong or be made wrong by one, and it need not wait for an import that takes a
/// minute. A claim locks rows of the outbox that nobody has locked and skips the others, so it waits for none; every other
/// statement locks one mail that waits, here and in turns, and whoever has it locked waits for nobody else. So two never
/// wait for each other. After a wait the database looks at the row anew (`READ COMMITTED`): one that is done with by then
/// is left alone. A worker that stops within one loses it with its locks, as within a turn.
///
/// On SQLite there is one who writes, so it is a transaction like any other.
async fn begin_beside(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let transaction = open(connection).await?;
    if transaction.get_database_backend() == DbBackend::Postgres {
        transaction.execute_unprepared(POSTGRES_LIMITS).await?;
    }
    Ok(transaction)
}

/// Begins the transaction of a migration. No other transaction of any server runs beside it but those of [`Dispatch`]; on PostgreSQL it waits for
/// them as long as it takes.
pub(crate) async fn begin_migration(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let transaction = open(connection).await?;
    if transaction.get_database_backend() == DbBackend::Postgres {
        transaction.execute_unprepared(TAKE_TURN).await?;
    }
    Ok(transaction)
}

/// On PostgreSQL each statement is to see what was committed before it: a turn is taken by the first.
async fn open(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let isolation_level =
        (connection.get_database_backend() == DbBackend::Postgres).then_some(IsolationLevel::ReadCommitted);
    let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
    connection
        .begin_with_options(TransactionOptions { isolation_level, access_mode: None, sqlite_transaction_mode })
        .await
}
