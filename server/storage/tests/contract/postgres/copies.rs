//! An SQLite database is copied to PostgreSQL.

use std::collections::BTreeSet;

use domain::{figure::Figure, ports::Store};
use sea_orm::sqlx::{self, Connection, Executor, SqliteConnection, sqlite::SqliteConnectOptions};
use storage::{ConnectError, CopiedTable, CopyError, DatabaseCopy, Location, connect, testing::TestSchema};
use tempfile::TempDir;
use time::macros::date;

use super::{open, open_past};
use crate::{
    sqlite,
    suite::{
        erasing::{has_everything_of, with_everything_of},
        fixtures::*,
        reports::run,
    },
};

/// More than are read at once.
const RECORDS: u64 = 2_501;

/// A database that has rows in every table, which nobody has open.
async fn filled() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let opened = sqlite::open(&folder).await;
    let store = sqlite::shared(&opened);
    for number in [1, 2, 3] {
        with_everything_of(&store, number).await;
    }
    let mut transaction = begin(&store).await;
    for number in 1..=RECORDS {
        transaction.insert_trail_record(&record(number, (number % 2 == 0).then_some(1))).await.unwrap();
    }
    transaction.insert_mail(&mail(1, 0)).await.unwrap();
    transaction.insert_certificate_authority(&authority()).await.unwrap();
    transaction.count(date!(2026 - 11 - 28), Figure::Unlocked, Some(&organisation(1))).await.unwrap();
    transaction.insert_import_run(&run(1, 20)).await.unwrap();
    transaction.commit().await.unwrap();
    opened.close().await.unwrap();
    folder
}

fn location(folder: &TempDir) -> Location {
    Location::folder(sqlite::data(folder))
}

async fn file(folder: &TempDir) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(sqlite::data(folder).join("service-centre.sqlite"));
    SqliteConnection::connect_with(&options).await.unwrap()
}

async fn copied(folder: &TempDir, schema: &TestSchema) -> Vec<CopiedTable> {
    let mut copy = DatabaseCopy::begin(&location(folder), &schema.location()).await.unwrap();
    let tables = copy.copy().await.unwrap();
    copy.commit().await.unwrap();
    tables
}

