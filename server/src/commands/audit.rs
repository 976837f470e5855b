//! `audit verify`: follows the chain of the audit trail.

use anyhow::bail;
use domain::{
    ports::{Store, StoreError},
    trail::{BrokenChain, ChainEnd, TrailKey},
};

use crate::{config::Settings, housekeeping::hex};

/// How many records are read at once.
const PAGE: u64 = 500;

/// Follows the chain from the first record to the last, and prints its end: compare it with the last one logged.
///
/// # Errors
///
/// When the chain is broken, or cannot be read.
pub async fn verify(settings: &Settings) -> anyhow::Result<()> {
    let secrets = super::secrets(settings)?;
    let store = super::store(settings).await?;
    match follow(&*store, &secrets.trail_key).await? {
        Ok(end) => {
            println!("The audit trail holds: {} records, the last {}", end.number, hex(&end.mac));
            Ok(())
        }
        Err(BrokenChain { number }) => bail!("the audit trail is broken at record {number}"),
    }
}

/// Follows the chain from the first record to the last.
///
/// # Errors
///
/// [`StoreError`] when it cannot be read.
pub async fn follow(store: &dyn Store, key: &TrailKey) -> Result<Result<ChainEnd, BrokenChain>, StoreError> {
    let mut end = ChainEnd::START;
    loop {
        // A transaction for each page: the service waits for as long as one is open, and records only come after others.
        let records = store.begin().await?.trail_from(end.number + 1, PAGE).await?;
        if records.is_empty() {
            return Ok(Ok(end));
        }
        match key.follow(end, &records) {
            Ok(next) => end = next,
            Err(broken) => return Ok(Err(broken)),
        }
    }
}
