//! `backup` and `restore`: the SQLite database as one file, which is looked at before it counts.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, ensure};
use domain::{ports::Vault, trail::ChainEnd};
use storage::backup::{self, Former};
use tempfile::{TempDir, TempPath};

use super::audit;
use crate::{
    config::Settings,
    randomness::SystemRandomness,
    secrets::{DatabaseAge, Secrets},
    startup,
    vault::AesGcmVault,
};

/// The name that a database has in its folder.
const DATABASE: &str = "service-centre.sqlite";

/// What to do on PostgreSQL.
const POSTGRES: &str = "the database is PostgreSQL, which is backed up by its own tools: pg_basebackup and continuous \
    archiving of its write-ahead log, so that no unlock key is lost; or pg_dump. See «Backups» in the server's README";

/// Takes a backup beside the running service, and looks at it. Nothing is ever overwritten.
///
/// # Errors
///
/// When the file is there, the database is PostgreSQL, or the backup is damaged or its audit trail does not hold, or not
/// the expected record. There is no file then.
pub async fn take(settings: &Settings, file: &Path, expected: Option<ChainEnd>) -> anyhow::Result<()> {
    let folder = folder(settings)?;
    let secrets = secrets(settings)?;
    ensure!(!file.try_exists()?, "{} is there already", file.display());
    let beside = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let work = work_folder(beside)?;
    backup::take(&folder, work.path()).await?;
    let end = look_at(work.path(), &secrets, expected).await?;
    backup::sync(&work.path().join(DATABASE))?;
    let made = TempPath::try_from_path(work.path().join(DATABASE))?;
    made.persist_noclobber(file).with_context(|| format!("{} cannot be written", file.display()))?;
    backup::sync(beside)?;
    println!("Backed up: {}", file.display());
    audit::say(end);
    Ok(())
}

/// Puts a backup in the place of the database, once it was looked at.
///
/// # Errors
///
/// When a service runs on the database, there is one that is not empty and may not be put aside, or the backup is
/// damaged, its audit trail does not hold, or the secrets are not those of it.
pub async fn restore(
    settings: &Settings,
    file: &Path,
    expected: Option<ChainEnd>,
    former: Former,
) -> anyhow::Result<()> {
    let folder = folder(settings)?;
    let secrets = secrets(settings)?;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let work = work_folder(&folder)?;
    copy(file, &work.path().join(DATABASE)).with_context(|| format!("{} cannot be read", file.display()))?;
    let end = look_at(work.path(), &secrets, expected).await.with_context(|| file.display().to_string())?;
    let kept = backup::put_back(work.path(), &folder, former).await.with_context(|| match former {
        Former::Stays => "with --replace it is put aside",
        Former::IsPutAside => "the backup is not restored",
    })?;
    println!("Restored: {}", file.display());
    audit::say(end);
    if let Some(kept) = kept {
        println!("The former database is {}", kept.display());
    }
    println!(
        "Cards that were unlocked or issued after this record have unlock keys that are not in the backup: see «Backups»."
    );
    Ok(())
}

/// The folder of the database.
fn folder(settings: &Settings) -> anyhow::Result<PathBuf> {
    let location = settings.database.location(settings.data.as_deref())?;
    location.as_folder().map(Path::to_owned).context(POSTGRES)
}

/// The secrets; none are made, as what they are the secrets of is there.
fn secrets(settings: &Settings) -> anyhow::Result<Secrets> {
    let may_make = settings.may_make_secrets();
    Ok(Secrets::load(&settings.secrets, may_make, DatabaseAge::Existing, &SystemRandomness)?)
}

fn work_folder(beside: &Path) -> anyhow::Result<TempDir> {
    let made = tempfile::Builder::new().prefix(".service-centre-").tempdir_in(beside);
    made.with_context(|| format!("{} cannot be written", beside.display()))
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    let mut source = fs::File::open(from)?;
    let mut target = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    std::io::copy(&mut source, &mut target)?;
    target.sync_all()
}

/// Fails unless a copy is whole, is one of the service that has these secrets, and has the expected record.
async fn look_at(folder: &Path, secrets: &Secrets, expected: Option<ChainEnd>) -> anyhow::Result<ChainEnd> {
    let store = backup::open(folder).await?;
    let vault: Arc<dyn Vault> = Arc::new(AesGcmVault::new(&secrets.vault_keys, Arc::new(SystemRandomness)));
    startup::check_secrets(&store, &*vault, &secrets.trail_key).await?;
    let end = audit::follow(&store, &secrets.trail_key, expected).await?.end()?;
    store.close().await?;
    Ok(end)
}
