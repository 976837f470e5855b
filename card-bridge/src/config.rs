//! The configuration file: which origins may use the bridge, whose unlock keys it accepts for each, and the port.
//!
//! Without a file nobody may, so a bridge that was merely installed serves no page.

use std::fs;
use std::path::{Path, PathBuf};

use card_protocol::{DEFAULT_PORT, ServiceKey};
use serde::Deserialize;

use crate::origin::Origin;

/// The configuration file as a whole.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The loopback port; 0 takes any free one.
    #[serde(default = "default_port")]
    pub port: u16,
    /// The origins that may use the bridge.
    #[serde(default, rename = "origin")]
    pub origins: Vec<AllowedOrigin>,
}

/// One origin that may use the bridge.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowedOrigin {
    /// As browsers write it.
    pub url: Origin,
    /// The service keys, current and next, whose sealed unlock keys are accepted from this origin's pages.
    pub service_keys: Vec<ServiceKey>,
}

/// Why the configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{file} can't be read")]
    Read {
        /// The configuration file.
        file: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file says something that it can't say; the cause names the place.
    #[error("{file} is not a configuration")]
    Parse {
        /// The configuration file.
        file: PathBuf,
        /// The place and what is wrong there.
        source: Box<toml::de::Error>,
    },
    /// An origin is named twice.
    #[error("origin.url: {0} is named twice")]
    OriginTwice(Origin),
    /// An origin without service keys could never unlock a card.
    #[error("origin.service_keys: {0} has none")]
    NoServiceKey(Origin),
}

impl Default for Config {
    fn default() -> Self {
        Self { port: default_port(), origins: Vec::new() }
    }
}

impl Config {
    /// Reads and checks the file.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the field.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(file).map_err(|source| ConfigError::Read { file: file.into(), source })?;
        let config: Self = toml::from_str(&text)
            .map_err(|source| ConfigError::Parse { file: file.into(), source: Box::new(source) })?;
        config.validate()?;
        Ok(config)
    }

    fn validate(&self) -> Result<(), ConfigError> {
        for (at, origin) in self.origins.iter().enumerate() {
            if self.origins[..at].iter().any(|earlier| earlier.url == origin.url) {
                return Err(ConfigError::OriginTwice(origin.url.clone()));
            }
            if origin.service_keys.is_empty() {
                return Err(ConfigError::NoServiceKey(origin.url.clone()));
            }
        }
        Ok(())
    }
}

fn default_port() -> u16 {
    DEFAULT_PORT
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU";

    fn read(text: &str) -> Result<Config, ConfigError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        Config::read(file.path())
    }

    #[test]
    fn an_origin_has_its_service_keys_beside_it() {
        let text = format!("port = 1\n[[origin]]\nurl = \"https://service.test\"\nservice_keys = [\"{KEY}\"]\n");
        let config = read(&text).unwrap();
        assert_eq!(config.port, 1);
        assert_eq!(config.origins[0].url.as_str(), "https://service.test");
        assert_eq!(config.origins[0].service_keys, [ServiceKey([5; 32])]);
    }

    #[test]
    fn an_empty_file_allows_nobody() {
        let config = read("").unwrap();
        assert_eq!(config.port, DEFAULT_PORT);
        assert!(config.origins.is_empty());
    }

    #[test]
    fn mistakes_are_told_with_the_field() {
        let origin = format!("[[origin]]\nurl = \"https://service.test\"\nservice_keys = [\"{KEY}\"]\n");
        for (text, field) in [
            ("ports = 1".to_owned(), "ports"),
            ("port = 70000".to_owned(), "port"),
            ("[[origin]]\nurl = \"https://service.test/\"\nservice_keys = []".to_owned(), "url"),
            ("[[origin]]\nurl = \"https://service.test\"\nservice_keys = []".to_owned(), "service_keys"),
            ("[[origin]]\nurl = \"https://service.test\"\nservice_keys = [\"a\"]".to_owned(), "service_keys"),
            ([&origin[..], &origin].concat(), "origin.url"),
        ] {
            let error = anyhow::Error::from(read(&text).unwrap_err());
            let told = format!("{error:#}");
            assert!(told.contains(field), "{field} in: {told}");
        }
    }
}
