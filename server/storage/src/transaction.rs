//! The transaction, and the few statements of which every table's port is made.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    milestone::Milestone,
    ports::{StoreError, Transaction},
    trail::TrailRecord,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend,
    DbErr, DeleteMany, EntityTrait, FromQueryResult, IntoActiveModel, Iterable, QueryFilter, QueryResult, QueryTrait,
    Select, Statement, UpdateMany, Value, sea_query::OnConflict,
};

use tokio::sync::{Notify, OwnedSemaphorePermit};

use crate::{
    error::store_error,
    observer::{Observed, Waiting},
    sqlite,
};

/// One transaction over all tables.
///
/// After a statement that failed it can only be dropped: PostgreSQL would take a commit for a rollback without a word,
/// and a use case that went on would have half of a change.
pub struct SqlTransaction {
    transaction: DatabaseTransaction,
    connection: DatabaseConnection,
    state: State,
    observed: Observed,
    /// Is notified where a mail was put into the outbox.
    wake: Option<Arc<Notify>>,
    has_mail: bool,
    place: Option<OwnedSemaphorePermit>,
}

/// Statements that are not made yet.
pub(crate) type Statements<'a> = Box<dyn Iterator<Item = Statement> + Send + 'a>;

/// How many parameters a statement has at most: SQLite takes 32,766, PostgreSQL 65,535.
const PARAMETERS: usize = 32_766;

/// How many values one statement adds at most: more are slower, because they leave the processor's cache in between.
const INSERTED: usize = 1_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Clean,
    /// Something was erased that is not to stay in the log.
    Erased,
    Failed,
}

impl SqlTransaction {
    pub(crate) fn new(transaction: DatabaseTransaction, connection: DatabaseConnection, observed: Observed) -> Self {
        Self { transaction, connection, state: State::Clean, observed, wake: None, has_mail: false, place: None }
    }

    /// One of which nobody is told.
    pub(crate) fn unobserved(transaction: DatabaseTransaction, connection: DatabaseConnection) -> Self {
        Self::new(transaction, connection, Waiting::new(None).begin())
    }

    /// The same transaction, which wakes whoever empties the outbox.
    pub(crate) fn waking(self, wake: Option<Arc<Notify>>) -> Self {
        Self { wake, ..self }
    }

    /// The same transaction, which has a place until it ends.
    pub(crate) fn in_place(self, place: Option<OwnedSemaphorePermit>) -> Self {
        Self { place, ..self }
    }

    /// Tells whoever observes the store, once this is committed, that something happened.
    pub(crate) fn tell(&mut self, record: &TrailRecord) {
        self.observed.record(record);
    }

    /// Has the outbox emptied after the commit.
    pub(crate) fn mailed(&mut self) {
        self.has_mail = true;
    }

    /// Adds a row.
    pub(crate) async fn insert<A>(&mut self, row: impl IntoActiveModel<A>) -> Result<(), StoreError>
    where
        A: ActiveModelTrait,
    {
        let result = A::Entity::insert(row.into_active_model()).exec_without_returning(&self.transaction).await;
        self.check(result).map(drop)
    }

    /// Adds a row, or changes the one that is there.
    pub(crate) async fn insert_or<A>(
        &mut self,
        row: impl IntoActiveModel<A>,
        there: OnConflict,
    ) -> Result<(), StoreError>
    where
        A: ActiveModelTrait,
    {
        let insert = A::Entity::insert(row.into_active_model()).on_conflict(there);
        let result = insert.exec_without_returning(&self.transaction).await;
        self.check(result).map(drop)
    }

