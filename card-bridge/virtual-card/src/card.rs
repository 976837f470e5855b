//! A card that lives in a directory.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use piv::{Card, TransportError};

use crate::{
    Contacts,
    chip::{self, Chip, Dead, IMAGE_SIZE, IMAGES},
    manifest::PasscodeTries,
};

/// Held by whoever has the card open, so that two programs can't write its images at once.
const LOCK: &str = "lock";

/// A PIV card in software. Its keys, objects, counters and passcode are in two image files in a directory of its own,
/// written at each command, so that they outlive the process however it ends.
///
/// Opened means under power, like a card in a reader: selection and verification last until it is reset or powered off
/// by [`Contacts`].
#[derive(Debug)]
pub struct VirtualCard {
    directory: PathBuf,
    chip: Option<Chip>,
    _lock: File,
}

/// Why a card can't be opened or made.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory is missing, or holds no card.
    #[error("there is no virtual card in {0}")]
    NoCard(PathBuf),
    /// The directory for a new card holds something already.
    #[error("{0} exists already")]
    Exists(PathBuf),
    /// Another program has the card open.
    #[error("another program holds the virtual card in {0}")]
    InUse(PathBuf),
    /// The card's images can't be read.
    #[error("the virtual card in {0} is damaged")]
    Damaged(PathBuf),
    /// The operating system refuses.
    #[error("the virtual card in {directory} can't be opened")]
    Io {
        /// The card's directory.
        directory: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl VirtualCard {
    /// Opens the card in `directory` and switches its power on.
    ///
    /// # Errors
    ///
    /// When there is no card, another program holds it, or its images can't be read.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, OpenError> {
        let directory = directory.into();
        for image in IMAGES {
            match fs::metadata(directory.join(image)) {
                Ok(metadata) if metadata.len() == IMAGE_SIZE => {}
                Ok(_) => return Err(OpenError::Damaged(directory)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(OpenError::NoCard(directory)),
                Err(source) => return Err(OpenError::Io { directory, source }),
            }
        }
        Self::start(directory)
    }

    /// Makes a card in its factory state (passcode 123456, unlock key 12345678) in `directory`, which must not exist,
    /// and switches its power on.
    ///
    /// # Errors
    ///
    /// When the directory exists or can't be made.
    pub fn create(directory: impl Into<PathBuf>) -> Result<Self, OpenError> {
        Self::create_with(directory, PasscodeTries::default())
    }

    /// Makes one that takes so many wrong passcodes.
    ///
    /// # Errors
    ///
    /// As for [`VirtualCard::create`].
    pub fn create_with(directory: impl Into<PathBuf>, tries: PasscodeTries) -> Result<Self, OpenError> {
        let directory = directory.into();
        match DirBuilder::new().mode(0o700).create(&directory) {
            Ok(()) => match chip::write_passcode_tries(&directory, tries) {
                Ok(()) => Self::start(directory),
                Err(source) => Err(OpenError::Io { directory, source }),
            },
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(OpenError::Exists(directory)),
            Err(source) => Err(OpenError::Io { directory, source }),
        }
    }

    fn start(directory: PathBuf) -> Result<Self, OpenError> {
        let lock = match lock(&directory) {
            Ok(lock) => lock,
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse(directory)),
            Err(TryLockError::Error(source)) => return Err(OpenError::Io { directory, source }),
        };
        match Chip::power_on(&directory) {
            Ok(chip) => Ok(Self { directory, chip: Some(chip), _lock: lock }),
            Err(Dead) => Err(OpenError::Damaged(directory)),
        }
    }

    /// The directory that holds the card.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Card for VirtualCard {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        let chip = self.chip.as_ref().ok_or(TransportError::Removed)?;
        chip.transmit(command).map_err(|Dead| TransportError::Fault)
    }
}

impl Contacts for VirtualCard {
    fn power_off(&mut self) {
        if let Some(chip) = self.chip.take() {
            chip.power_off();
        }
    }

    fn power_on(&mut self) -> Result<(), TransportError> {
        if self.chip.is_none() {
            self.chip = Some(Chip::power_on(&self.directory).map_err(|Dead| TransportError::Fault)?);
        }
        Ok(())
    }
}

impl Drop for VirtualCard {
    fn drop(&mut self) {
        self.power_off();
    }
}

fn lock(directory: &Path) -> Result<File, TryLockError> {
    let file = File::options().create(true).append(true).open(directory.join(LOCK)).map_err(TryLockError::Error)?;
    file.try_lock()?;
    Ok(file)
}
