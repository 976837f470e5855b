//! The passcode and the unlock key in the form that a card takes them: wiped when they go, never shown.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Length of a passcode's and an unlock key's field (SP 800-73-4 part 2, 2.4.3).
const FIELD: usize = 8;
const PADDING: u8 = 0xFF;

/// A passcode of 6 to 8 digits, padded for the card.
///
/// Nothing else can be made, so no badly formed passcode can reach a card: some count it as a wrong one, and some
/// accept it as a new one that nobody can enter.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Passcode([u8; FIELD]);

/// A passcode has 6 to 8 digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a passcode has 6 to 8 digits")]
pub struct BadlyFormedPasscode;

impl Passcode {
    /// Takes 6 to 8 ASCII digits.
    ///
    /// # Errors
    ///
    /// [`BadlyFormedPasscode`] for anything else.
    pub fn from_digits(digits: &str) -> Result<Self, BadlyFormedPasscode> {
        let digits = digits.as_bytes();
        if !(6..=FIELD).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
            return Err(BadlyFormedPasscode);
        }
        let mut padded = [PADDING; FIELD];
        padded[..digits.len()].copy_from_slice(digits);
        Ok(Self(padded))
    }

    pub(crate) fn padded(&self) -> &[u8; FIELD] {
        &self.0
    }
}

impl fmt::Debug for Passcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passcode(hidden)")
    }
}

/// An unlock key: 8 bytes of any value.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct UnlockKey([u8; FIELD]);

impl UnlockKey {
    /// Takes the key's bytes.
    pub fn new(bytes: [u8; FIELD]) -> Self {
        Self(bytes)
    }

    /// Whether both are the same key, found out in constant time.
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    pub(crate) fn bytes(&self) -> &[u8; FIELD] {
        &self.0
    }
}

impl fmt::Debug for UnlockKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnlockKey(hidden)")
    }
}
