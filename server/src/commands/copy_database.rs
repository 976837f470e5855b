//! `copy-database`: copies the SQLite database into an empty one of PostgreSQL, and shows that the copy is one.

use std::path::Path;

use anyhow::{Context, ensure};
use storage::DatabaseCopy;

use super::audit;
use crate::config::{DatabaseSection, Settings};

/// Copies every table in one transaction, and commits it once all rows were counted and the audit trail of the copy holds
/// and ends as the one that was copied. Prints what was copied.
///
/// # Errors
///
/// When the configured database is not SQLite, a service runs on it, the other one has rows, or the copy is not the same.
/// There is no copy then.
pub async fn run(settings: &Settings, to_url_file: &Path) -> anyhow::Result<()> {
    let secrets = super::secrets(settings)?;
    let source = settings.database.location(settings.data.as_deref())?;
    let section = DatabaseSection { url_file: Some(to_url_file.to_owned()), ..DatabaseSection::default() };
    let target = section.location(None)?;

    let mut copy = DatabaseCopy::begin(&source, &target).await?;
    let tables = copy.copy().await?;
    let head = copy.source().trail_head().await?.map(|record| record.end());
    let end = audit::follow_within(copy.target(), &secrets.trail_key, head).await?.end().context("the copy")?;
    ensure!(head.is_none_or(|head| head == end), "the audit trail of the copy has another end: {end}");
    copy.commit().await?;

    for table in &tables {
        println!("{:<24} {:>12}", table.name, table.rows);
    }
    println!("Copied: {} tables, {} rows", tables.len(), tables.iter().map(|table| table.rows).sum::<u64>());
    audit::say(end);
    println!(
        "Now name {} as database.url_file, and keep the former database where no service finds it.",
        to_url_file.display()
    );
    Ok(())
}
