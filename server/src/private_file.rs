//! Files with secrets in them, which nobody but the service has any business to read.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use zeroize::Zeroizing;

/// Everybody who is neither the file's owner nor of its group, and those of the group.
const OTHERS: u32 = 0o007;
const GROUP: u32 = 0o070;

/// A file with a secret that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PrivateFileError {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] io::Error),
    /// Everybody on the machine can read or change it.
    #[error("everybody can read or change it (its mode is {mode:03o}); run: chmod 600 {file}")]
    Exposed {
        /// The file.
        file: String,
        /// Its permissions.
        mode: u32,
    },
}

/// Reads it, unless others than its owner and its group can. A group is warned of and no more: where the owner is root, or
/// another program puts the file there, the group is how the service reads it.
///
/// # Errors
///
/// [`PrivateFileError`].
pub fn read(file: &Path) -> Result<Zeroizing<String>, PrivateFileError> {
    let mut opened = File::open(file)?;
    let mode = opened.metadata()?.permissions().mode() & 0o777;
    if mode & OTHERS != 0 {
        return Err(PrivateFileError::Exposed { file: file.display().to_string(), mode });
    }
    if mode & GROUP != 0 {
        tracing::warn!("a group can read a secret; unless the service reads it so, run: chmod 600 {}", file.display());
    }
    let mut text = Zeroizing::new(String::new());
    opened.read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn file(mode: u32) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, "secret").unwrap();
        fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
        file
    }

    #[test]
    fn a_secret_for_its_owner_or_its_group_is_read() {
        for mode in [0o400, 0o600, 0o640, 0o440] {
            assert_eq!(*read(file(mode).path()).unwrap(), "secret", "{mode:o}");
        }
    }

    #[test]
    fn a_secret_for_everybody_is_refused_with_what_to_run() {
        for mode in [0o644, 0o604, 0o602, 0o601, 0o666, 0o777] {
            let file = file(mode);
            let fault = read(file.path()).unwrap_err();
            let wanted = format!(
                "everybody can read or change it (its mode is {mode:o}); run: chmod 600 {}",
                file.path().display()
            );
            assert_eq!(fault.to_string(), wanted);
        }
    }
}
