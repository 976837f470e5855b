//! Reads the secrets from their files, and makes them at the first start of a service for this machine only.
//!
//! A secret that was there once is never made a second time: what the database holds could not be read with it.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

use card_protocol::{UnlockKey, sealed::ServiceSecret};
use domain::{challenge::ChallengeKey, issuance::CardManagementKey, ports::Randomness, trail::TrailKey};
use zeroize::Zeroizing;

use crate::{
    config::secrets::{KeyName, KeySet, SecretBytes, SecretsSection},
    import::ImportKey,
    private_file::{self, PrivateFileError},
};

/// The name of a key that is made here.
const FIRST: &str = "1";

/// The secrets of the service.
pub struct Secrets {
    /// Encrypt what is stored.
    pub vault_keys: KeySet,
    /// Are hashed into answers and codes.
    pub peppers: KeySet,
    /// Authenticates challenges.
    pub challenge_key: ChallengeKey,
    /// Chains the audit trail.
    pub trail_key: TrailKey,
    /// The private half of the service key.
    pub service_key: ServiceSecret,
    /// The private half of the one that comes next.
    pub next_service_key: Option<ServiceSecret>,
    /// Opens the files of an import; nothing where this service takes none.
    pub import_key: Option<ImportKey>,
    /// The management key with which blank cards come, where it is not the factory's.
    pub blank_card_management_key: Option<CardManagementKey>,
    /// The unlock key with which they come, where it is not the factory's.
    pub blank_card_unlock_key: Option<UnlockKey>,
}

/// Whether there can be anything in the database yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseAge {
    /// It does not exist.
    New,
    /// It exists, or nobody knows.
    Existing,
}

/// A secret that the service cannot have.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// Its file cannot be read, or everybody can read it.
    #[error("{field}: {} is not read", file.display())]
    Unreadable {
        /// The field that names it.
        field: &'static str,
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: PrivateFileError,
    },
    /// Its file holds something else.
    #[error("{field}: {} does not hold 64 hexadecimal digits", file.display())]
    Malformed {
        /// The field that names it.
        field: &'static str,
        /// The file.
        file: PathBuf,
    },
    /// The file of a key of blank cards holds something else.
    #[error("{field}: {} does not hold the hexadecimal digits of such a key", file.display())]
    NotACardKey {
        /// The field that names it.
        field: &'static str,
        /// The file.
        file: PathBuf,
    },
    /// The file of the import key holds something else.
    #[error("{field}: {} does not hold one age identity, as age-keygen writes it", file.display())]
    NotAnIdentity {
        /// The field that names it.
        field: &'static str,
        /// The file.
        file: PathBuf,
    },
    /// There is a database, and its secret is gone.
    #[error(
        "{field}: {} is missing, but there is a database already. Put the file back from your backup. No new one is \
         made, because what is in the database could not be read with it (to begin anew, remove the database as well)",
        file.display()
    )]
    Lost {
        /// The field that names it.
        field: &'static str,
        /// The file.
        file: PathBuf,
    },
    /// It cannot be made.
    #[error("{} cannot be made", file.display())]
    NotMade {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Secrets {
    /// Reads them; makes those that are missing in the folder `made_in`, where there is one and no database yet.
    ///
    /// # Errors
    ///
    /// [`SecretsError`].
    pub fn load(
        section: &SecretsSection,
        made_in: Option<&Path>,
        database: DatabaseAge,
        randomness: &dyn Randomness,
    ) -> Result<Self, SecretsError> {
        let source = Source { folder: made_in.map(|data| data.join("secrets")), database, randomness };
        let secrets = Self {
            vault_keys: source.key_set(
                "secrets.vault_key_files",
                "vault-key",
                section.vault_key.as_ref(),
                &section.vault_key_files,
            )?,
            peppers: source.key_set(
                "secrets.pepper_files",
                "pepper",
                section.pepper.as_ref(),
                &section.pepper_files,
            )?,
            challenge_key: ChallengeKey::new(
                *source
                    .one("secrets.challenge_key_file", "challenge-key", section.challenge_key_file.as_deref())?
                    .expose_secret(),
            ),
            trail_key: TrailKey::new(
                *source.one("secrets.trail_key_file", "trail-key", section.trail_key_file.as_deref())?.expose_secret(),
            ),
            service_key: ServiceSecret::new(
                *source
                    .one("secrets.service_key_file", "service-key", section.service_key_file.as_deref())?
                    .expose_secret(),
            ),
            next_service_key: section
                .next_service_key_file
                .as_deref()
                .map(|file| read("secrets.next_service_key_file", file))
                .transpose()?
                .map(|key| ServiceSecret::new(*key.expose_secret())),
            import_key: source.import_key(section.import_key_file.as_deref())?,
            blank_card_management_key: section
                .blank_card_management_key_file
                .as_deref()
                .map(|file| read_card_key("secrets.blank_card_management_key_file", file, CardManagementKey::new))
                .transpose()?,
            blank_card_unlock_key: section
                .blank_card_unlock_key_file
                .as_deref()
                .map(|file| {
                    let take = |bytes: &[u8]| bytes.try_into().ok().map(UnlockKey::new);
                    read_card_key("secrets.blank_card_unlock_key_file", file, take)
                })
                .transpose()?,
        };
        Ok(secrets)
    }
}

/// Where secrets come from that no field names.
struct Source<'a> {
    folder: Option<PathBuf>,
    database: DatabaseAge,
    randomness: &'a dyn Randomness,
}

