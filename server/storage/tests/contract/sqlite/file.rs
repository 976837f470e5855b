//! The file and its folder, what is refused below the ports, and what is left on disk.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{
    delivery::Undelivered,
    mail::OutboxMail,
    ports::{Store, StoreError, VaultCiphertext},
};
use sea_orm::sqlx::{self, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use storage::{ConnectError, Location, connect};
use tempfile::TempDir;

use super::{data, open, shared};
use crate::suite::{erasing::with_everything_of, fixtures::*};

/// Opens the file past the store.
async fn open_file(folder: &TempDir) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(data(folder).join("service-centre.sqlite"));
    SqliteConnection::connect_with(&options).await.unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Whether a file of the data folder holds these bytes.
fn on_disk(folder: &TempDir, bytes: &[u8]) -> bool {
    let files: Vec<PathBuf> = fs::read_dir(data(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 2, "{files:?}");
    files.iter().any(|file| fs::read(file).unwrap().windows(bytes.len()).any(|window| window == bytes))
}

#[tokio::test]
async fn folder_and_files_are_the_owners_only() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    with_card(&shared(&store)).await;
    assert_eq!(mode(&data(&folder)), 0o700);
    for file in ["service-centre.sqlite", "service-centre.sqlite-wal", "service-centre.sqlite-shm"] {
        assert_eq!(mode(&data(&folder).join(file)), 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_file_that_was_open_to_others_is_closed_to_them() {
    let folder = tempfile::tempdir().unwrap();
    open(&folder).await.close().await.unwrap();
    let file = data(&folder).join("service-centre.sqlite");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let _store = open(&folder).await;
    assert_eq!(mode(&file), 0o600);
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("made"), "a file").unwrap();
    let fault = connect(&Location::folder(data(&folder))).await.err().unwrap();
    assert!(matches!(&fault, ConnectError::Folder { path, .. } if *path == data(&folder)), "{fault:?}");
}

#[tokio::test]
async fn all_is_there_after_the_store_was_closed_or_just_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    with_card(&shared(&store)).await;
    drop(store);
    let store = open(&folder).await;
    committed!(&shared(&store), |transaction| transaction.insert_trail_record(&record(1, Some(1))));
    store.close().await.unwrap();
    assert!(matches!(store.begin().await, Err(StoreError::Unavailable(_))));

    let store = shared(&open(&folder).await);
    assert_eq!(tried!(&store, |transaction| transaction.card(&guid(1))).unwrap(), Some(card(1)));
    assert_eq!(tried!(&store, |transaction| transaction.trail_head()).unwrap(), Some(record(1, Some(1))));
}

#[tokio::test]
async fn a_database_of_a_newer_service_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    open(&folder).await.close().await.unwrap();
    let mut file = open_file(&folder).await;
    sqlx::query("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_later', 0)")
        .execute(&mut file)
        .await
        .unwrap();
    let fault = connect(&Location::folder(data(&folder))).await.err().unwrap();
    assert!(matches!(fault, ConnectError::Newer), "{fault:?}");
}

#[tokio::test]
async fn a_trail_record_is_neither_changed_nor_removed() {
    let folder = tempfile::tempdir().unwrap();
    let store = shared(&open(&folder).await);
    for number in 1..=3 {
        committed!(&store, |transaction| transaction.insert_trail_record(&record(number, None)));
    }
    let mut file = open_file(&folder).await;
    for statement in [
        "UPDATE trail SET entry = 'nothing happened' WHERE number = 2",
        "UPDATE trail SET number = 9 WHERE number = 3",
        "DELETE FROM trail WHERE number = 3",
        "DELETE FROM trail",
    ] {
        let refused = sqlx::query(statement).execute(&mut file).await.err();
        assert!(refused.is_some_and(|fault| fault.to_string().contains("append-only")), "{statement}");
    }
    let records = tried!(&store, |transaction| transaction.trail_from(1, 9)).unwrap();
    assert_eq!(records, [record(1, None), record(2, None), record(3, None)]);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_a_fault_that_names_the_column_only() {
    let folder = tempfile::tempdir().unwrap();
    let store = shared(&open(&folder).await);
    with_card(&store).await;
    let mut file = open_file(&folder).await;
    sqlx::query("UPDATE cards SET state = 'borrowed'").execute(&mut file).await.unwrap();
    let fault = tried!(&store, |transaction| transaction.card(&guid(1))).err().unwrap();
    let StoreError::Unavailable(source) = fault else { panic!("{fault}") };
    assert_eq!(source.to_string(), "cards.state cannot be read");
}

#[tokio::test]
async fn the_body_of_a_mail_that_is_done_with_is_nowhere_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let store = shared(&open(&folder).await);
    let body = |number: u8| format!("body of mail {number} ").repeat(400).into_bytes();
    let long = |number: u8| OutboxMail { sealed: VaultCiphertext(body(number)), ..mail(number, 0) };
    for number in [1, 2, 3] {
        committed!(&store, |transaction| transaction.insert_mail(&long(number)));
    }
    for number in [1, 2, 3] {
        assert!(on_disk(&folder, &body(number)[..32]), "mail {number} is not even there");
    }
    dispatched!(&store, |dispatch| dispatch.mark_mail_sent(long(1).id, at(1)));
    committed!(&store, |transaction| transaction.end_mail(long(2).id, Undelivered::Refused, at(1)));
    for (number, kept) in [(1, false), (2, false), (3, true)] {
        assert_eq!(on_disk(&folder, &body(number)[..32]), kept, "mail {number}");
    }
}

#[tokio::test]
async fn who_reads_an_earlier_state_as_a_backup_does_keeps_nobody_waiting_and_the_log_is_emptied_later() {
    let folder = tempfile::tempdir().unwrap();
    let store = shared(&open(&folder).await);
    let body = b"the body of a mail".repeat(400);
    for number in 1..=4 {
        let mail = OutboxMail { sealed: VaultCiphertext(body.clone()), ..mail(number, 0) };
        committed!(&store, |transaction| transaction.insert_mail(&mail));
    }
    let mut file = open_file(&folder).await;
    let mut backup = file.begin().await.unwrap();
    sqlx::query("SELECT id FROM outbox").fetch_all(&mut *backup).await.unwrap();

    let began = Instant::now();
    for number in 1..=4 {
        dispatched!(&store, |dispatch| dispatch.mark_mail_sent(mail(number, 0).id, at(1)));
    }
    assert!(began.elapsed() < Duration::from_secs(15), "four mails took {:?}", began.elapsed());
    assert!(on_disk(&folder, &body[..32]), "it was not read as it was before");
    backup.rollback().await.unwrap();
    committed!(&store, |transaction| transaction.forget_before(at(0)));
    assert!(!on_disk(&folder, &body[..32]));
}

#[tokio::test]
async fn after_an_erasure_another_program_is_waited_for_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let store = shared(&open(&folder).await);
    committed!(&store, |transaction| transaction.forget_before(at(0)));
    let mut file = open_file(&folder).await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut file).await.unwrap();
    let waiting = Arc::clone(&store);
    let waiting = tokio::spawn(async move { committed!(&waiting, |transaction| transaction.forget_before(at(0))) });
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!waiting.is_finished(), "it does not wait");
    sqlx::query("COMMIT").execute(&mut file).await.unwrap();
    waiting.await.unwrap();
}