async fn refused(folder: &TempDir, schema: &TestSchema) -> CopyError {
    match DatabaseCopy::begin(&location(folder), &schema.location()).await {
        Ok(mut copy) => copy.copy().await.err().unwrap(),
        Err(fault) => fault,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_table_of_the_migrations_is_copied_with_its_rows() {
    let (folder, schema) = (filled().await, TestSchema::make().await);
    let tables = copied(&folder, &schema).await;
    let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
        AND name NOT IN ('seaql_migrations', 'schema_release')";
    let names: BTreeSet<String> =
        sqlx::query_scalar(names).fetch_all(&mut file(&folder).await).await.unwrap().into_iter().collect();
    assert_eq!(tables.iter().map(|table| table.name.clone()).collect::<BTreeSet<_>>(), names);
    // Of a table without rows nobody would see whether it is copied: let `filled` put some into a new one.
    let empty: Vec<_> = tables.iter().filter(|table| table.rows == 0).collect();
    assert!(empty.is_empty(), "{empty:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_holds_what_was_copied() {
    let (folder, schema) = (filled().await, TestSchema::make().await);
    copied(&folder, &schema).await;
    let opened = connect(&location(&folder)).await.unwrap();
    for store in [open(&schema).await, sqlite::shared(&opened)] {
        for number in [1, 2, 3] {
            has_everything_of(&store, number).await;
        }
        let mut transaction = begin(&store).await;
        let expected: Vec<_> = (1..=RECORDS).map(|number| record(number, (number % 2 == 0).then_some(1))).collect();
        assert_eq!(transaction.trail_from(1, 9_999).await.unwrap(), expected);
        assert_eq!(transaction.certificate_authority().await.unwrap(), Some(authority()));
        assert_eq!(transaction.organisations().await.unwrap(), [organisation(1)]);
        assert_eq!(transaction.latest_import_runs(9).await.unwrap(), [run(1, 20)]);
        drop(transaction);
        assert_eq!(due_mails(&store, 50, 9).await, [mail(1, 0)]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_goes_on_numbering_where_the_original_was() {
    let (folder, schema) = (filled().await, TestSchema::make().await);
    copied(&folder, &schema).await;
    let store = open(&schema).await;
    committed!(&store, |transaction| transaction.insert_code_mail(&user_number(1), at(9)));
    let noted = tried!(&store, |transaction| transaction.code_mails_since(&user_number(1), at(0))).unwrap();
    assert_eq!(noted, [at(1), at(2), at(3), at(9)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_is_not_committed_leaves_nothing() {
    let (folder, schema) = (filled().await, TestSchema::make().await);
    let mut copy = DatabaseCopy::begin(&location(&folder), &schema.location()).await.unwrap();
    copy.copy().await.unwrap();
    drop(copy);
    let tables = "SELECT FROM information_schema.tables WHERE table_schema = current_schema()";
    assert_eq!(open_past(&schema).await.execute(tables).await.unwrap().rows_affected(), 0);
    assert_eq!(copied(&folder, &schema).await.len(), copied(&folder, &TestSchema::make().await).await.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_with_rows_is_refused() {
    let (folder, schema) = (filled().await, TestSchema::make().await);
    copied(&folder, &schema).await;
    let fault = refused(&folder, &schema).await;
    assert!(matches!(fault, CopyError::NotEmpty { .. }), "{fault:?}");

    let schema = TestSchema::make().await;
    open_past(&schema).await.execute("CREATE TABLE somebody_elses (number bigint)").await.unwrap();
    let fault = refused(&folder, &schema).await;
    assert!(
        matches!(&fault, CopyError::Different { difference } if difference == "somebody_elses.number"),
        "{fault:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_lacks_a_row_is_found_out() {
    let (folder, schema) = (filled().await, TestSchema::make().await);
    open(&schema).await;
    open_past(&schema)
        .await
        .execute(
            "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
             CREATE TRIGGER lose BEFORE INSERT ON trail FOR EACH ROW WHEN (NEW.number = 2000) EXECUTE FUNCTION lose()",
        )
        .await
        .unwrap();
    let fault = refused(&folder, &schema).await;
    assert!(
        matches!(&fault, CopyError::Miscounted { table, source_rows: RECORDS, target_rows }
            if table == "trail" && *target_rows == RECORDS - 1),
        "{fault:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_a_service_has_open_is_refused_and_cannot_be_opened_while_it_is_copied() {
    let (folder, schema) = (filled().await, TestSchema::make().await);
    let service = connect(&location(&folder)).await.unwrap();
    let fault = refused(&folder, &schema).await;
    assert!(matches!(fault, CopyError::Source(ConnectError::InUse)), "{fault:?}");
    service.begin().await.unwrap().commit().await.unwrap();
    service.close().await.unwrap();

    let copy = DatabaseCopy::begin(&location(&folder), &schema.location()).await.unwrap();
    assert!(connect(&location(&folder)).await.is_err());
    drop(copy);
    connect(&location(&folder)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_of_another_version_is_refused_and_so_is_none() {
    let schema = TestSchema::make().await;
    for statement in [
        "DELETE FROM seaql_migrations WHERE version = (SELECT max(version) FROM seaql_migrations)",
        "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_later', 0)",
    ] {
        let folder = filled().await;
        file(&folder).await.execute(statement).await.unwrap();
        let fault = refused(&folder, &schema).await;
        assert!(matches!(fault, CopyError::OtherVersion), "{fault:?}");
    }
    let fault = refused(&tempfile::tempdir().unwrap(), &schema).await;
    assert!(matches!(fault, CopyError::Source(ConnectError::Missing { .. })), "{fault:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_column_that_only_one_of_the_two_has_is_not_forgotten() {
    let (folder, schema) = (filled().await, TestSchema::make().await);
    file(&folder).await.execute("ALTER TABLE people ADD COLUMN nickname text").await.unwrap();
    let fault = refused(&folder, &schema).await;
    assert!(matches!(&fault, CopyError::Different { difference } if difference == "people.nickname"), "{fault:?}");
}
