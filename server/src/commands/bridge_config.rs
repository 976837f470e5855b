//! `bridge-config`: prints the configuration of the card bridges that belong to this service.

use card_protocol::{DEFAULT_PORT, ServiceKey};

use crate::config::Settings;

/// Prints it: who may use the bridge, and whose unlock keys it accepts, those of the next service key too.
///
/// # Errors
///
/// When the secrets cannot be read.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    let secrets = super::secrets(settings)?;
    let keys: Vec<ServiceKey> = [Some(&secrets.service_key), secrets.next_service_key.as_ref()]
        .into_iter()
        .flatten()
        .map(card_protocol::sealed::ServiceSecret::public)
        .collect();
    print!("{}", configuration(settings.public_url.origin(), settings.bridge.port.get(), &keys));
    Ok(())
}

fn configuration(origin: &str, port: u16, keys: &[ServiceKey]) -> String {
    let port = if port == DEFAULT_PORT { String::new() } else { format!("port = {port}\n\n") };
    let keys: Vec<String> = keys.iter().map(|key| format!("\"{key}\"")).collect();
    format!("{port}[[origin]]\nurl = \"{origin}\"\nservice_keys = [{}]\n", keys.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bridge_is_told_the_website_and_every_key() {
        let text =
            configuration("https://unlock.example.org", DEFAULT_PORT, &[ServiceKey([5; 32]), ServiceKey([6; 32])]);
        let read: toml::Table = text.parse().unwrap();
        assert_eq!(read.keys().collect::<Vec<_>>(), ["origin"], "the port is the usual one: {text}");
        assert_eq!(read["origin"][0]["url"].as_str(), Some("https://unlock.example.org"));
        let keys: Vec<String> = [5, 6].map(|byte| ServiceKey([byte; 32]).to_string()).into();
        assert_eq!(read["origin"][0]["service_keys"], toml::Value::from(keys));
    }

    #[test]
    fn another_port_is_told_too() {
        let text = configuration("https://unlock.example.org", 24_999, &[ServiceKey([5; 32])]);
        assert!(text.starts_with("port = 24999\n"), "{text}");
    }
}
