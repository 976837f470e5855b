//! The configuration file: which origins may use the bridge, whose unlock keys it accepts for each, and the port.
//!
//! Without a file nobody may, so a bridge that was merely installed serves no page. On Linux the file is looked for at
//! [`INSTALLED`] unless another is named; elsewhere it must be named.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use card_protocol::{DEFAULT_PORT, ServiceKey};
use serde::Deserialize;

use crate::origin::Origin;

/// Where the package puts the file, and where it is looked for when none is named.
pub const INSTALLED: Option<&str> = if cfg!(target_os = "linux") { Some("/etc/card-bridge/config.toml") } else { None };

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
    /// Where it is remembered which of them were allowed in the helper window; not part of the file.
    #[serde(skip)]
    pub consents: Option<PathBuf>,
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
    /// The file is not TOML; the cause names the place.
    #[error("{file} is not TOML")]
    Syntax {
        /// The configuration file.
        file: PathBuf,
        /// The place and what is wrong there.
        source: Box<toml::de::Error>,
    },
    /// The file says something that it can't say.
    #[error("{file}: {field} is wrong")]
    Field {
        /// The configuration file.
        file: PathBuf,
        /// The field, with its place in a list: `origin[0].url`.
        field: String,
        /// The line and what is wrong there.
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
        Self { port: default_port(), origins: Vec::new(), consents: None }
    }
}

/// A configuration and where it was found.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What it says.
    pub config: Config,
    /// The file that says so; none where there is no file and nobody is allowed.
    pub file: Option<PathBuf>,
}

impl Config {
    /// Reads the named file, or else the installed one if it is there.
    ///
    /// # Errors
    ///
    /// As [`Config::read`]; a named file must be there.
    pub fn load(named: Option<&Path>, installed: Option<&Path>) -> Result<Loaded, ConfigError> {
        if let Some(file) = named {
            return Ok(Loaded { config: Self::read(file)?, file: Some(file.into()) });
        }
        match installed.map(|file| (file, Self::read(file))) {
            Some((file, Ok(config))) => Ok(Loaded { config, file: Some(file.into()) }),
            Some((_, Err(ConfigError::Read { source, .. }))) if source.kind() == ErrorKind::NotFound => {
                Ok(Loaded { config: Self::default(), file: None })
            }
            Some((_, Err(error))) => Err(error),
            None => Ok(Loaded { config: Self::default(), file: None }),
        }
    }

    /// Reads and checks the file.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the field.
    pub fn read(file: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(file).map_err(|source| ConfigError::Read { file: file.into(), source })?;
        let syntax = |source| ConfigError::Syntax { file: file.into(), source: Box::new(source) };
        let document = toml::Deserializer::parse(&text).map_err(syntax)?;
        let config: Self = serde_path_to_error::deserialize(document).map_err(|error| ConfigError::Field {
            file: file.into(),
            field: error.path().to_string(),
            source: Box::new(error.into_inner()),
        })?;
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
            ("ports = 1".to_owned(), "ports is wrong"),
            ("port = 70000".to_owned(), "port is wrong"),
            ("port = ".to_owned(), "not TOML"),
            ("[[origin]]\nurl = \"https://service.test/\"\nservice_keys = []".to_owned(), "origin[0].url is wrong"),
            ("[[origin]]\nurl = \"https://service.test\"\nservice_keys = []".to_owned(), "origin.service_keys"),
            (
                "[[origin]]\nurl = \"https://service.test\"\nservice_keys = [\"a\"]".to_owned(),
                "origin[0].service_keys[0] is wrong",
            ),
            ([&origin[..], &origin].concat(), "origin.url"),
        ] {
            let error = anyhow::Error::from(read(&text).unwrap_err());
            let told = format!("{error:#}");
            assert!(told.contains(field), "{field} in: {told}");
        }
    }

    #[test]
    fn the_installed_file_is_read_where_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let [installed, named] = ["installed.toml", "named.toml"].map(|name| folder.path().join(name));
        fs::write(&installed, "port = 1").unwrap();
        fs::write(&named, "port = 2").unwrap();
        let loaded = Config::load(None, Some(&installed)).unwrap();
        assert_eq!((loaded.config.port, loaded.file), (1, Some(installed.clone())));
        let loaded = Config::load(Some(&named), Some(&installed)).unwrap();
        assert_eq!((loaded.config.port, loaded.file), (2, Some(named.clone())));
        fs::write(&installed, "port = -1").unwrap();
        assert!(matches!(Config::load(None, Some(&installed)), Err(ConfigError::Field { .. })));
    }

    #[test]
    fn without_an_installed_file_nobody_is_allowed_but_a_named_one_must_be_there() {
        let missing = Path::new("/nonexistent/config.toml");
        let loaded = Config::load(None, Some(missing)).unwrap();
        assert!(loaded.config.origins.is_empty() && loaded.file.is_none());
        assert!(matches!(Config::load(Some(missing), None), Err(ConfigError::Read { .. })));
    }

    /// As it is shipped, and with its example taken up.
    #[test]
    fn the_packaged_configuration_lets_nobody_in_and_shows_how_to() {
        let packaged = include_str!("../package/config.toml");
        assert!(read(packaged).unwrap().origins.is_empty());
        let taken_up = |line: &str| match line.strip_prefix('#') {
            Some(rest) if !rest.is_empty() && !rest.starts_with(' ') => {
                rest.replace("CURRENT-KEY", KEY).replace("NEXT-KEY", KEY)
            }
            _ => line.to_owned(),
        };
        let example = read(&packaged.lines().map(taken_up).collect::<Vec<_>>().join("\n")).unwrap();
        assert_eq!(example.port, DEFAULT_PORT);
        assert_eq!(example.origins[0].url.as_str(), "https://smartcards.example.org");
        assert_eq!(example.origins[0].service_keys.len(), 2);
    }
}
