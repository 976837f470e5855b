//! Recovery codes: what a person may have in place of security questions. Answering from memory is a test of the mind, which
//! not everybody passes (WCAG 2.2, 3.3.8); a code can be kept, copied and pasted.
//!
//! Ten are made at once and shown once. Each works once. They are stored hashed, as answers are.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    code::{ALPHABET, letters_of},
    comparisons::Entered,
    ports::{HasherError, Hashing, Randomness, SecretHash},
};

/// How many are made at once.
pub const RECOVERY_CODES: usize = 10;

/// How many letters each has. The first tells which of the ten it is, so that one hash is compared and not ten; the others
/// are 47 bits.
pub const RECOVERY_LETTERS: usize = 12;

/// How many letters stand together where it is shown.
const GROUP: usize = 4;

/// A recovery code: twelve letters, of those that codes are made of.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode(Zeroizing<String>);

/// What was typed is no recovery code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotARecoveryCode {
    /// Nothing was typed.
    #[error("there is no recovery code")]
    Empty,
    /// It is not twelve letters.
    #[error("a recovery code is 12 letters")]
    Letters,
}

/// What is stored of a recovery code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredRecoveryCode {
    /// Its first letter, which no other of the same ten has.
    pub first: char,
    /// Its hash.
    pub hash: SecretHash,
}

impl RecoveryCode {
    /// Makes ten, no two with the same first letter.
    pub fn generate(randomness: &dyn Randomness) -> Vec<Self> {
        let mut firsts: Vec<(u64, char)> = ALPHABET
            .iter()
            .map(|letter| {
                let mut key = [0; 8];
                randomness.fill(&mut key);
                (u64::from_be_bytes(key), char::from(*letter))
            })
            .collect();
        firsts.sort_unstable();
        let code = |(_, first): &(u64, char)| {
            let mut letters = Zeroizing::new(String::with_capacity(RECOVERY_LETTERS));
            letters.push(*first);
            letters.push_str(&letters_of(RECOVERY_LETTERS - 1, randomness));
            Self(letters)
        };
        firsts[..RECOVERY_CODES].iter().map(code).collect()
    }

    /// Reads what a person typed; case, spaces and hyphens are ignored.
    ///
    /// # Errors
    ///
    /// [`NotARecoveryCode`] when nothing or not twelve letters are left.
    pub fn parse(typed: &str) -> Result<Self, NotARecoveryCode> {
        let letters = crate::code::typed_letters(typed);
        if letters.is_empty() {
            Err(NotARecoveryCode::Empty)
        } else if letters.len() == RECOVERY_LETTERS && letters.bytes().all(|letter| letter.is_ascii_uppercase()) {
            Ok(Self(letters))
        } else {
            Err(NotARecoveryCode::Letters)
        }
    }

    /// The code as it is shown: `KTRW-MGBD-CFHJ`.
    pub fn display(&self) -> Zeroizing<String> {
        Zeroizing::new([&self.0[..GROUP], &self.0[GROUP..2 * GROUP], &self.0[2 * GROUP..]].join("-"))
    }

    /// The letters: for the hasher.
    pub fn expose_secret(&self) -> &str {
        &self.0
    }

    fn first(&self) -> char {
        self.0.chars().next().unwrap_or_default()
    }

    /// What is stored of some.
    ///
    /// # Errors
    ///
    /// [`HasherError`] when the hasher has no room.
    pub(crate) async fn hash_all(
        codes: &[Self],
        hashing: &dyn Hashing,
    ) -> Result<Vec<StoredRecoveryCode>, HasherError> {
        let mut stored = Vec::with_capacity(codes.len());
        for code in codes {
            stored.push(StoredRecoveryCode { first: code.first(), hash: hashing.hash(code.expose_secret()).await? });
        }
        Ok(stored)
    }

    /// Which of those that are left it is; nothing where it is none of them.
    ///
    /// # Errors
    ///
    /// [`HasherError`] when the hasher has no room.
    pub(crate) async fn find(
        &self,
        left: &[StoredRecoveryCode],
        comparisons: &mut Entered,
    ) -> Result<Option<usize>, HasherError> {
        let Some(position) = left.iter().position(|stored| stored.first == self.first()) else { return Ok(None) };
        let matches = comparisons.matches(&left[position].hash, self.expose_secret()).await?;
        Ok(matches.then_some(position))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        sync::atomic::{AtomicU8, Ordering},
    };

    use super::*;

    struct Counting(AtomicU8);

    impl Randomness for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for byte in bytes {
                *byte = self.0.fetch_add(37, Ordering::SeqCst);
            }
        }
    }

    #[test]
    fn ten_are_made_and_no_two_begin_alike() {
        let codes = RecoveryCode::generate(&Counting(AtomicU8::new(1)));
        let firsts: BTreeSet<char> = codes.iter().map(RecoveryCode::first).collect();
        assert_eq!((codes.len(), firsts.len()), (RECOVERY_CODES, RECOVERY_CODES));
        for code in &codes {
            assert_eq!(code.expose_secret().len(), RECOVERY_LETTERS);
            assert!(code.expose_secret().bytes().all(|letter| ALPHABET.contains(&letter)));
            assert_eq!(RecoveryCode::parse(&code.display()).unwrap().expose_secret(), code.expose_secret());
        }
    }

    #[test]
    fn a_code_is_shown_in_three_groups_and_read_however_it_is_typed() {
        let code = RecoveryCode::parse(" ktrw mgbd-CFHJ").unwrap();
        assert_eq!(*code.display(), "KTRW-MGBD-CFHJ");
        assert_eq!(RecoveryCode::parse("KTRW-MGBD").err(), Some(NotARecoveryCode::Letters));
        assert_eq!(RecoveryCode::parse("  - ").err(), Some(NotARecoveryCode::Empty));
        assert_eq!(RecoveryCode::parse("123456789012").err(), Some(NotARecoveryCode::Letters));
    }
}
