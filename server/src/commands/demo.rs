//! `demo`: takes made-up cards into the service.

use std::path::Path;

use crate::{config::Settings, demonstration::Manifest};

/// Takes the cards of a manifest in; the same again changes nothing.
///
/// # Errors
///
/// When a card is not taken.
pub async fn run(settings: Settings, manifest: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(
        !settings.public_url.is_https(),
        "demo is for a service on http://localhost only: the manifest's unlock keys stand in a file"
    );
    let manifest = Manifest::read(manifest)?;
    let application = super::serve::application(&settings, None).await?;
    let taken_in = manifest.take_in(&application.services).await?;
    println!("New: {} cards, {} registrations.", taken_in.cards, taken_in.registrations);
    Ok(())
}
