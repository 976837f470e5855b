//! Section `bridge`: where pages find the card bridge.

use std::num::NonZeroU16;

use serde::Deserialize;

/// The card bridge on the people's machines.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BridgeSection {
    /// Its loopback port.
    pub port: NonZeroU16,
}

impl Default for BridgeSection {
    fn default() -> Self {
        Self { port: NonZeroU16::new(card_protocol::DEFAULT_PORT).unwrap_or(NonZeroU16::MIN) }
    }
}
