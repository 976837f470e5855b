//! Section `clients`: how often one address may ask, and who says which address that is.

use std::num::NonZeroU32;

use ipnet::IpNet;
use serde::Deserialize;

/// The clients.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClientsSection {
    /// The networks of the proxies whose `X-Forwarded-For` is believed: `10.0.0.0/8`. None unless named.
    pub trusted_proxies: Vec<IpNet>,
    /// How many POSTs a second one address may send for long. An unlock sends about twelve within some minutes.
    pub posts_a_second: NonZeroU32,
    /// How many it may send at once.
    pub posts_at_once: NonZeroU32,
}

impl Default for ClientsSection {
    fn default() -> Self {
        let number = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self { trusted_proxies: Vec::new(), posts_a_second: number(100), posts_at_once: number(2000) }
    }
}
