//! A new passcode, typed twice, and the rules for it.

use card_protocol::passcode::{Passcode, PasscodeFault};
use leptos::{html, prelude::*};

use crate::{
    components::{Errors, PasscodeInput, PasscodeKind},
    t,
};

/// The fields.
const NEW: &str = "new-passcode";
const REPEATED: &str = "repeated-passcode";

/// The fields of a new passcode.
#[derive(Clone, Copy)]
pub struct NewPasscode {
    new: NodeRef<html::Input>,
    repeated: NodeRef<html::Input>,
    errors: Errors,
}

impl NewPasscode {
    /// Fields that tell what is wrong with them among these errors.
    pub fn new(errors: Errors) -> Self {
        Self { new: NodeRef::new(), repeated: NodeRef::new(), errors }
    }

    /// The two fields.
    pub fn fields(self) -> impl IntoView {
        view! {
            <PasscodeInput
                kind=PasscodeKind::New
                id=NEW
                label=t::passcode_new_label()
                hint=t::passcode_new_hint()
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
        let passcode = match Passcode::parse_new(&typed(self.new)) {
            Ok(passcode) => passcode,
            Err(fault) => {
                self.errors.show_field(NEW, words(fault));
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

/// What is wrong with a new passcode.
fn words(fault: PasscodeFault) -> &'static str {
    match fault {
        PasscodeFault::Empty => t::passcode_new_missing(),
        PasscodeFault::Digits => t::passcode_digits(),
        PasscodeFault::OneDigit => t::passcode_one_digit(),
        PasscodeFault::Sequence => t::passcode_sequence(),
        PasscodeFault::Common => t::passcode_common(),
    }
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
            assert_eq!(Passcode::parse_new(typed).map_err(words).err(), Some(sentence));
        }
    }
}
