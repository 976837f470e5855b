//! How the tables came to be: one file for one step, each run once on a database and never changed afterwards.

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

use std::collections::HashSet;

use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr};
use sea_orm_migration::{MigrationTrait, MigratorTrait};

use crate::store;

/// The table in which it is noted which steps were run.
pub(crate) const TABLE: &str = "seaql_migrations";

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
        ]
    }
}

/// Runs the steps that were not run yet, all in one transaction, one server at a time.
pub(crate) async fn run(connection: &DatabaseConnection) -> Result<(), DbErr> {
    let transaction = store::begin_migration(connection).await?;
    run_within(&transaction).await?;
    transaction.commit().await
}

/// Runs the steps that were not run yet, in a transaction beside which no other one runs.
pub(crate) async fn run_within(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    Migrator::up(transaction, None).await
}

/// Whether exactly the steps that this program knows were run.
pub(crate) async fn are_of_this_version(transaction: &DatabaseTransaction) -> Result<bool, DbErr> {
    let run = Migrator::get_migration_models(transaction).await?;
    let run: HashSet<&str> = run.iter().map(|step| step.version.as_str()).collect();
    let known = Migrator::migrations();
    Ok(run == known.iter().map(|step| step.name()).collect())
}

/// What follows a column that refers to a row of another table. It is checked at the commit, so that the order in which
/// a use case saves is its own affair. Both databases read it alike.
fn refers_to(target: &str) -> String {
    format!("REFERENCES {target} DEFERRABLE INITIALLY DEFERRED")
}
