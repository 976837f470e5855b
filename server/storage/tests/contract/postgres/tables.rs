//! What is refused below the ports, and which of the database's faults are conflicts.

use domain::{ports::StoreError, registration::Registration};
use sea_orm::sqlx::{Executor, PgConnection};
use storage::{ConnectError, Location, connect, testing::TestSchema};

use super::{open, open_past};
use crate::suite::{erasing::with_everything_of, fixtures::*};

async fn execute(connection: &mut PgConnection, statement: &'static str) {
    connection.execute(statement).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_newer_service_is_refused() {
    let schema = TestSchema::make().await;
    drop(open(&schema).await);
    let mut past = open_past(&schema).await;
    execute(&mut past, "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_later', 0)").await;
    let fault = connect(&schema.location()).await.err().unwrap();
    assert!(matches!(fault, ConnectError::Newer), "{fault:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_commits_before_the_disk_has_it_is_refused() {
    let schema = TestSchema::make().await;
    let url = format!("{}&options=-c%20synchronous_commit%3Doff", schema.url());
    let fault = connect(&Location::parse(&url).unwrap()).await.err().unwrap();
    assert!(matches!(fault, ConnectError::Setting { setting: "synchronous_commit" }), "{fault:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trail_record_is_neither_changed_nor_removed() {
    let schema = TestSchema::make().await;
    let store = open(&schema).await;
    for number in 1..=3 {
        committed!(&store, |transaction| transaction.insert_trail_record(&record(number, None)));
    }
    let mut past = open_past(&schema).await;
    for statement in [
        "UPDATE trail SET entry = 'nothing happened' WHERE number = 2",
        "UPDATE trail SET number = 9 WHERE number = 3",
        "DELETE FROM trail WHERE number = 3",
        "DELETE FROM trail",
        "TRUNCATE trail",
    ] {
        let refused = past.execute(statement).await.err();
        assert!(refused.is_some_and(|fault| fault.to_string().contains("append-only")), "{statement}");
    }
    let records = tried!(&store, |transaction| transaction.trail_from(1, 9)).unwrap();
    assert_eq!(records, [record(1, None), record(2, None), record(3, None)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_cannot_be_read_is_a_fault_that_names_the_column_only() {
    let schema = TestSchema::make().await;
    let store = open(&schema).await;
    with_card(&store).await;
    execute(&mut open_past(&schema).await, "UPDATE cards SET state = 'borrowed'").await;
    let fault = tried!(&store, |transaction| transaction.card(&guid(1))).err().unwrap();
    let StoreError::Unavailable(source) = fault else { panic!("{fault}") };
    assert_eq!(source.to_string(), "cards.state cannot be read");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_with_somebody_who_takes_no_turn_is_a_conflict() {
    let schema = TestSchema::make().await;
    let store = open(&schema).await;
    with_card(&store).await;
    committed!(&store, |transaction| transaction.insert_registration(&registration()));
    committed!(&store, |transaction| transaction.insert_session(&session(1, 1)));
    let mut past = open_past(&schema).await;
    // The database ends the one of the two that looks for deadlocks: this one never does.
    execute(&mut past, "SET deadlock_timeout = '1h'").await;
    execute(&mut past, "BEGIN; UPDATE sessions SET last_active = 0").await;

    let mut transaction = begin(&store).await;
    transaction.save_registration(&registration()).await.unwrap();
    let other = tokio::spawn(async move { past.execute("UPDATE registrations SET registered_at = 0").await });
    assert!(is_conflict(&transaction.touch_session(session(1, 1).id, at(9)).await));
    assert!(is_conflict(&transaction.commit().await));
    other.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_is_refused_at_its_commit_is_a_conflict() {
    let schema = TestSchema::make().await;
    let store = open(&schema).await;
    with_card(&store).await;
    committed!(&store, |transaction| transaction.insert_registration(&registration()));
    let refuse = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'serialization_failure'; END $$;
        CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON registrations
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse();";
    execute(&mut open_past(&schema).await, refuse).await;
    let mut transaction = begin(&store).await;
    transaction.save_registration(&registration()).await.unwrap();
    assert!(is_conflict(&transaction.commit().await));
    let found = tried!(&store, |transaction| transaction.registration(&user_number(1))).unwrap();
    assert_eq!(found, Some(Registration { version: 0, ..registration() }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_was_erased_is_in_no_table() {
    let schema = TestSchema::make().await;
    let store = open(&schema).await;
    for number in [8, 15] {
        with_everything_of(&store, number).await;
    }
    let holders = [
        "cards",
        "code_mails",
        "issuances",
        "people",
        "references_shown",
        "registration_flows",
        "registrations",
        "sessions",
        "unlock_flows",
    ];
    assert_eq!(schema.tables_with("NHS-8").await, holders);
    committed!(&store, |transaction| transaction.erase_person(&user_number(8)));
    for trace in ["NHS-8", "Zoë Ng 8", "person8@nhs.net", &id(8).to_string(), &"08".repeat(16)] {
        assert_eq!(schema.tables_with(trace).await, Vec::<String>::new(), "{trace}");
    }
    assert_eq!(schema.tables_with("NHS-15").await, holders);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_people_of_an_older_database_get_a_salt_each() {
    let schema = TestSchema::make().await;
    drop(open(&schema).await);
    let older = "ALTER TABLE people DROP COLUMN trail_salt;
        DELETE FROM seaql_migrations WHERE version = 'm0009_trail_salts';
        INSERT INTO people (user_number, name) VALUES ('NHS-1', 'Zoë Ng'), ('NHS-2', 'Ann Lee');";
    execute(&mut open_past(&schema).await, older).await;
    let (first, second) = tokio::join!(open(&schema), open(&schema));
    salts_are_there(&[first, second]).await;
}