impl Source<'_> {
    fn key_set(
        &self,
        field: &'static str,
        kind: &str,
        chosen: Option<&KeyName>,
        files: &BTreeMap<KeyName, PathBuf>,
    ) -> Result<KeySet, SecretsError> {
        let mut keys = BTreeMap::new();
        for (name, file) in files {
            keys.insert(name.clone(), read(field, file)?);
        }
        if keys.is_empty() {
            let first = KeyName::try_from(FIRST.to_owned()).expect("a digit is the name of a key");
            keys.insert(first, self.one(field, &format!("{kind}-{FIRST}"), None)?);
        }
        let current = chosen.or_else(|| keys.keys().next()).cloned().expect("there is a key");
        let malformed = || SecretsError::Malformed { field, file: PathBuf::from(current.as_str()) };
        KeySet::new(current.clone(), keys).map_err(|_| malformed())
    }

    fn one(&self, field: &'static str, name: &str, named: Option<&Path>) -> Result<SecretBytes, SecretsError> {
        if let Some(file) = named {
            return read(field, file);
        }
        let file = self.folder.as_ref().map_or_else(|| PathBuf::from(name), |folder| folder.join(name));
        if self.folder.is_some() && !file.exists() {
            if self.database == DatabaseAge::Existing {
                return Err(SecretsError::Lost { field, file });
            }
            make_bytes(&file, self.randomness)
                .map_err(|source| SecretsError::NotMade { file: file.clone(), source })?;
        }
        read(field, &file)
    }

    /// Nothing in the database was made with it, so a service can be without it; but what is in its folder is used.
    fn import_key(&self, named: Option<&Path>) -> Result<Option<ImportKey>, SecretsError> {
        let file = match (named, &self.folder) {
            (Some(file), _) => file.to_owned(),
            (None, Some(folder)) => folder.join("import-key"),
            (None, None) => return Ok(None),
        };
        if named.is_none() && !file.exists() {
            if self.database == DatabaseAge::Existing {
                return Ok(None);
            }
            make(&file, &ImportKey::generate().to_file(), self.randomness)
                .map_err(|source| SecretsError::NotMade { file: file.clone(), source })?;
        }
        let field = "secrets.import_key_file";
        let text = private_file::read(&file).map_err(|source| SecretsError::Unreadable {
            field,
            file: file.clone(),
            source,
        })?;
        ImportKey::parse(&text).map(Some).ok_or(SecretsError::NotAnIdentity { field, file })
    }
}