    /// The statements that add these rows, some in each; a statement is made when its turn comes. Those with as many rows
    /// share their text.
    pub(crate) fn inserts<'a, E>(&self, rows: impl Iterator<Item = E::Model> + Send + 'a) -> Statements<'a>
    where
        E: EntityTrait<Model: IntoActiveModel<E::ActiveModel> + Send>,
    {
        let backend = self.transaction.get_database_backend();
        let at_once = INSERTED / E::Column::iter().count();
        let mut rows = rows.peekable();
        let mut latest: Option<(usize, String)> = None;
        Box::new(std::iter::from_fn(move || {
            rows.peek()?;
            let rows: Vec<_> = rows.by_ref().take(at_once).map(IntoActiveModel::into_active_model).collect();
            let count = rows.len();
            Some(match &latest {
                Some((same, sql)) if *same == count => Statement::from_sql_and_values(backend, sql, values::<E>(rows)),
                _ => {
                    let statement = E::insert_many(rows).build(backend);
                    latest = Some((count, statement.sql.clone()));
                    statement
                }
            })
        }))
    }

    /// Executes statements one after another. While the database is at one of them the next is made, which takes about as
    /// long.
    pub(crate) async fn execute_all(&mut self, mut statements: Statements<'_>) -> Result<(), StoreError> {
        let mut next = statements.next();
        while let Some(statement) = next {
            let (result, made) = tokio::join!(self.transaction.execute_raw(statement), async { statements.next() });
            self.check(result)?;
            next = made;
        }
        Ok(())
    }

    /// Finds the rows in which a column has one of these values, as many in one statement as the database takes.
    pub(crate) async fn list_among<E, V>(
        &mut self,
        column: E::Column,
        values: &[V],
    ) -> Result<Vec<E::Model>, StoreError>
    where
        E: EntityTrait,
        V: Clone + Into<Value>,
    {
        let mut found = Vec::new();
        for values in values.chunks(PARAMETERS) {
            found.extend(self.list(E::find().filter(column.is_in(values.iter().cloned()))).await?);
        }
        Ok(found)
    }

    /// Finds a row.
    pub(crate) async fn find<E: EntityTrait>(&mut self, select: Select<E>) -> Result<Option<E::Model>, StoreError> {
        let result = select.one(&self.transaction).await;
        self.check(result)
    }

    /// Finds rows.
    pub(crate) async fn list<E: EntityTrait>(&mut self, select: Select<E>) -> Result<Vec<E::Model>, StoreError> {
        let result = select.all(&self.transaction).await;
        self.check(result)
    }

    /// Finds what was computed out of rows.
    pub(crate) async fn list_as<E, T>(&mut self, select: Select<E>) -> Result<Vec<T>, StoreError>
    where
        E: EntityTrait,
        T: FromQueryResult,
    {
        let result = select.into_model::<T>().all(&self.transaction).await;
        self.check(result)
    }

    /// Finds what a statement computes that both databases read alike.
    pub(crate) async fn list_by_statement<T: FromQueryResult>(
        &mut self,
        statement: &'static str,
    ) -> Result<Vec<T>, StoreError> {
        let statement = Statement::from_string(self.transaction.get_database_backend(), statement);
        let result = T::find_by_statement(statement).all(&self.transaction).await;
        self.check(result)
    }

    /// Finds the rows of a statement in which places are `$1`, `$2` and so on.
    pub(crate) async fn rows<const N: usize>(
        &mut self,
        statement: &str,
        values: [Value; N],
    ) -> Result<Vec<QueryResult>, StoreError> {
        let statement = Statement::from_sql_and_values(self.transaction.get_database_backend(), statement, values);
        let result = self.transaction.query_all_raw(statement).await;
        self.check(result)
    }

    /// Changes exactly one row: a conflict where its version is another, or where there is none.
    pub(crate) async fn save<E: EntityTrait>(&mut self, update: UpdateMany<E>) -> Result<(), StoreError> {
        if self.update(update).await? == 1 {
            Ok(())
        } else {
            self.fail(&StoreError::Conflict);
            Err(StoreError::Conflict)
        }
    }

    /// Changes rows, and says how many.
    pub(crate) async fn update<E: EntityTrait>(&mut self, update: UpdateMany<E>) -> Result<u64, StoreError> {
        let result = update.exec(&self.transaction).await;
        self.check(result).map(|result| result.rows_affected)
    }

    /// Removes rows, and says how many.
    pub(crate) async fn delete<E: EntityTrait>(&mut self, delete: DeleteMany<E>) -> Result<u64, StoreError> {
        let result = delete.exec(&self.transaction).await;
        self.check(result).map(|result| result.rows_affected)
    }

    /// Has the log emptied after the commit.
    pub(crate) fn erased(&mut self) {
        if self.state == State::Clean {
            self.state = State::Erased;
        }
    }

    fn check<T>(&mut self, result: Result<T, DbErr>) -> Result<T, StoreError> {
        result.map_err(|fault| {
            let fault = store_error(fault);
            self.fail(&fault);
            fault
        })
    }

    fn fail(&mut self, fault: &StoreError) {
        self.state = State::Failed;
        self.observed.failed(fault);
    }
}

#[async_trait]
impl Transaction for SqlTransaction {
    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let Self { transaction, connection, state, mut observed, wake, has_mail, place } = *self;
        if state == State::Failed {
            return Err(StoreError::Conflict);
        }
        // Also where nobody waits for the answer of the commit any more, or it gets lost: it may stand.
        let _woken = wake.filter(|_| has_mail).map(Woken);
        let committed = transaction.commit().await.map_err(store_error);
        match &committed {
            Ok(()) => observed.committed(),
            Err(fault) => observed.failed(fault),
        }
        drop((observed, place));
        committed?;
        if state == State::Erased && connection.get_database_backend() == DbBackend::Sqlite {
            // The commit stands. Where the log cannot be emptied now, the next erasure empties it, at the latest when what has
            // had its time is forgotten.
            sqlite::empty_log(connection).await;
        }
        Ok(())
    }

    fn count_milestone(&mut self, milestone: Option<Milestone>) {
        self.observed.reached(milestone);
    }
}

/// Is woken when this is dropped.
struct Woken(Arc<Notify>);

impl Drop for Woken {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// The values of rows, in the order of an insert.
fn values<E: EntityTrait>(rows: Vec<E::ActiveModel>) -> Vec<Value> {
    let values = rows.into_iter().flat_map(|mut row| E::Column::iter().map(move |column| row.take(column)));
    values.filter_map(ActiveValue::into_value).collect()
}
