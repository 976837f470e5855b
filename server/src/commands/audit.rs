//! `audit verify`: follows the chain of the audit trail.

use anyhow::bail;
use domain::{
    ports::{Store, StoreError, Transaction},
    trail::{BrokenChain, ChainEnd, TrailKey, TrailRecord},
};

use crate::config::Settings;

/// How many records are read at once.
const PAGE: u64 = 500;

/// What following the chain shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds up to its end.
    Holds(ChainEnd),
    /// A record is missing, changed or out of place.
    Broken(BrokenChain),
    /// It holds, but it is not the trail that the expected record was logged of: that number has another record now.
    Rewritten(ChainEnd),
    /// It holds, but it ends before the expected record.
    CutOff(ChainEnd),
}

impl Verdict {
    /// The end of a trail that holds.
    ///
    /// # Errors
    ///
    /// What is wrong with any other.
    pub fn end(self) -> anyhow::Result<ChainEnd> {
        match self {
            Self::Holds(end) => Ok(end),
            Self::Broken(BrokenChain { number }) => bail!("the audit trail is broken at record {number}"),
            Self::Rewritten(found) => bail!("the audit trail was rewritten: record {} is {found} now", found.number),
            Self::CutOff(end) => bail!("the audit trail was cut off: it ends with {end}"),
        }
    }
}

/// Follows the chain from the first record to the last, and prints its end: compare it with the last one logged, or
/// have it compared as `expected`.
///
/// # Errors
///
/// When the chain is broken, rewritten or cut off, or cannot be read.
pub async fn verify(settings: &Settings, expected: Option<ChainEnd>) -> anyhow::Result<()> {
    let secrets = super::secrets(settings)?;
    let store = super::store(settings).await?;
    say(follow(&store, &secrets.trail_key, expected).await?.end()?);
    Ok(())
}

/// Prints the end of a trail that holds.
pub(super) fn say(end: ChainEnd) {
    println!("The audit trail holds: {} records, the last {end}", end.number);
}

/// Follows the chain from the first record to the last. Reads page by page, so that nobody waits for it: records are
/// only added.
///
/// # Errors
///
/// [`StoreError`] when it cannot be read.
pub async fn follow(store: &dyn Store, key: &TrailKey, expected: Option<ChainEnd>) -> Result<Verdict, StoreError> {
    follow_pages(async |from| store.begin().await?.trail_from(from, PAGE).await, key, expected).await
}

/// The same within a transaction.
///
/// # Errors
///
/// [`StoreError`] when it cannot be read.
pub async fn follow_within(
    transaction: &mut dyn Transaction,
    key: &TrailKey,
    expected: Option<ChainEnd>,
) -> Result<Verdict, StoreError> {
    follow_pages(async |from| transaction.trail_from(from, PAGE).await, key, expected).await
}

async fn follow_pages(
    mut records_from: impl AsyncFnMut(u64) -> Result<Vec<TrailRecord>, StoreError>,
    key: &TrailKey,
    expected: Option<ChainEnd>,
) -> Result<Verdict, StoreError> {
    let mut end = ChainEnd::START;
    loop {
        let records = records_from(end.number + 1).await?;
        if records.is_empty() {
            break;
        }
        match key.follow(end, &records) {
            Ok(next) => end = next,
            Err(broken) => return Ok(Verdict::Broken(broken)),
        }
        let found = expected.and_then(|expected| records.iter().find(|record| record.number == expected.number));
        if let Some(found) = found.map(TrailRecord::end).filter(|found| Some(*found) != expected) {
            return Ok(Verdict::Rewritten(found));
        }
    }
    let is_cut_off = expected.is_some_and(|expected| end.number < expected.number);
    Ok(if is_cut_off { Verdict::CutOff(end) } else { Verdict::Holds(end) })
}
