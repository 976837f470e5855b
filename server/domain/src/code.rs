//! The codes that are e-mailed: unlock code and registration code.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    Timestamp,
    comparisons::Entered,
    ports::{HasherError, Randomness, SecretHash},
    token::MailId,
};

/// No vowels, so that no word appears; no digits, so that nobody takes a code for a passcode.
pub const ALPHABET: &[u8; 20] = b"BCDFGHJKMNPQRSTVWXYZ";

/// How many letters a code has.
pub const LETTERS: usize = 8;

/// A code: eight letters.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(Zeroizing<String>);

/// What was typed is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotACode {
    /// Nothing was typed.
    #[error("there is no code")]
    Empty,
    /// It is not eight letters.
    #[error("a code is 8 letters")]
    Letters,
}

impl Code {
    /// Makes a new one, every letter equally likely.
    pub fn generate(randomness: &dyn Randomness) -> Self {
        Self(letters_of(LETTERS, randomness))
    }

    /// Reads what a person typed; case, spaces and hyphens are ignored.
    ///
    /// # Errors
    ///
    /// [`NotACode`] when nothing or not eight letters are left. A letter that no code has is not told apart from a
    /// wrong code.
    pub fn parse(typed: &str) -> Result<Self, NotACode> {
        let letters = typed_letters(typed);
        if letters.is_empty() {
            Err(NotACode::Empty)
        } else if letters.len() == LETTERS && letters.bytes().all(|letter| letter.is_ascii_uppercase()) {
            Ok(Self(letters))
        } else {
            Err(NotACode::Letters)
        }
    }

    /// The code as it is shown: `KTRW-MGBD`.
    pub fn display(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{}-{}", &self.0[..LETTERS / 2], &self.0[LETTERS / 2..]))
    }

    /// The letters: for the hasher.
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

/// So many letters, every one equally likely.
pub(crate) fn letters_of(count: usize, randomness: &dyn Randomness) -> Zeroizing<String> {
    let mut letters = Zeroizing::new(String::with_capacity(count));
    while letters.len() < count {
        let mut byte = [0];
        randomness.fill(&mut byte);
        // 240 is the largest multiple of 20 in a byte: beyond it some letters would be likelier.
        if byte[0] < 240 {
            letters.push(char::from(ALPHABET[usize::from(byte[0] % 20)]));
        }
    }
    letters
}

/// What was typed, in capitals, without spaces and hyphens.
pub(crate) fn typed_letters(typed: &str) -> Zeroizing<String> {
    let letters = typed
        .chars()
        .take(64)
        .filter(|character| !character.is_whitespace() && !matches!(character, '-' | '‐' | '‑' | '–' | '—'))
        .map(|character| character.to_ascii_uppercase());
    Zeroizing::new(letters.collect())
}

/// A code that was sent: what is stored of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedCode {
    /// Its hash.
    pub hash: SecretHash,
    /// The mail that it is in.
    #[serde(default)]
    pub mail: Option<MailId>,
    /// When it was sent.
    #[serde(with = "crate::milliseconds")]
    pub sent_at: Timestamp,
    /// Until when it works.
    #[serde(with = "crate::milliseconds")]
    pub valid_until: Timestamp,
}

/// The codes of a flow: several after a resend, each with its own time; one use ends all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Codes {
    /// Those that were sent, the latest last; none where the mails of the hour were used up.
    pub issued: Vec<IssuedCode>,
    /// How many wrong entries are left in this flow.
    pub tries_left: u8,
}

/// How an entered code compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeMatch {
    /// It is one of the codes, in time.
    Right,
    /// It is one of the codes, too late.
    Expired,
    /// It is none of them.
    Wrong,
}

impl Codes {
    /// Until when the latest works.
    pub fn valid_until(&self) -> Option<Timestamp> {
        self.issued.last().map(|code| code.valid_until)
    }

    /// When the latest was sent.
    pub fn sent_at(&self) -> Option<Timestamp> {
        self.issued.last().map(|code| code.sent_at)
    }

    /// Compares an entered code with each that was sent.
    ///
    /// # Errors
    ///
    /// [`HasherError`] when the hasher has no room.
    pub(crate) async fn compare(
        &self,
        entered: &Code,
        comparisons: &mut Entered,
        now: Timestamp,
    ) -> Result<CodeMatch, HasherError> {
        for issued in self.issued.iter().rev() {
            if comparisons.matches(&issued.hash, entered.expose_secret()).await? {
                return Ok(if now < issued.valid_until { CodeMatch::Right } else { CodeMatch::Expired });
            }
        }
        Ok(CodeMatch::Wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_spaces_and_hyphens_are_ignored() {
        for typed in ["KTRW-MGBD", "ktrwmgbd", " ktrw mgbd ", "KTRW–MGBD"] {
            assert_eq!(Code::parse(typed).unwrap().expose_secret(), "KTRWMGBD", "{typed}");
        }
    }

    #[test]
    fn a_passcode_is_no_code() {
        assert_eq!(Code::parse("123456").err(), Some(NotACode::Letters));
        assert_eq!(Code::parse(" - ").err(), Some(NotACode::Empty));
        assert_eq!(Code::parse("KTRWMGBDK").err(), Some(NotACode::Letters));
    }

    #[test]
    fn a_code_is_shown_in_two_groups() {
        assert_eq!(*Code::parse("ktrwmgbd").unwrap().display(), "KTRW-MGBD");
    }
}
