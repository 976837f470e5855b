//! Section `demonstration`: shows the service with cards that are made up.

use std::path::PathBuf;

use serde::Deserialize;

/// A demonstration: every page says that it is one, its cards' passcodes and answers are shown, and mails are kept in
/// memory for `/demo/mailbox` unless `mail.host` is set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemonstrationSection {
    /// The manifest that `virtual-card make` wrote.
    pub manifest: PathBuf,
}
