//! The two dialects of status words, the same dialogue in each.

use piv::Card;
use virtual_card::dialect::Strict;

use crate::support::{Issued, say, two_cards};

/// Says each APDU in turn, after a SELECT, and compares what the card answers.
fn dialogue(card: &mut dyn Card, lines: &[(&str, &str)]) {
    say(card, "00A4040009 A00000030800001000 00");
    for (index, (apdu, answer)) in lines.iter().enumerate() {
        assert_eq!(say(card, apdu), *answer, "line {index}: {apdu}");
    }
}

const STATE: &str = "00200080";
const WRONG: &str = "0020008008 313131323232FFFF";
const RIGHT: &str = "0020008008 393034313733FFFF";
const MALFORMED: &str = "0020008008 3930343137336161";
const CHANGE_WRONG: &str = "0024008010 313131323232FFFF 383335303237FFFF";
const CHANGE_KEY_WRONG: &str = "0024008110 0102030405060708 0102030405060708";
const RESET_WRONG: &str = "002C008010 0102030405060708 383335303237FFFF";

#[test]
fn wrong_passcodes_and_the_last_one() {
    let cards = two_cards();
    dialogue(
        &mut cards.card("one"),
        &[(STATE, "63C3"), (WRONG, "63C2"), (WRONG, "63C1"), (WRONG, "6983"), (WRONG, "6983"), (STATE, "63C0")],
    );
    let cards = two_cards();
    dialogue(
        &mut Strict::new(cards.card("one")),
        &[(STATE, "63C3"), (WRONG, "63C2"), (WRONG, "63C1"), (WRONG, "63C0"), (WRONG, "6983"), (STATE, "6983")],
    );
}

#[test]
fn the_right_passcode_is_right_in_both() {
    let cards = two_cards();
    let lines = [(WRONG, "63C2"), (RIGHT, "9000"), (STATE, "9000"), (WRONG, "63C2")];
    dialogue(&mut cards.card("one"), &lines);
    let cards = two_cards();
    dialogue(&mut Strict::new(cards.card("one")), &lines);
}

#[test]
fn a_malformed_passcode_costs_a_try_or_not() {
    let cards = two_cards();
    dialogue(&mut cards.card("one"), &[(MALFORMED, "6A80"), (STATE, "63C3")]);
    dialogue(
        &mut Strict::new(cards.card("one")),
        &[(MALFORMED, "63C2"), (STATE, "63C2"), (MALFORMED, "63C1"), (MALFORMED, "63C0"), (RIGHT, "6983")],
    );
}

#[test]
fn wrong_passcodes_at_a_change() {
    let cards = two_cards();
    dialogue(&mut cards.card("one"), &[(CHANGE_WRONG, "6300"), (STATE, "63C2"), (CHANGE_WRONG, "6300")]);
    let cards = two_cards();
    dialogue(
        &mut Strict::new(cards.card("one")),
        &[(CHANGE_WRONG, "63C2"), (CHANGE_WRONG, "63C1"), (CHANGE_WRONG, "63C0"), (CHANGE_WRONG, "6983")],
    );
}

#[test]
fn wrong_unlock_keys_at_a_change() {
    let cards = two_cards();
    dialogue(&mut cards.card("one"), &[(CHANGE_KEY_WRONG, "6300"); 4]);
    let cards = two_cards();
    dialogue(
        &mut Strict::new(cards.card("one")),
        &[
            (CHANGE_KEY_WRONG, "63C2"),
            (CHANGE_KEY_WRONG, "63C1"),
            (CHANGE_KEY_WRONG, "63C0"),
            (CHANGE_KEY_WRONG, "6983"),
        ],
    );
}

#[test]
fn wrong_unlock_keys_at_a_reset() {
    let cards = two_cards();
    dialogue(
        &mut cards.card("two"),
        &[(RESET_WRONG, "63C2"), (RESET_WRONG, "63C1"), (RESET_WRONG, "63C0"), (RESET_WRONG, "63C0")],
    );
    let cards = two_cards();
    dialogue(
        &mut Strict::new(cards.card("two")),
        &[(RESET_WRONG, "63C2"), (RESET_WRONG, "63C1"), (RESET_WRONG, "63C0"), (RESET_WRONG, "6983")],
    );
}

#[test]
fn a_malformed_new_passcode_is_taken_or_not() {
    let reset = |cards: &Issued| format!("002C008010 {} 3833353032376161", *cards.entry("one").unlock_key);
    let cards = two_cards();
    dialogue(&mut cards.card("one"), &[(&reset(&cards), "9000"), (RIGHT, "63C2")]);
    let cards = two_cards();
    dialogue(&mut Strict::new(cards.card("one")), &[(&reset(&cards), "6A80"), (RIGHT, "9000")]);
}
