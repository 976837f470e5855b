//! The passcode (the PIN of PIV) and the rules for a new one.

use zeroize::{Zeroize, ZeroizeOnDrop};

/// The fewest digits of a passcode (SP 800-73-4 part 2, 2.4.3).
pub const MIN_DIGITS: usize = 6;

/// The most digits of a passcode (SP 800-73-4 part 2, 2.4.3).
pub const MAX_DIGITS: usize = 8;

/// The passcodes that people choose most, beside those that the other rules refuse already.
const COMMONEST: [&str; 30] = [
    "112233", "121212", "123123", "123321", "131313", "147258", "147852", "159357", "159753", "696969", "777888",
    "789456", "456789", "101010", "111222", "112211", "123654", "142536", "147147", "159159", "222333", "258258",
    "321321", "456123", "789123", "456456", "12341234", "11223344", "12344321", "11112222",
];

/// A passcode as a card takes it: 6 to 8 digits.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Passcode(String);

impl Passcode {
    /// Reads what a person typed as the passcode that their card has.
    ///
    /// # Errors
    ///
    /// [`PasscodeFault::Empty`] and [`PasscodeFault::Digits`].
    pub fn parse(typed: &str) -> Result<Self, PasscodeFault> {
        if typed.is_empty() {
            return Err(PasscodeFault::Empty);
        }
        if !(MIN_DIGITS..=MAX_DIGITS).contains(&typed.len()) || !typed.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(PasscodeFault::Digits);
        }
        Ok(Self(typed.to_owned()))
    }

    /// Reads what a person typed as the passcode that their card shall get.
    ///
    /// # Errors
    ///
    /// Any [`PasscodeFault`].
    pub fn parse_new(typed: &str) -> Result<Self, PasscodeFault> {
        let passcode = Self::parse(typed)?;
        let digits = passcode.0.as_bytes();
        let steps = |step: u8| digits.windows(2).all(|pair| pair[1] == (pair[0] - b'0' + step) % 10 + b'0');
        if steps(0) {
            return Err(PasscodeFault::OneDigit);
        }
        if steps(1) || steps(9) {
            return Err(PasscodeFault::Sequence);
        }
        if COMMONEST.contains(&passcode.0.as_str()) {
            return Err(PasscodeFault::Common);
        }
        Ok(passcode)
    }

    /// The digits: for sealing and for the card.
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

/// What is wrong with a passcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasscodeFault {
    /// There is none.
    #[error("there is no passcode")]
    Empty,
    /// It is not 6 to 8 digits.
    #[error("a passcode is 6 to 8 digits")]
    Digits,
    /// It is one repeated digit.
    #[error("a passcode is not one repeated digit")]
    OneDigit,
    /// It counts up or down.
    #[error("a passcode is not a sequence")]
    Sequence,
    /// It is one of those that people choose most.
    #[error("a passcode is none of the commonest")]
    Common,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(typed: &str) -> Option<PasscodeFault> {
        Passcode::parse_new(typed).err()
    }

    #[test]
    fn six_to_eight_digits_are_a_passcode() {
        for passcode in ["824917", "8249173", "82491735"] {
            assert_eq!(fault(passcode), None);
        }
    }

    #[test]
    fn anything_but_six_to_eight_ascii_digits_is_refused() {
        assert_eq!(fault(""), Some(PasscodeFault::Empty));
        for passcode in ["82491", "824917350", "82491a", "824 917", "٨٢٤٩١٧", "－24917"] {
            assert_eq!(fault(passcode), Some(PasscodeFault::Digits), "{passcode}");
        }
    }

    #[test]
    fn what_others_guess_first_is_refused() {
        assert_eq!(fault("000000"), Some(PasscodeFault::OneDigit));
        for passcode in ["123456", "87654321", "678901", "321098"] {
            assert_eq!(fault(passcode), Some(PasscodeFault::Sequence), "{passcode}");
        }
        assert_eq!(fault("121212"), Some(PasscodeFault::Common));
    }

    #[test]
    fn a_card_may_still_have_a_passcode_that_would_be_refused_as_a_new_one() {
        assert!(Passcode::parse("123456").is_ok());
    }
}
