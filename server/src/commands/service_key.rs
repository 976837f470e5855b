//! `service-key`: prints what is pinned in the bridges' configuration.

use crate::config::Settings;

/// Prints the public half of the service key, and of the next one where there is one, a line each.
///
/// # Errors
///
/// When the secrets cannot be read.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    let secrets = super::secrets(settings)?;
    println!("{}", secrets.service_key.public());
    if let Some(next) = &secrets.next_service_key {
        println!("{}", next.public());
    }
    Ok(())
}
