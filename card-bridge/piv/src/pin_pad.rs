//! A passcode that is typed on the reader: the structures of PC/SC part 10, «IFDs with secure PIN entry capabilities», for
//! PIV, and the port to such a reader.
//!
//! The reader puts what was typed into the command and sends it to the card, so that no program ever holds it. Nothing here
//! reaches a reader: the structures are bytes.

use crate::card::TransportError;
use crate::command::Command;
use crate::secrets::{Passcode, UnlockKey};
use crate::status::{StatusWord, Verdict};

/// The control code, before the platform has made its own of it (`SCARD_CTL_CODE`), that asks a reader for its features:
/// `CM_IOCTL_GET_FEATURE_REQUEST` (PC/SC part 10, 2.2).
pub const GET_FEATURE_REQUEST: u32 = 3400;

/// `FEATURE_VERIFY_PIN_DIRECT` (PC/SC part 10).
const VERIFY_PIN_DIRECT: u8 = 0x06;
/// `FEATURE_MODIFY_PIN_DIRECT`.
const MODIFY_PIN_DIRECT: u8 = 0x07;

/// The shortest and the longest passcode (SP 800-73-4 part 2, 2.4.3).
const FEWEST_DIGITS: u8 = 6;
const MOST_DIGITS: u8 = 8;
/// How many bytes a passcode takes in a command.
const BLOCK: u8 = 8;

/// `bmFormatString`: the passcode begins with the data, in whole bytes, left-justified, as ASCII digits.
const FORMAT: u8 = 0x82;
/// `bmPINLengthFormat`: its length is not told to the card.
const NO_LENGTH: u8 = 0x00;
/// `bEntryValidationCondition`: the person presses the key that ends the entry.
const BY_KEY: u8 = 0x02;
/// `wLangId`: English of the United Kingdom.
const ENGLISH: u16 = 0x0809;
/// Messages of the reader (USB CCID 1.1, 6.1.11): «enter the passcode», «enter a new one», «enter it again».
const ENTER: u8 = 0x00;
const ENTER_NEW: u8 = 0x01;
const CONFIRM_NEW: u8 = 0x02;
/// `bConfirmPIN`: the new passcode is typed twice.
const TYPED_TWICE: u8 = 0x01;
/// `bTeoPrologue`: for the reader to fill in.
const PROLOGUE: [u8; 3] = [0; 3];

/// Where a passcode comes from.
#[derive(Clone, Copy, Debug)]
pub enum PasscodeSource<'a> {
    /// It is known.
    Known(&'a Passcode),
    /// The person types it on the reader.
    Reader {
        /// After so many seconds without a key the reader gives up; 0 is its own time.
        seconds: u8,
    },
}

/// What is typed on the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A passcode, to be verified.
    Verify,
    /// A new passcode.
    Modify,
}

/// A reader with keys.
pub trait PinPad {
    /// Whether it takes such an entry.
    fn takes(&mut self, entry: Entry) -> bool;

    /// Lets the person type, has the reader send the command, and returns the card's answer, or the reader's own in its
    /// place. Blocks meanwhile.
    ///
    /// # Errors
    ///
    /// As for [`Card::transmit`](crate::Card::transmit).
    fn enter(&mut self, entry: Entry, structure: &[u8]) -> Result<Vec<u8>, TransportError>;
}

/// The control codes of the entries that a reader takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    verify: Option<u32>,
    modify: Option<u32>,
}

impl Features {
    /// Reads the answer to [`GET_FEATURE_REQUEST`]: a tag, the length 4, and a control code in big-endian order for each
    /// feature (PC/SC part 10, 2.2). Nonsense is a reader without features.
    pub fn parse(answer: &[u8]) -> Self {
        let mut features = Self::default();
        let mut rest = answer;
        while let Some((&[tag, 4, first, second, third, fourth], after)) = rest.split_first_chunk() {
            let code = Some(u32::from_be_bytes([first, second, third, fourth]));
            match tag {
                VERIFY_PIN_DIRECT => features.verify = code,
                MODIFY_PIN_DIRECT => features.modify = code,
                _ => {}
            }
            rest = after;
        }
        if rest.is_empty() { features } else { Self::default() }
    }

    /// The control code of an entry; `None` where the reader does not take it.
    pub fn control_code(&self, entry: Entry) -> Option<u32> {
        match entry {
            Entry::Verify => self.verify,
            Entry::Modify => self.modify,
        }
    }
}

/// How an entry ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entered {
    /// The card was sent a passcode, and this is how it received it, or the unlock key beside it.
    Judged(Verdict),
    /// The card was sent nothing.
    NotSent(NotSent),
}

/// Why the card was sent nothing (PC/SC part 10, the entries' return codes, where there is one).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// 6400: nothing was typed in time.
    #[error("no passcode was typed in time")]
    TimedOut,
    /// 6401: the person pressed the key that breaks off.
    #[error("the person broke off")]
    Cancelled,
    /// 6402: the new passcode was not typed twice alike.
    #[error("the new passcodes differ")]
    Differ,
    /// 6403: fewer than 6 digits, or more than 8.
    #[error("the passcode has another length")]
    WrongLength,
    /// The reader has no keys for it.
    #[error("the reader has no keys")]
    NoKeys,
}

impl From<StatusWord> for Entered {
    fn from(word: StatusWord) -> Self {
        match word.0 {
            0x6400 => Self::NotSent(NotSent::TimedOut),
            0x6401 => Self::NotSent(NotSent::Cancelled),
            0x6402 => Self::NotSent(NotSent::Differ),
            0x6403 => Self::NotSent(NotSent::WrongLength),
            _ => Self::Judged(word.into()),
        }
    }
}

