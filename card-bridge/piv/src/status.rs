//! Status words (ISO 7816-4, 5.6; SP 800-73-4 part 2, appendix A) and what they say about a passcode or an unlock key.

use std::fmt;

/// The two bytes that end every answer of a card.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct StatusWord(pub u16);

impl StatusWord {
    /// Done.
    pub const SUCCESS: Self = Self(0x9000);
    /// Verification failed, without a count: some cards say it where the standard asks for 63CX.
    pub const VERIFICATION_FAILED: Self = Self(0x6300);
    /// Security status not satisfied: a VERIFY is missing.
    pub const SECURITY_STATUS_NOT_SATISFIED: Self = Self(0x6982);
    /// Authentication method blocked: no tries left.
    pub const BLOCKED: Self = Self(0x6983);
    /// Conditions of use not satisfied; on many cards: nothing is selected.
    pub const CONDITIONS_NOT_SATISFIED: Self = Self(0x6985);
    /// Command not allowed; on some cards: nothing is selected.
    pub const COMMAND_NOT_ALLOWED: Self = Self(0x6986);
    /// Incorrect parameter in the command's data: a badly formed passcode.
    pub const INCORRECT_DATA: Self = Self(0x6A80);
    /// Data object or application not found.
    pub const NOT_FOUND: Self = Self(0x6A82);
    /// Key reference not found: the card has no such passcode, or does not count it for us.
    pub const REFERENCE_NOT_FOUND: Self = Self(0x6A88);

    /// Splits an answer into its data and its status word; `None` when it is shorter than a status word.
    pub fn split(answer: &[u8]) -> Option<(&[u8], Self)> {
        let (data, word) = answer.split_last_chunk::<2>()?;
        Some((data, Self(u16::from_be_bytes(*word))))
    }

    /// Whether the command was carried out.
    pub fn is_success(self) -> bool {
        self == Self::SUCCESS
    }

    /// Whether it says that the command has changed nothing: 64XX, and the checking errors 67XX to 6FXX (ISO 7816-4, 5.6).
    pub fn has_changed_nothing(self) -> bool {
        matches!(self.0 >> 8, 0x64 | 0x67..=0x6F)
    }

    /// With 61XX: how many bytes more are waiting (0 stands for 256 or more).
    pub fn more_available(self) -> Option<u8> {
        let [high, low] = self.0.to_be_bytes();
        (high == 0x61).then_some(low)
    }

    /// With 6CXX: the length that the card wants to be asked for.
    pub fn exact_length(self) -> Option<u8> {
        let [high, low] = self.0.to_be_bytes();
        (high == 0x6C).then_some(low)
    }

    /// With 63CX: the tries left.
    pub fn tries_left(self) -> Option<u8> {
        (self.0 & 0xFFF0 == 0x63C0).then_some((self.0 & 0x000F) as u8)
    }
}

impl fmt::Display for StatusWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

impl fmt::Debug for StatusWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StatusWord({self})")
    }
}

/// How a card received a passcode or an unlock key.
///
/// The same words mean the same after VERIFY, CHANGE REFERENCE DATA and RESET RETRY COUNTER, in every dialect: 63C0
/// and 6983 both say that no try is left, whichever of them a card prefers, and 6300 is a refusal by a card that does
/// not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was right.
    Accepted,
    /// It was wrong; `None` when the card does not say how many tries are left.
    Refused {
        /// The tries left, at least 1.
        tries_left: Option<u8>,
    },
    /// No try is left, be it that the last one was spent just now or long ago.
    Blocked,
    /// A word that says nothing about it, for instance 6A80: its form was not to the card's liking.
    Unclear(StatusWord),
}

impl From<StatusWord> for Verdict {
    fn from(word: StatusWord) -> Self {
        match word {
            StatusWord::SUCCESS => Self::Accepted,
            StatusWord::BLOCKED => Self::Blocked,
            StatusWord::VERIFICATION_FAILED => Self::Refused { tries_left: None },
            other => match other.tries_left() {
                Some(0) => Self::Blocked,
                Some(tries) => Self::Refused { tries_left: Some(tries) },
                None => Self::Unclear(other),
            },
        }
    }
}
