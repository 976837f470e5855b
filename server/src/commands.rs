//! What the program does, a file for each of its commands.

pub mod audit;
pub mod backup;
pub mod bridge_config;
pub mod ca_certificate;
pub mod check_config;
pub mod copy_database;
pub mod demo;
pub mod erase_person;
pub mod grant_ra;
pub mod import;
pub mod import_key;
pub mod send_test_mail;
pub mod serve;
pub mod vault;

use anyhow::Context;
use storage::SqlStore;

use crate::{config::Settings, randomness::SystemRandomness, secrets::Secrets};

/// Reads the secrets, and makes them where that is right, before the database is made.
fn secrets(settings: &Settings) -> anyhow::Result<Secrets> {
    let age = settings.database.age(settings.data.as_deref());
    Ok(Secrets::load(&settings.secrets, settings.may_make_secrets(), age, &SystemRandomness)?)
}

/// Opens the database.
async fn store(settings: &Settings) -> anyhow::Result<SqlStore> {
    let location = settings.database.location(settings.data.as_deref())?;
    storage::connect(&location).await.context("the database")
}
