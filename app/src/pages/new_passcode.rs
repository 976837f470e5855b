//! A new passcode, typed twice, and the rules for it.

use card_protocol::passcode::{Passcode, PasscodeFault};
use leptos::{html, prelude::*};

use crate::{
    components::{Errors, PasscodeInput, PasscodeKind},
    config::facts,
    t,
};

/// The fields.
const NEW: &str = "new-passcode";
const REPEATED: &str = "repeated-passcode";

/// How many digits a PIV card takes.
const FEWEST: u8 = 6;
const MOST: u8 = 8;

/// The fields of a new passcode.
#[derive(Clone, Copy)]
pub struct NewPasscode {
    new: NodeRef<html::Input>,
    repeated: NodeRef<html::Input>,
    errors: Errors,
    /// How many digits the organisation wants at least.
    least: u8,
}

impl NewPasscode {
    /// Fields that tell what is wrong with them among these errors.
    pub fn new(errors: Errors) -> Self {
        let least = facts().passcode_digits.max(FEWEST);
        Self { new: NodeRef::new(), repeated: NodeRef::new(), errors, least }
    }

    /// The two fields.
    pub fn fields(self) -> impl IntoView {
        view! {
            <PasscodeInput
                kind=PasscodeKind::New
                id=NEW
                label=t::passcode_new_label()
                hint=hint(self.least)
                error=self.errors.of(NEW)
                node_ref=self.new
            />
            <PasscodeInput
                kind=PasscodeKind::New
                id=REPEATED
                label=t::passcode_repeat_label()
                hint=""
                error=self.errors.of(REPEATED)
                node_ref=self.repeated
            />
        }
    }

    /// The passcode that was chosen, twice the same; otherwise what is wrong is shown.
    pub fn chosen(self) -> Option<Passcode> {
        let passcode = match parse(&typed(self.new), self.least) {
            Ok(passcode) => passcode,
            Err(words) => {
                self.errors.show_field(NEW, words);
                return None;
            }
        };
        if *typed(self.repeated) != passcode.expose_secret() {
            self.errors.show_field(REPEATED, t::passcode_mismatch());
            return None;
        }
        Some(passcode)
    }

    /// Says that the new passcode is the one that the card has.
    pub fn refuse_same(self) {
        self.errors.show_field(NEW, t::change_passcode_same());
    }
}

/// What stands in a passcode field; nothing where it is not there.
pub fn typed(input: NodeRef<html::Input>) -> zeroize::Zeroizing<String> {
    zeroize::Zeroizing::new(input.get_untracked().map(|input| input.value()).unwrap_or_default())
}

/// Empties a passcode field.
pub fn empty(input: NodeRef<html::Input>) {
    if let Some(input) = input.get_untracked() {
        input.set_value("");
    }
}

/// Reads a new passcode, or says what is wrong with it. The bridge has the same rules, but for what the organisation wants
/// beyond them: that is asked for by the page only.
fn parse(typed: &str, least: u8) -> Result<Passcode, String> {
    let passcode = Passcode::parse_new(typed).map_err(|fault| words(fault, least))?;
    if passcode.expose_secret().len() < usize::from(least) { Err(too_short(least)) } else { Ok(passcode) }
}

fn hint(least: u8) -> String {
    match least {
        FEWEST => t::passcode_new_hint().to_owned(),
        MOST => t::passcode_new_hint_all().to_owned(),
        least => t::passcode_new_hint_from(least.into()),
    }
}

fn too_short(least: u8) -> String {
    match least {
        FEWEST => t::passcode_digits().to_owned(),
        MOST => t::passcode_digits_all().to_owned(),
        least => t::passcode_digits_from(least.into()),
    }
}

/// What is wrong with a new passcode.
fn words(fault: PasscodeFault, least: u8) -> String {
    let words = match fault {
        PasscodeFault::Digits => return too_short(least),
        PasscodeFault::Empty => t::passcode_new_missing(),
        PasscodeFault::OneDigit => t::passcode_one_digit(),
        PasscodeFault::Sequence => t::passcode_sequence(),
        PasscodeFault::Common => t::passcode_common(),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_of_a_new_passcode_has_its_sentence() {
        for (typed, sentence) in [
            ("", "Enter a new passcode"),
            ("12345", "Passcode must be 6 to 8 digits"),
            ("777777", "Passcode must not be one repeated digit"),
            ("123456", "Passcode must not be a sequence, like 123456"),
            ("121212", "Passcode must not be one that many people choose"),
        ] {
            assert_eq!(parse(typed, 6).err().as_deref(), Some(sentence));
        }
    }

    #[test]
    fn an_organisation_may_want_more_digits() {
        assert!(parse("904173", 6).is_ok() && parse("9041735", 7).is_ok() && parse("90417352", 8).is_ok());
        assert_eq!(parse("904173", 7).err().as_deref(), Some("Passcode must be 7 to 8 digits"));
        assert_eq!(parse("9041735", 8).err().as_deref(), Some("Passcode must be 8 digits"));
        assert_eq!(parse("90", 8).err().as_deref(), Some("Passcode must be 8 digits"));
        assert_eq!(hint(8), "8 digits, not one repeated digit or a sequence");
    }
}
