//! What a card does with an APDU before and after its application.

use piv::{Application, ObjectId, Slot};
use virtual_card::Contacts as _;

use crate::support::{hexadecimal, say, two_cards};

const SELECT: &str = "00A4040009 A00000030800001000 00";
const SELECTED: &str = "61";

#[test]
fn nothing_is_answered_before_a_select_nor_after_a_reset() {
    let cards = two_cards();
    let mut card = cards.card("one");
    assert_eq!(say(&mut card, "00200080"), "6986");
    assert!(say(&mut card, SELECT).starts_with(SELECTED));
    assert_eq!(say(&mut card, "00200080"), "63C3");
    card.reset().unwrap();
    assert_eq!(say(&mut card, "00200080"), "6986");
}

#[test]
fn the_application_is_found_by_its_provider_and_by_any_length_of_its_name() {
    let cards = two_cards();
    let mut card = cards.card("one");
    for name in ["05 A000000308", "09 A00000030800001000", "0B A0000003080000100001 00"] {
        assert!(say(&mut card, &format!("00A40400 {name} 00")).ends_with("9000"), "{name}");
        assert_eq!(say(&mut card, "00200080"), "63C3", "{name}");
        card.reset().unwrap();
    }
}

#[test]
fn another_application_is_not_found_and_leaves_the_selection_alone() {
    let cards = two_cards();
    let mut card = cards.card("one");
    assert_eq!(say(&mut card, "00A4040005 A000000527 00"), "6A82");
    assert_eq!(say(&mut card, "00A4040004 A0000003 00"), "6A82");
    assert_eq!(say(&mut card, "00200080"), "6986");
    say(&mut card, SELECT);
    assert_eq!(say(&mut card, "00A4040005 A000000527 00"), "6A82");
    assert_eq!(say(&mut card, "00200080"), "63C3");
}

#[test]
fn a_long_answer_comes_in_parts() {
    let cards = two_cards();
    let mut card = cards.card("one");
    say(&mut card, SELECT);
    let first = say(&mut card, "00CB3FFF05 5C035FC105 00");
    let (data, status) = first.split_at(512);
    let left = usize::from_str_radix(status.strip_prefix("61").unwrap(), 16).unwrap();
    let rest = say(&mut card, &format!("00C00000{left:02X}"));
    assert_eq!(rest.len(), 2 * left + 4);
    assert!(rest.ends_with("9000"));
    assert!(data.starts_with("5382"));
    assert_eq!(say(&mut card, "00C0000000"), "6985");

    let whole = Application::select(&mut card).unwrap().object(ObjectId::certificate(Slot::PivAuthentication)).unwrap();
    assert_eq!(format!("{data}{}", &rest[..2 * left])[8..], hexadecimal(&whole));
}

#[test]
fn a_command_that_asks_for_no_answer_gets_one_all_the_same() {
    let cards = two_cards();
    let mut card = cards.card("one");
    say(&mut card, SELECT);
    assert_eq!(say(&mut card, "00CB3FFF05 5C035FC102"), say(&mut card, "00CB3FFF05 5C035FC102 00"));
}

#[test]
fn a_chained_command_is_executed_with_its_last_part() {
    let cards = two_cards();
    let mut card = cards.card("one");
    say(&mut card, SELECT);
    // VERIFY with the first half of a passcode, then the rest.
    assert_eq!(say(&mut card, "1020008004 39303431"), "9000");
    assert_eq!(say(&mut card, "0020008004 3733FFFF"), "9000");
    // A chain that is broken off by another command is forgotten, and so is that command.
    assert_eq!(say(&mut card, "1020008004 39303431"), "9000");
    assert_eq!(say(&mut card, "00CB3FFF05 5C035FC102 00"), "6883");
    assert_eq!(say(&mut card, "0020008004 3733FFFF"), "6A80");
}

#[test]
fn what_is_no_apdu_is_refused() {
    let cards = two_cards();
    let mut card = cards.card("one");
    say(&mut card, SELECT);
    for nonsense in ["", "00", "002000", "0020008008 3930"] {
        assert_eq!(say(&mut card, nonsense), "6700", "{nonsense}");
    }
}
