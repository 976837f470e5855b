//! Section `database`: where the data are.

use std::{
    fs,
    num::NonZeroU32,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use storage::Location;

use super::FieldError;
use crate::{private_file, secrets::DatabaseAge};

/// Where the database is: SQLite in a folder (the data folder, where nothing is said), or PostgreSQL by URL.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseSection {
    /// The folder of a SQLite database.
    pub folder: Option<PathBuf>,
    /// The URL of a PostgreSQL database that has no password in it.
    pub url: Option<String>,
    /// A file that holds the URL of a PostgreSQL database.
    pub url_file: Option<PathBuf>,
    /// How many connections a server has to PostgreSQL at most.
    pub connections: Option<NonZeroU32>,
}

impl DatabaseSection {
    pub(super) fn validate(&self, data: Option<&Path>) -> Result<(), FieldError> {
        let named = [self.folder.is_some(), self.url.is_some(), self.url_file.is_some()];
        match named.into_iter().filter(|named| *named).count() {
            0 if data.is_none() => {
                Err(FieldError::new("database.folder", "is missing (or database.url_file, or the data folder)"))
            }
            0 | 1 => Ok(()),
            _ => Err(FieldError::new("database", "names its database once: folder, url or url_file")),
        }?;
        if self.connections.is_some() && self.url.is_none() && self.url_file.is_none() {
            return Err(FieldError::new("database.connections", "is for PostgreSQL: to SQLite there is one"));
        }
        match &self.url {
            Some(url) if !url.contains("://") => Err(FieldError::new("database.url", "is a URL of PostgreSQL")),
            Some(url) => {
                Location::parse(url).map(drop).map_err(|fault| FieldError::new("database.url", fault.to_string()))
            }
            None => Ok(()),
        }
    }

    /// Where the database is.
    ///
    /// # Errors
    ///
    /// [`FieldError`] when the file with its URL cannot be read, can be read by everybody, or holds none.
    pub fn location(&self, data: Option<&Path>) -> Result<Location, FieldError> {
        let location = self.named(data)?;
        Ok(match self.connections {
            Some(many) => location.with_connections(many),
            None => location,
        })
    }

    fn named(&self, data: Option<&Path>) -> Result<Location, FieldError> {
        if let Some(file) = &self.url_file {
            let read = private_file::read(file).map_err(|fault| {
                FieldError::new("database.url_file", format!("{} is not read: {fault}", file.display()))
            })?;
            return Location::parse(read.trim())
                .map_err(|fault| FieldError::new("database.url_file", fault.to_string()));
        }
        if let Some(url) = &self.url {
            return Location::parse(url).map_err(|fault| FieldError::new("database.url", fault.to_string()));
        }
        let folder = self.folder.as_deref().or(data);
        folder.map(Location::folder).ok_or_else(|| FieldError::new("database.folder", "is missing"))
    }

    /// Whether there can be anything in the database yet. A PostgreSQL database counts as existing: nobody knows
    /// which other server has used it.
    pub fn age(&self, data: Option<&Path>) -> DatabaseAge {
        if self.url.is_some() || self.url_file.is_some() {
            return DatabaseAge::Existing;
        }
        let Some(folder) = self.folder.as_deref().or(data) else { return DatabaseAge::Existing };
        match fs::read_dir(folder) {
            Ok(mut files) => {
                let is_database = |name: &Path| name.extension().is_some_and(|extension| extension == "sqlite");
                let has_one = files.any(|file| file.map_or(true, |file| is_database(Path::new(&file.file_name()))));
                if has_one { DatabaseAge::Existing } else { DatabaseAge::New }
            }
            Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => DatabaseAge::New,
            Err(_) => DatabaseAge::Existing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_database_that_was_opened_once_exists() {
        let folder = tempfile::tempdir().unwrap();
        let section = DatabaseSection::default();
        assert_eq!(section.age(Some(folder.path())), DatabaseAge::New);
        assert_eq!(section.age(Some(&folder.path().join("not-yet"))), DatabaseAge::New);
        drop(
            storage::connect(&section.location(Some(folder.path())).unwrap_or_else(|fault| panic!("{fault}")))
                .await
                .unwrap(),
        );
        assert_eq!(section.age(Some(folder.path())), DatabaseAge::Existing);
    }

    #[test]
    fn a_url_that_everybody_can_read_is_refused_and_not_repeated() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, "postgres://service:secret@localhost/centre").unwrap();
        let section = DatabaseSection { url_file: Some(file.path().to_owned()), ..DatabaseSection::default() };
        assert!(section.location(None).is_ok());
        fs::set_permissions(file.path(), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        let fault = section.location(None).err().unwrap().to_string();
        assert!(fault.starts_with("database.url_file") && fault.contains("chmod 600"), "{fault}");
        assert!(!fault.contains("service:secret"), "{fault}");
    }

    #[test]
    fn connections_are_for_postgresql_and_at_least_one() {
        let load = |variables: &[(&str, &str)]| {
            let all = [
                ("SERVICE_CENTRE_DATA", "data"),
                ("SERVICE_CENTRE_MAIL__HOST", "localhost"),
                ("SERVICE_CENTRE_MAIL__FROM", "a@example.org"),
            ];
            let all = all.iter().chain(variables).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            crate::config::Settings::load(None, all)
        };
        let postgres = ("SERVICE_CENTRE_DATABASE__URL", "postgres://localhost/centre");
        let many = "SERVICE_CENTRE_DATABASE__CONNECTIONS";
        let settings = load(&[postgres, (many, "7")]);
        let settings = settings.unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(settings.database.connections, NonZeroU32::new(7));
        for variables in [&[postgres, (many, "0")][..], &[(many, "7")]] {
            let fault = load(variables).err().unwrap().to_string();
            assert!(fault.contains("database.connections"), "{fault}");
        }
    }

    #[test]
    fn nobody_knows_of_a_database_elsewhere() {
        let section = DatabaseSection { url: Some("postgres://db/centre".to_owned()), ..DatabaseSection::default() };
        assert_eq!(section.age(None), DatabaseAge::Existing);
    }
}
