//! The files of an import: opened, decrypted while they are read, and counted.

use std::{
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use age::{Decryptor, armor::ArmoredReader, x25519::Recipient};
use domain::import::ImportFile;

use super::key::ImportKey;

/// How a file that `age` made begins: as it is, and as text.
const MARKS: [&[u8]; 2] = [b"age-encryption.org/v1", b"-----BEGIN AGE ENCRYPTED FILE-----"];

/// Which file it is, and how it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName {
    /// Which.
    pub which: ImportFile,
    /// Its name.
    pub name: String,
}

impl fmt::Display for FileName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}

/// A file that is open at its beginning.
pub struct Input {
    /// Its name.
    pub name: FileName,
    /// The file.
    pub file: File,
}

impl Input {
    /// Opens a file by its path.
    ///
    /// # Errors
    ///
    /// [`SourceError::Unreadable`].
    pub fn open(which: ImportFile, path: &Path) -> Result<Self, SourceError> {
        let name = FileName { which, name: path.display().to_string() };
        match File::open(path) {
            Ok(file) => Ok(Self { name, file }),
            Err(source) => Err(SourceError::Unreadable { file: name, source }),
        }
    }
}

/// A file of which a part may have been read.
pub struct Source {
    /// Its content, decrypted.
    pub content: Box<dyn Read + Send>,
    /// How much of the file itself was read.
    pub progress: FileProgress,
}

/// How much of a file was read; all copies say the same.
#[derive(Clone)]
pub struct FileProgress {
    read: Arc<AtomicU64>,
    length: u64,
}

impl FileProgress {
    /// Whole percents.
    pub fn percent(&self) -> u64 {
        (self.read.load(Ordering::Relaxed) * 100).checked_div(self.length).map_or(100, |percent| percent.min(100))
    }
}

/// A file that cannot be taken in.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It cannot be read.
    #[error("{file} cannot be read")]
    Unreadable {
        /// The file.
        file: FileName,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It has unlock keys in it, and everybody who gets at the file can read them.
    #[error(
        "{file} is not encrypted, and nothing of it was taken in. It holds unlock keys: encrypt it where it was made, \
         with «age -r {recipient} -o {file}.age {file}», and delete the file that is not encrypted"
    )]
    Plain {
        /// The file.
        file: FileName,
        /// To whom it is to be encrypted.
        recipient: Recipient,
    },
    /// It was encrypted to somebody else, or is damaged.
    #[error("{file} does not open with the import key of this service. It is to be encrypted to {recipient}")]
    Closed {
        /// The file.
        file: FileName,
        /// To whom it is to be encrypted.
        recipient: Recipient,
        /// Why.
        #[source]
        source: age::DecryptError,
    },
}

/// Whether a file may be as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// It has secrets in it.
    Demanded,
    /// It may be encrypted.
    Optional,
}

impl Source {
    /// Opens a file.
    ///
    /// # Errors
    ///
    /// [`SourceError`].
    pub fn open(
        Input { name, file: opened }: Input,
        encryption: Encryption,
        key: &ImportKey,
    ) -> Result<Self, SourceError> {
        let unreadable = |source| SourceError::Unreadable { file: name.clone(), source };
        let length = opened.metadata().map_err(unreadable)?.len();
        let read = Arc::new(AtomicU64::new(0));
        let progress = FileProgress { read: Arc::clone(&read), length };
        let mut counted = BufReader::with_capacity(BUFFER, Counted { inner: opened, read });
        let start = counted.fill_buf().map_err(unreadable)?;
        let is_encrypted = MARKS.iter().any(|mark| start.starts_with(mark));
        let content: Box<dyn Read + Send> = match encryption {
            _ if is_encrypted => {
                let decryptor = Decryptor::new_buffered(ArmoredReader::new(counted));
                let opened = decryptor
                    .and_then(|decryptor| decryptor.decrypt(std::iter::once(key.identity() as &dyn age::Identity)));
                let closed = |source| SourceError::Closed { file: name.clone(), recipient: key.recipient(), source };
                Box::new(opened.map_err(closed)?)
            }
            Encryption::Optional => Box::new(counted),
            Encryption::Demanded => {
                return Err(SourceError::Plain { file: name.clone(), recipient: key.recipient() });
            }
        };
        Ok(Self { content, progress })
    }
}

/// How much is read from the disk at once.
const BUFFER: usize = 256 * 1024;

struct Counted {
    inner: File,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.read.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}
