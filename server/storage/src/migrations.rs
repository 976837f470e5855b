//! How the tables came to be: one file for one step, each run once on a database and never changed afterwards.
//!
//! Servers of two versions that follow each other stand side by side while one replaces the other, so the former one goes on
//! on the tables of the later. It names every column that it reads or writes, and knows nothing of others. Hence a step
//! *expands* and leaves what the version before uses:
//!
//! * it adds tables, indices, and columns that may be missing or have a default;
//! * it fills a new column for the rows that are there, and the code reads a row that the former version wrote since;
//! * it adds no `NOT NULL` without a default, no check, no unique index that the former version's rows can break;
//! * a new value of a column, a new field in JSON text, a new kind of mail is *read* by one version and *written* by the next.
//!
//! What is not needed any more goes one version later: that step *contracts*, when nobody of the version before uses it.
//! To rename is to add, to write both, and to drop, in three versions.
//!
//! Each version that adds a step raises `RELEASE`. A program goes on with tables of a later release as long as these serve it,
//! and refuses to bring tables up to date that are older than the version before its own: servers may still be using what it
//! would drop.

mod m0001_cards;
mod m0002_sessions;
mod m0003_registrations;
mod m0004_unlock_flows;
mod m0005_trail;
mod m0006_outbox;
mod m0007_former_addresses;
mod m0008_frozen_registrations;
mod m0009_trail_salts;
mod m0010_refused_mails;
mod m0011_beginnings_of_unlocks;
mod m0012_desk;
mod m0013_recovery_codes;
mod m0014_issuing;
mod m0015_reports;
mod m0016_ended_registrations;
mod m0017_codes_first;
mod m0018_languages;
mod m0019_schema_release;

use std::collections::HashSet;

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, FromQueryResult, Statement};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait};

use crate::{ConnectError, store};

/// The tables in which it is noted which steps were run, and of which release the tables are.
pub(crate) const TABLES: [&str; 2] = ["seaql_migrations", "schema_release"];

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_cards::Migration),
            Box::new(m0002_sessions::Migration),
            Box::new(m0003_registrations::Migration),
            Box::new(m0004_unlock_flows::Migration),
            Box::new(m0005_trail::Migration),
            Box::new(m0006_outbox::Migration),
            Box::new(m0007_former_addresses::Migration),
            Box::new(m0008_frozen_registrations::Migration),
            Box::new(m0009_trail_salts::Migration),
            Box::new(m0010_refused_mails::Migration),
            Box::new(m0011_beginnings_of_unlocks::Migration),
            Box::new(m0012_desk::Migration),
            Box::new(m0013_recovery_codes::Migration),
            Box::new(m0014_issuing::Migration),
            Box::new(m0015_reports::Migration),
            Box::new(m0016_ended_registrations::Migration),
            Box::new(m0017_codes_first::Migration),
            Box::new(m0018_languages::Migration),
            Box::new(m0019_schema_release::Migration),
        ]
    }
}

/// Of which release the tables are once every step was run. A version of the service that adds a step raises it by one.
const RELEASE: i64 = 1;

/// From which release on a program may go on with them: at most the one before, so that servers of both can stand side
/// by side.
const SERVES_FROM: i64 = 1;

/// Of which release the tables of a database are.
#[derive(FromQueryResult)]
struct Release {
    release: i64,
    serves_from: i64,
}

/// Runs the steps that were not run yet, all in one transaction, one server at a time.
pub(crate) async fn run(connection: &DatabaseConnection) -> Result<(), ConnectError> {
    let transaction = store::begin_migration(connection).await.map_err(ConnectError::Migration)?;
    run_within(&transaction).await?;
    transaction.commit().await.map_err(ConnectError::Migration)
}

/// Runs the steps that were not run yet, in a transaction beside which no other one runs. Where the tables are of the next
/// release there are none, and they can be used.
pub(crate) async fn run_within(transaction: &DatabaseTransaction) -> Result<(), ConnectError> {
    let run = steps_run(transaction).await.map_err(ConnectError::Migration)?;
    let known = Migrator::migrations();
    let has_all = known.iter().all(|step| run.contains(step.name()));
    match release(transaction, &run).await.map_err(ConnectError::Migration)? {
        Some(Release { release, serves_from }) if release > RELEASE => {
            return if serves_from <= RELEASE && has_all { Ok(()) } else { Err(ConnectError::Newer) };
        }
        Some(Release { release, .. }) if release < SERVES_FROM => return Err(ConnectError::Older),
        _ => {}
    }
    if run.iter().any(|step| known.iter().all(|known| known.name() != step)) {
        return Err(ConnectError::Newer);
    }
    Migrator::up(transaction, None).await.map_err(ConnectError::Migration)?;
    let note = format!(
        "INSERT INTO schema_release (id, release, serves_from) VALUES (1, {RELEASE}, {SERVES_FROM})
        ON CONFLICT (id) DO UPDATE SET release = {RELEASE}, serves_from = {SERVES_FROM}"
    );
    transaction.execute_unprepared(&note).await.map(drop).map_err(ConnectError::Migration)
}

async fn release(transaction: &DatabaseTransaction, run: &HashSet<String>) -> Result<Option<Release>, DbErr> {
    if !run.contains(m0019_schema_release::Migration.name()) {
        return Ok(None);
    }
    let select =
        Statement::from_string(transaction.get_database_backend(), "SELECT release, serves_from FROM schema_release");
    Release::find_by_statement(select).one(transaction).await
}

async fn steps_run(transaction: &DatabaseTransaction) -> Result<HashSet<String>, DbErr> {
    let run = Migrator::get_migration_models(transaction).await?;
    Ok(run.into_iter().map(|step| step.version).collect())
}

/// Whether exactly the steps that this program knows were run.
pub(crate) async fn are_of_this_version(transaction: &DatabaseTransaction) -> Result<bool, DbErr> {
    let known: HashSet<String> = Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
    Ok(steps_run(transaction).await? == known)
}

/// What follows a column that refers to a row of another table. It is checked at the commit, so that the order in which
/// a use case saves is its own affair. Both databases read it alike.
fn refers_to(target: &str) -> String {
    format!("REFERENCES {target} DEFERRABLE INITIALLY DEFERRED")
}
