//! `import-key`: prints to whom the file of an import is to be encrypted.

use anyhow::Context;

use crate::config::Settings;

/// What is said where there is no import key.
pub(super) const MISSING: &str = "this service has no import key, so it takes nothing in. Make one with «age-keygen -o \
                                  FILE», for the service alone to read, and name its file in secrets.import_key_file";

/// Prints it: `age1…`.
///
/// # Errors
///
/// When the secrets cannot be read, or there is no import key.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    let key = super::secrets(settings)?.import_key.context(MISSING)?;
    println!("{}", key.recipient());
    Ok(())
}
