//! The two keys in use and their algorithms (SP 800-78-4, tables 6-1 and 6-2).

/// The slot of a key and of its certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// 9A: it signs only after a VERIFY, so it stands for the cardholder.
    PivAuthentication,
    /// 9E: it signs without a passcode, also on a locked card (FIPS 201-3, 4.2.2.2), so it stands for the card.
    CardAuthentication,
}

impl Slot {
    /// Its key reference.
    pub fn reference(self) -> u8 {
        match self {
            Self::PivAuthentication => 0x9A,
            Self::CardAuthentication => 0x9E,
        }
    }
}

/// The algorithm of a slot's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA on P-256 over a SHA-256 digest.
    P256,
    /// ECDSA on P-384 over a SHA-384 digest.
    P384,
    /// RSA of 2048 bits, PKCS #1 v1.5 over a SHA-256 digest.
    Rsa2048,
}

impl Algorithm {
    /// Its algorithm reference.
    pub fn reference(self) -> u8 {
        match self {
            Self::P256 => 0x11,
            Self::P384 => 0x14,
            Self::Rsa2048 => 0x07,
        }
    }

    /// Length of the digest that it signs, in bytes.
    pub fn digest_length(self) -> usize {
        match self {
            Self::P256 | Self::Rsa2048 => 32,
            Self::P384 => 48,
        }
    }
}
