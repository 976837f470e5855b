//! `vault rotate`: seals every key that is kept under the vault key that is in use.

use domain::{ports::Vault, resealing::Resealing};

use crate::{config::Settings, randomness::SystemRandomness, vault::AesGcmVault};

/// Seals every unlock key under the vault key that is in use. Stopped half-way, everything still opens, and it can be
/// run again. Mails that wait are not touched: the former key is to stay until they have gone, a day at most.
///
/// # Errors
///
/// When an unlock key does not open, or the database does not answer.
pub async fn rotate(settings: &Settings) -> anyhow::Result<()> {
    let secrets = super::secrets(settings)?;
    let store = super::store(settings).await?;
    let vault = AesGcmVault::new(&secrets.vault_keys, std::sync::Arc::new(SystemRandomness));
    let vault: &dyn Vault = &vault;
    let mut done = Resealing::default();
    while let Some(further) = done.go_on(&store, vault).await? {
        done = further;
    }
    let (key, Resealing { looked_at, resealed, .. }) = (secrets.vault_keys.current().as_str(), done);
    println!("{resealed} of {looked_at} keys were sealed anew under the vault key {key}.");
    Ok(())
}