#[tokio::test]
async fn a_person_who_was_erased_is_nowhere_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let store = shared(&open(&folder).await);
    for number in [11, 1, 15, 8, 19, 3] {
        with_everything_of(&store, number).await;
    }
    let traces = |number: u8| {
        let person = person(number);
        let address = email(number).as_str().to_owned();
        let texts = [person.user_number.as_str().to_owned(), person.name, address].map(String::into_bytes);
        [&texts[..], &[person.trail_salt.expose_secret().to_vec(), unlock_key(20 + number).sealed.0]].concat()
    };
    for trace in [traces(8), traces(15)].concat() {
        assert!(on_disk(&folder, &trace), "{} is not even there", String::from_utf8_lossy(&trace));
    }
    committed!(&store, |transaction| transaction.erase_person(&user_number(8)));
    for trace in traces(8) {
        assert!(!on_disk(&folder, &trace), "{} is still there", String::from_utf8_lossy(&trace));
    }
    for trace in traces(15) {
        assert!(on_disk(&folder, &trace), "{} is gone", String::from_utf8_lossy(&trace));
    }
}

#[tokio::test]
async fn nothing_that_managers_ask_for_walks_a_whole_table() {
    let folder = tempfile::tempdir().unwrap();
    open(&folder).await.close().await.unwrap();
    let mut file = open_file(&folder).await;
    for (statement, index) in [
        ("SELECT * FROM trail WHERE at >= 1 AND at < 9 ORDER BY at DESC, number DESC", "trail_by_time"),
        (
            "SELECT * FROM trail WHERE at >= 1 AND event = 'x' AND (at, number) < (9, 9) ORDER BY at DESC, number DESC",
            "trail_by_event",
        ),
        ("SELECT * FROM trail WHERE officer = 'x' ORDER BY at DESC, number DESC", "trail_by_officer"),
        ("SELECT * FROM trail WHERE person = 'x' AND card = 'y' ORDER BY at DESC, number DESC", "trail_of_person"),
        ("SELECT * FROM people WHERE trail_prefix IN (1, 2)", "people_by_trail_name"),
        ("SELECT * FROM outbox WHERE owner = 'x'", "mails_of_person"),
        (
            "SELECT day, figure, sum(count) FROM daily_counts WHERE day BETWEEN '1' AND '2' GROUP BY 1, 2",
            "counts_by_day",
        ),
    ] {
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")))
                .fetch_all(&mut file)
                .await
                .unwrap();
        let plan: Vec<String> = plan.into_iter().map(|(_, _, _, step)| step).collect();
        assert!(plan[0].starts_with("SEARCH") && plan[0].contains(index), "{statement}: {plan:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_people_of_an_older_database_get_a_salt_each() {
    let folder = tempfile::tempdir().unwrap();
    open(&folder).await.close().await.unwrap();
    let mut file = open_file(&folder).await;
    for statement in [
        "ALTER TABLE people DROP COLUMN trail_salt",
        "DELETE FROM seaql_migrations WHERE version = 'm0009_trail_salts'",
        "INSERT INTO people (user_number, name) VALUES ('NHS-1', 'Zoë Ng'), ('NHS-2', 'Ann Lee')",
    ] {
        sqlx::query(statement).execute(&mut file).await.unwrap();
    }
    let (first, second) = tokio::join!(open(&folder), open(&folder));
    salts_are_there(&[shared(&first), shared(&second)]).await;
}