/// Reads a key of blank cards, of whatever length `take` takes.
fn read_card_key<T>(
    field: &'static str,
    file: &Path,
    take: impl FnOnce(&[u8]) -> Option<T>,
) -> Result<T, SecretsError> {
    let unreadable = |source| SecretsError::Unreadable { field, file: file.to_owned(), source };
    let text = private_file::read(file).map_err(unreadable)?;
    let bytes = decode_hexadecimal(text.trim()).and_then(|bytes| take(&bytes));
    bytes.ok_or_else(|| SecretsError::NotACardKey { field, file: file.to_owned() })
}

fn read(field: &'static str, file: &Path) -> Result<SecretBytes, SecretsError> {
    let unreadable = |source| SecretsError::Unreadable { field, file: file.to_owned(), source };
    let text = private_file::read(file).map_err(unreadable)?;
    decode(text.trim()).ok_or_else(|| SecretsError::Malformed { field, file: file.to_owned() })
}

fn decode(text: &str) -> Option<SecretBytes> {
    let bytes = decode_hexadecimal(text)?;
    bytes.as_slice().try_into().ok().map(SecretBytes::new)
}

fn decode_hexadecimal(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; text.len() / 2]);
    let length = base16ct::mixed::decode(text, &mut bytes).ok()?.len();
    (length == bytes.len()).then_some(bytes)
}

/// Makes a secret of 32 bytes.
fn make_bytes(file: &Path, randomness: &dyn Randomness) -> io::Result<()> {
    let mut bytes = Zeroizing::new([0; 32]);
    randomness.fill(&mut *bytes);
    let mut text = Zeroizing::new(String::with_capacity(65));
    for byte in bytes.iter() {
        let _ = write!(text, "{byte:02x}");
    }
    text.push('\n');
    make(file, &text, randomness)
}

/// Writes a new secret, for its owner only, on disk before it is used. A file that another start made meanwhile stays.
fn make(file: &Path, text: &str, randomness: &dyn Randomness) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    private_folder(folder)?;
    let mut suffix = [0; 8];
    randomness.fill(&mut suffix);
    let draft = file.with_extension(format!("{:016x}", u64::from_be_bytes(suffix)));
    write_private(&draft, text.as_bytes())?;
    // Unlike a rename, a link never replaces a file.
    let linked = fs::hard_link(&draft, file);
    fs::remove_file(&draft)?;
    match linked {
        Err(fault) if fault.kind() != io::ErrorKind::AlreadyExists => Err(fault),
        _ => fs::File::open(folder)?.sync_all(),
    }
}

