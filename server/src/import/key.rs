//! The import key: the age identity to which a file with unlock keys is encrypted where it is made.

use age::{
    secrecy::ExposeSecret,
    x25519::{Identity, Recipient},
};
use zeroize::Zeroizing;

/// The identity. What `age` holds of it is zeroized.
pub struct ImportKey(Identity);

impl ImportKey {
    /// Makes one, from the operating system's randomness.
    pub fn generate() -> Self {
        Self(Identity::generate())
    }

    /// Reads what `age-keygen` writes: one identity, and lines that begin with `#`. Nothing where it is something else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let identity = lines.next()?.parse().ok()?;
        lines.next().is_none().then_some(Self(identity))
    }

    /// The text of its file.
    pub fn to_file(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{}\n", self.0.to_string().expose_secret()))
    }

    /// To whom a file is encrypted that only this key opens.
    pub fn recipient(&self) -> Recipient {
        self.0.to_public()
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.0
    }
}
