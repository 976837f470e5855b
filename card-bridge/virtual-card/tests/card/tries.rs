//! Cards that do not give the tries of the unlock key back when it has set a passcode.

use std::fs;

use virtual_card::{dialect::Strict, journal::Journalled, unlock_key_tries::KeepsTries};

use crate::support::{Issued, say, two_cards};

const SELECT: &str = "00A4040009 A00000030800001000 00";
const RESET_WRONG: &str = "002C008010 0102030405060708 383335303237FFFF";
const CHANGE_WRONG: &str = "0024008110 0102030405060708 0102030405060708";

fn reset(cards: &Issued) -> String {
    format!("002C008010 {} 383335303237FFFF", *cards.entry("one").unlock_key)
}

fn change(cards: &Issued) -> String {
    let key = &*cards.entry("one").unlock_key;
    format!("0024008110 {key} {key}")
}

/// Puts the card in, says the APDUs in turn, and takes it out again.
fn stay(cards: &Issued, lines: &[(&str, &str)]) {
    let directory = cards.directory().join("one");
    let mut card = KeepsTries::new(cards.card("one"), &directory).unwrap();
    say(&mut card, SELECT);
    for (index, (apdu, answer)) in lines.iter().enumerate() {
        assert_eq!(say(&mut card, apdu), *answer, "line {index}: {apdu}");
    }
}

#[test]
fn setting_a_passcode_gives_no_try_back_and_replacing_the_key_gives_all() {
    let cards = two_cards();
    let (reset, change) = (reset(&cards), change(&cards));
    stay(&cards, &[(RESET_WRONG, "63C2"), (&reset, "9000"), (RESET_WRONG, "63C1"), (&change, "9000")]);
    stay(&cards, &[(RESET_WRONG, "63C2"), (CHANGE_WRONG, "6300"), (RESET_WRONG, "63C0")]);
}

#[test]
fn tries_are_kept_while_the_card_is_out_of_the_reader_and_used_up_for_good() {
    let cards = two_cards();
    let (reset, change) = (reset(&cards), change(&cards));
    stay(&cards, &[(RESET_WRONG, "63C2"), (&reset, "9000")]);
    stay(&cards, &[(RESET_WRONG, "63C1"), (&reset, "9000")]);
    stay(&cards, &[(RESET_WRONG, "63C0"), (&reset, "63C0"), (&change, "6300")]);
}

#[test]
fn in_the_other_dialect_a_used_up_unlock_key_is_blocked() {
    let cards = two_cards();
    let mut card = Strict::new(KeepsTries::new(cards.card("one"), &cards.directory().join("one")).unwrap());
    say(&mut card, SELECT);
    for answer in ["63C2", "63C1", "63C0", "6983"] {
        assert_eq!(say(&mut card, RESET_WRONG), answer);
    }
    assert_eq!(say(&mut card, &reset(&cards)), "6983");
}

#[test]
fn a_journal_has_instruction_and_status_word_of_each_command_and_no_data() {
    let cards = two_cards();
    let path = cards.directory().join("journal");
    let mut card = Journalled::new(cards.card("one"), &path).unwrap();
    for apdu in [SELECT, RESET_WRONG, &reset(&cards)] {
        say(&mut card, apdu);
    }
    assert_eq!(fs::read_to_string(path).unwrap(), "A4 0400 9000\n2C 0080 63C2\n2C 0080 9000\n");
}