/// Makes a folder that only its owner can read.
///
/// # Errors
///
/// When it is not there and cannot be made.
pub fn private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn write_private(file: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::randomness::SystemRandomness;

    fn load(data: &Path, database: DatabaseAge) -> Result<Secrets, SecretsError> {
        Secrets::load(&SecretsSection::default(), Some(data), database, &SystemRandomness)
    }

    #[test]
    fn the_first_start_makes_them_and_the_second_finds_them() {
        let data = tempfile::tempdir().unwrap();
        let first = load(data.path(), DatabaseAge::New).unwrap_or_else(|fault| panic!("{fault}"));
        let second = load(data.path(), DatabaseAge::Existing).unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(first.service_key.public(), second.service_key.public());
        let mut files: Vec<_> =
            fs::read_dir(data.path().join("secrets")).unwrap().map(|entry| entry.unwrap()).collect();
        files.sort_by_key(std::fs::DirEntry::file_name);
        let names: Vec<_> = files.iter().map(|file| file.file_name().into_string().unwrap()).collect();
        assert_eq!(names, ["challenge-key", "import-key", "pepper-1", "service-key", "trail-key", "vault-key-1"]);
        let recipient = |secrets: &Secrets| secrets.import_key.as_ref().unwrap().recipient().to_string();
        assert_eq!(recipient(&first), recipient(&second));
        for file in files {
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
        }
    }

    #[test]
    fn a_database_without_its_vault_key_stops_the_start_and_no_key_is_made() {
        let data = tempfile::tempdir().unwrap();
        load(data.path(), DatabaseAge::New).unwrap_or_else(|fault| panic!("{fault}"));
        let key = data.path().join("secrets/vault-key-1");
        fs::remove_file(&key).unwrap();
        let fault = load(data.path(), DatabaseAge::Existing).err().unwrap();
        assert!(matches!(&fault, SecretsError::Lost { file, .. } if *file == key), "{fault}");
        assert!(!key.exists());
    }

    #[test]
    fn a_file_that_is_named_is_never_made() {
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join("trail");
        let section = SecretsSection { trail_key_file: Some(file.clone()), ..SecretsSection::default() };
        let fault = Secrets::load(&section, Some(data.path()), DatabaseAge::New, &SystemRandomness).err().unwrap();
        assert!(matches!(fault, SecretsError::Unreadable { field: "secrets.trail_key_file", .. }), "{fault}");
        assert!(!file.exists());
    }

    #[test]
    fn a_file_that_everybody_can_read_is_refused() {
        let data = tempfile::tempdir().unwrap();
        load(data.path(), DatabaseAge::New).unwrap_or_else(|fault| panic!("{fault}"));
        for name in ["vault-key-1", "pepper-1", "challenge-key", "trail-key", "service-key", "import-key"] {
            let key = data.path().join("secrets").join(name);
            fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
            let fault = load(data.path(), DatabaseAge::Existing).err().unwrap();
            let SecretsError::Unreadable { file, source: PrivateFileError::Exposed { .. }, .. } = &fault else {
                panic!("{fault}")
            };
            assert_eq!(*file, key);
            fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }

    #[test]
    fn a_file_with_something_else_is_refused() {
        let data = tempfile::tempdir().unwrap();
        load(data.path(), DatabaseAge::New).unwrap_or_else(|fault| panic!("{fault}"));
        for text in ["", "secret", &"g".repeat(64), &"a".repeat(63)] {
            fs::write(data.path().join("secrets/pepper-1"), text).unwrap();
            let fault = load(data.path(), DatabaseAge::Existing).err().unwrap();
            assert!(matches!(fault, SecretsError::Malformed { field: "secrets.pepper_files", .. }), "{fault}");
        }
    }

    #[test]
    fn a_database_without_its_import_key_is_a_service_without_import() {
        let data = tempfile::tempdir().unwrap();
        load(data.path(), DatabaseAge::New).unwrap_or_else(|fault| panic!("{fault}"));
        let key = data.path().join("secrets/import-key");
        fs::remove_file(&key).unwrap();
        let secrets = load(data.path(), DatabaseAge::Existing).unwrap_or_else(|fault| panic!("{fault}"));
        assert!(secrets.import_key.is_none() && !key.exists());
    }

    #[test]
    fn an_import_key_is_what_age_keygen_writes() {
        let data = tempfile::tempdir().unwrap();
        load(data.path(), DatabaseAge::New).unwrap_or_else(|fault| panic!("{fault}"));
        let key = data.path().join("secrets/import-key");
        let identity = fs::read_to_string(&key).unwrap();
        fs::write(&key, format!("# created: 2026-11-28T02:06:07Z\n# public key: age1\n{identity}")).unwrap();
        assert!(load(data.path(), DatabaseAge::Existing).is_ok());
        for text in [String::new(), "5a".repeat(32), format!("{identity}{identity}")] {
            fs::write(&key, text).unwrap();
            let fault = load(data.path(), DatabaseAge::Existing).err().unwrap();
            assert!(matches!(fault, SecretsError::NotAnIdentity { field: "secrets.import_key_file", .. }), "{fault}");
        }
    }

    #[test]
    fn another_start_at_the_same_time_makes_no_second_key() {
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join("secrets/trail-key");
        make_bytes(&file, &SystemRandomness).unwrap();
        let before = fs::read(&file).unwrap();
        make_bytes(&file, &SystemRandomness).unwrap();
        assert_eq!(fs::read(&file).unwrap(), before);
    }
}
