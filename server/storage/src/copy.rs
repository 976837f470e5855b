//! Copying an SQLite database into an empty one of PostgreSQL: every table, in one transaction of each.
//!
//! Which tables and columns there are is asked of both databases, so that none can be forgotten; that they are the same is
//! checked before the first row is read. What the copy is worth besides (that the audit trail holds) is for whoever commits
//! it to find out, within the same transaction.

use domain::ports::{StoreError, Transaction};
use sea_orm::{DbBackend, QueryResult, Statement, Value};
use uuid::Uuid;

use crate::{
    ConnectError, Location, SqlTransaction,
    connect::{self, Kind},
    migrations, sqlite,
    store::{begin_migration, begin_turn},
};

/// How many rows are read at once.
const PAGE: u64 = 1_000;

/// How many values one statement adds at most.
const INSERTED: usize = 5_000;

/// A copy that is under way. Dropped without [`DatabaseCopy::commit`], it leaves nothing.
pub struct DatabaseCopy {
    source: SqlTransaction,
    target: SqlTransaction,
}

/// A table that was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopiedTable {
    /// Its name.
    pub name: String,
    /// How many rows it has, there and here.
    pub rows: u64,
}

/// The database cannot be copied. Nothing of it is at the target.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The database to be copied is not SQLite.
    #[error("only a database of SQLite can be copied")]
    SourceKind,
    /// The database to be filled is not PostgreSQL.
    #[error("a database can be copied to PostgreSQL only")]
    TargetKind,
    /// The one to be copied does not open.
    #[error("the database that is to be copied")]
    Source(#[source] ConnectError),
    /// The one to be filled does not open.
    #[error("the database that is to be filled")]
    Target(#[source] ConnectError),
    /// The tables of one of them are of another version.
    #[error("both databases must be of the version of this program: start it on the one that is to be copied once")]
    OtherVersion,
    /// There is something already.
    #[error("the database that is to be filled is not empty: its table {table} has rows")]
    NotEmpty {
        /// A table with rows.
        table: String,
    },
    /// The two do not have the same tables and columns.
    #[error("the two databases differ in their tables or columns: {difference}")]
    Different {
        /// Some that only one of them has.
        difference: String,
    },
    /// A column of a type that nobody has thought of.
    #[error("the column {table}.{column} is of an unknown type: {kind}")]
    UnknownType {
        /// Its table.
        table: String,
        /// Its name.
        column: String,
        /// The type.
        kind: String,
    },
    /// The copy has another number of rows.
    #[error("the table {table} has {source_rows} rows, its copy {target_rows}")]
    Miscounted {
        /// Which.
        table: String,
        /// How many there are.
        source_rows: u64,
        /// How many of them were copied.
        target_rows: u64,
    },
    /// A table cannot be read or written.
    #[error("the table {table} cannot be copied")]
    Table {
        /// Which.
        table: String,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// One of the databases does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A table and those of its columns that somebody writes.
struct Table {
    name: String,
    columns: Vec<(String, ColumnKind)>,
}

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ColumnKind {
    Bytes,
    Flag,
    Integer,
    Long,
    Text,
    Uuid,
}

impl ColumnKind {
    fn of(postgres: &str) -> Option<Self> {
        match postgres {
            "bytea" => Some(Self::Bytes),
            "boolean" => Some(Self::Flag),
            "integer" => Some(Self::Integer),
            "bigint" => Some(Self::Long),
            "text" | "character varying" => Some(Self::Text),
            "uuid" => Some(Self::Uuid),
            _ => None,
        }
    }

    fn read(self, row: &QueryResult, column: usize) -> Result<Value, sea_orm::DbErr> {
        Ok(match self {
            Self::Bytes => row.try_get_by_index::<Option<Vec<u8>>>(column)?.into(),
            Self::Flag => row.try_get_by_index::<Option<bool>>(column)?.into(),
            Self::Integer => row.try_get_by_index::<Option<i32>>(column)?.into(),
            Self::Long => row.try_get_by_index::<Option<i64>>(column)?.into(),
            Self::Text => row.try_get_by_index::<Option<String>>(column)?.into(),
            Self::Uuid => row.try_get_by_index::<Option<Uuid>>(column)?.into(),
        })
    }
}

impl DatabaseCopy {
    /// Opens both: the source so that nobody else has it open, and the target with tables that are up to date, in the
    /// transaction in which they will be filled.
    ///
    /// # Errors
    ///
    /// [`CopyError`]; among others where a service runs on the source, or the target has rows.
    pub async fn begin(source: &Location, target: &Location) -> Result<Self, CopyError> {
        let Kind::Folder(folder) = &source.0 else { return Err(CopyError::SourceKind) };
        let Kind::Postgres { options, connections } = &target.0 else { return Err(CopyError::TargetKind) };
        let connection = sqlite::open_alone(folder).await.map_err(CopyError::Source)?;
        let of_source = |fault| CopyError::Source(ConnectError::Migration(fault));
        let transaction = begin_turn(&connection).await.map_err(of_source)?;
        if !migrations::are_of_this_version(&transaction).await.map_err(of_source)? {
            return Err(CopyError::OtherVersion);
        }
        let source = SqlTransaction::unobserved(transaction, connection);

        let connection = connect::open_postgres(options, *connections).await.map_err(CopyError::Target)?;
        let of_target = |fault| CopyError::Target(ConnectError::Migration(fault));
        let transaction = begin_migration(&connection).await.map_err(of_target)?;
        migrations::run_within(&transaction).await.map_err(CopyError::Target)?;
        if !migrations::are_of_this_version(&transaction).await.map_err(of_target)? {
            return Err(CopyError::OtherVersion);
        }
        Ok(Self { source, target: SqlTransaction::unobserved(transaction, connection) })
    }

    /// Copies every table, page by page, and counts the rows of both. Numbers that the target gives out itself go on after
    /// those that were copied.
    ///
    /// # Errors
    ///
    /// [`CopyError`].
    pub async fn copy(&mut self) -> Result<Vec<CopiedTable>, CopyError> {
        let tables = self.tables().await?;
        for Table { name, .. } in &tables {
            if count(&mut self.target, name).await? > 0 {
                return Err(CopyError::NotEmpty { table: name.clone() });
            }
        }
        let mut copied = Vec::new();
        for table in &tables {
            let name = table.name.clone();
            self.copy_table(table).await.map_err(|source| CopyError::Table { table: name.clone(), source })?;
            let source_rows = count(&mut self.source, &name).await?;
            let target_rows = count(&mut self.target, &name).await?;
            if source_rows != target_rows {
                return Err(CopyError::Miscounted { table: name, source_rows, target_rows });
            }
            copied.push(CopiedTable { name, rows: target_rows });
        }
        Ok(copied)
    }

    /// What is copied.
    pub fn source(&mut self) -> &mut dyn Transaction {
        &mut self.source
    }

    /// What it was copied to, before it is committed.
    pub fn target(&mut self) -> &mut dyn Transaction {
        &mut self.target
    }

    /// Makes the copy durable. The source is left as it was.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: then there is no copy.
    pub async fn commit(self) -> Result<(), StoreError> {
        Transaction::commit(Box::new(self.target)).await
    }

    /// The tables of both, which must be the same, but for those of the migrations: each database has its own.
    async fn tables(&mut self) -> Result<Vec<Table>, CopyError> {
        let statement = "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns
            WHERE table_schema = current_schema() AND table_name NOT IN ($1, $2) AND is_generated = 'NEVER'
            ORDER BY table_name, column_name";
        let there = self.target.rows(statement, migrations::TABLES.map(Into::into)).await?;
        let statement = "SELECT tables.name, columns.name, '' FROM sqlite_master AS tables
            JOIN pragma_table_xinfo(tables.name) AS columns
            WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%' AND tables.name NOT IN ($1, $2) AND columns.hidden = 0
            ORDER BY tables.name, columns.name";
        let here = self.source.rows(statement, migrations::TABLES.map(Into::into)).await?;
        let [there, here] = [named(&there)?, named(&here)?];
        let missing = |a: &[[String; 3]], b: &[[String; 3]]| {
            let is_missing = |[table, column, _]: &&[String; 3]| !b.iter().any(|[t, c, _]| t == table && c == column);
            a.iter().find(is_missing).map(|[table, column, _]| format!("{table}.{column}"))
        };
        if let Some(difference) = missing(&there, &here).or_else(|| missing(&here, &there)) {
            return Err(CopyError::Different { difference });
        }
        let mut tables: Vec<Table> = Vec::new();
        for [table, column, kind] in there {
            let Some(kinds) = ColumnKind::of(&kind) else { return Err(CopyError::UnknownType { table, column, kind }) };
            match tables.last_mut() {
                Some(last) if last.name == table => last.columns.push((column, kinds)),
                _ => tables.push(Table { name: table, columns: vec![(column, kinds)] }),
            }
        }
        Ok(tables)
    }

    /// While one page is written the next is read.
    async fn copy_table(&mut self, table: &Table) -> Result<(), StoreError> {
        let mut page = read_page(&mut self.source, table, 0).await?;
        while let Some(last) = page.last {
            let Self { source, target } = self;
            let written = target.execute_all(inserts(table, page.rows));
            let (written, next) = tokio::join!(written, read_page(source, table, last));
            written?;
            page = next?;
        }
        self.set_sequences(table).await
    }

    async fn set_sequences(&mut self, table: &Table) -> Result<(), StoreError> {
        let name = quoted(&table.name);
        let numbers = table.columns.iter().filter(|(_, kind)| matches!(kind, ColumnKind::Integer | ColumnKind::Long));
        for (column, _) in numbers {
            let quoted = quoted(column);
            let statement = format!(
                "SELECT setval(sequence, (SELECT max({quoted}) FROM {name}))
                FROM pg_get_serial_sequence($1, $2) AS sequence
                WHERE sequence IS NOT NULL AND EXISTS (SELECT FROM {name})"
            );
            self.target.rows(&statement, [name.clone().into(), column.clone().into()]).await?;
        }
        Ok(())
    }
}

/// Rows as they are to be written, and where the last of them stands in its table.
struct Page {
    rows: Vec<Vec<Value>>,
    last: Option<i64>,
}

async fn read_page(source: &mut SqlTransaction, table: &Table, after: i64) -> Result<Page, StoreError> {
    let columns = columns(table);
    let statement =
        format!("SELECT rowid, {columns} FROM {} WHERE rowid > $1 ORDER BY rowid LIMIT {PAGE}", quoted(&table.name));
    let found = source.rows(&statement, [after.into()]).await?;
    let read = |row: &QueryResult| {
        let values = table.columns.iter().enumerate().map(|(at, (_, kind))| kind.read(row, at + 1));
        values.collect::<Result<Vec<_>, _>>()
    };
    let last = found.last().map(|row| row.try_get_by_index(0)).transpose().map_err(crate::error::store_error)?;
    let rows = found.iter().map(read).collect::<Result<Vec<_>, _>>().map_err(crate::error::store_error)?;
    Ok(Page { rows, last })
}

/// The statements that add these rows.
fn inserts(table: &Table, rows: Vec<Vec<Value>>) -> crate::transaction::Statements<'static> {
    let (name, columns, width) = (quoted(&table.name), columns(table), table.columns.len());
    let mut rows = rows.into_iter().peekable();
    Box::new(std::iter::from_fn(move || {
        rows.peek()?;
        let rows: Vec<_> = rows.by_ref().take(INSERTED / width).collect();
        let row = |at: usize| {
            let places: Vec<_> = (1..=width).map(|column| format!("${}", at * width + column)).collect();
            format!("({})", places.join(", "))
        };
        let places: Vec<_> = (0..rows.len()).map(row).collect();
        let text = format!("INSERT INTO {name} ({columns}) VALUES {}", places.join(", "));
        Some(Statement::from_sql_and_values(DbBackend::Postgres, text, rows.into_iter().flatten()))
    }))
}

async fn count(transaction: &mut SqlTransaction, table: &str) -> Result<u64, StoreError> {
    let counted = transaction.rows(&format!("SELECT count(*) FROM {}", quoted(table)), []).await?;
    let count = counted.first().map(|row| row.try_get_by_index::<i64>(0)).transpose();
    Ok(count.map_err(crate::error::store_error)?.unwrap_or_default().unsigned_abs())
}

fn named(rows: &[QueryResult]) -> Result<Vec<[String; 3]>, StoreError> {
    let read = |row: &QueryResult| Ok([row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?]);
    rows.iter().map(read).collect::<Result<_, _>>().map_err(crate::error::store_error)
}

fn columns(table: &Table) -> String {
    let columns: Vec<_> = table.columns.iter().map(|(column, _)| quoted(column)).collect();
    columns.join(", ")
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