/// The `PIN_VERIFY` structure of a VERIFY. The reader gives up after so many seconds; 0 is its own time.
pub fn verify(seconds: u8) -> Vec<u8> {
    let mut structure = vec![seconds, seconds, FORMAT, BLOCK, NO_LENGTH];
    structure.extend(digits());
    structure.extend([BY_KEY, 1]);
    structure.extend(ENGLISH.to_le_bytes());
    structure.push(ENTER);
    structure.extend(PROLOGUE);
    append(&mut structure, &Command::verify_blank());
    structure
}

/// The `PIN_MODIFY` structure of a RESET RETRY COUNTER: the unlock key stands in the command, the new passcode is typed
/// twice. It holds the key, and is wiped when it goes.
pub fn reset_retry_counter(seconds: u8, key: &UnlockKey) -> zeroize::Zeroizing<Vec<u8>> {
    // `bInsertionOffsetOld` is of no use here: no current passcode is typed.
    let mut structure = zeroize::Zeroizing::new(Vec::with_capacity(LONGEST));
    structure.extend([seconds, seconds, FORMAT, BLOCK, NO_LENGTH, 0, BLOCK]);
    structure.extend(digits());
    structure.extend([TYPED_TWICE, BY_KEY, 2]);
    structure.extend(ENGLISH.to_le_bytes());
    structure.extend([ENTER_NEW, CONFIRM_NEW, 0]);
    structure.extend(PROLOGUE);
    append(&mut structure, &Command::reset_retry_counter_blank(key));
    structure
}

/// Room for the longest structure, so that none is moved in memory and left behind.
const LONGEST: usize = 64;

/// `wPINMaxExtraDigit`: the fewest digits in the high byte, the most in the low one.
fn digits() -> [u8; 2] {
    u16::from_be_bytes([FEWEST_DIGITS, MOST_DIGITS]).to_le_bytes()
}

/// `ulDataLength` and `abData`: the command with FF where the digits will stand.
fn append(structure: &mut Vec<u8>, command: &Command) {
    for apdu in command.apdus() {
        structure.extend(u32::try_from(apdu.len()).expect("a short APDU").to_le_bytes());
        structure.extend_from_slice(&apdu);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A feature as a reader lists it.
    fn feature(tag: u8, code: u32) -> Vec<u8> {
        [&[tag, 4][..], &code.to_be_bytes()].concat()
    }

    #[test]
    fn the_features_of_a_reader_are_found_among_others() {
        let answer =
            [feature(0x12, 0x4233_0012), feature(0x06, 0x4233_0006), feature(0x07, 0x4233_0007), feature(0x0A, 1)]
                .concat();
        let features = Features::parse(&answer);
        assert_eq!(features.control_code(Entry::Verify), Some(0x4233_0006));
        assert_eq!(features.control_code(Entry::Modify), Some(0x4233_0007));
        let features = Features::parse(&feature(0x06, 0x4233_0006));
        assert_eq!(features.control_code(Entry::Modify), None);
    }

    #[test]
    fn nonsense_is_a_reader_without_features() {
        let good = feature(0x06, 0x4233_0006);
        assert_eq!(Features::parse(&[]), Features::default());
        for length in 1..good.len() {
            assert_eq!(Features::parse(&good[..length]), Features::default(), "{length}");
            assert_eq!(Features::parse(&[&good[..], &good[..length]].concat()), Features::default(), "{length}");
        }
        assert_eq!(Features::parse(&[0x06, 3, 0x42, 0x33, 0x00, 0x06]), Features::default());
    }

    #[test]
    fn a_verify_is_written_field_by_field_in_little_endian_order() {
        let expected = [
            &[20, 20, 0x82, 0x08, 0x00][..],
            &[0x08, 0x06],
            &[0x02, 0x01],
            &[0x09, 0x08],
            &[0x00],
            &[0, 0, 0],
            &[13, 0, 0, 0],
            &[0x00, 0x20, 0x00, 0x80, 0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
        ];
        assert_eq!(verify(20), expected.concat());
    }

    #[test]
    fn a_reset_is_written_with_the_key_and_room_for_the_new_passcode_after_it() {
        let expected = [
            &[20, 20, 0x82, 0x08, 0x00, 0x00, 0x08][..],
            &[0x08, 0x06],
            &[0x01, 0x02, 0x02],
            &[0x09, 0x08],
            &[0x01, 0x02, 0x00],
            &[0, 0, 0],
            &[21, 0, 0, 0],
            &[0x00, 0x2C, 0x00, 0x80, 0x10],
            &[0xA2; 8],
            &[0xFF; 8],
        ];
        let structure = reset_retry_counter(20, &UnlockKey::new([0xA2; 8]));
        assert_eq!(structure[..], expected.concat());
        assert!(structure.len() <= LONGEST);
    }

    #[test]
    fn what_the_reader_says_is_no_verdict_of_the_card() {
        for (word, reason) in [
            (0x6400, NotSent::TimedOut),
            (0x6401, NotSent::Cancelled),
            (0x6402, NotSent::Differ),
            (0x6403, NotSent::WrongLength),
        ] {
            assert_eq!(Entered::from(StatusWord(word)), Entered::NotSent(reason));
        }
        for word in [0x9000, 0x63C2, 0x6300, 0x6983, 0x6A80, 0x6404, 0x6B80] {
            assert_eq!(Entered::from(StatusWord(word)), Entered::Judged(StatusWord(word).into()));
        }
    }
}
