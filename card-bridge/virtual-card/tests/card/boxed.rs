//! The box of cards and its reader.

use piv::{Application, Card as _, Passcode, TransportError, Verdict};
use virtual_card::{CardBox, CardBoxError};

use crate::support::{hexadecimal, two_cards};

#[test]
fn the_box_knows_its_cards_and_has_none_inserted_at_first() {
    let cards = two_cards();
    let cards = CardBox::open(cards.directory()).unwrap();
    assert_eq!(cards.names().unwrap(), ["one", "two"]);
    assert_eq!(cards.inserted(), None);
    assert!(cards.connect().is_none());
}

#[test]
fn one_card_is_inserted_at_a_time_and_a_restart_finds_it_there() {
    let cards = two_cards();
    let first = CardBox::open(cards.directory()).unwrap();
    first.insert("one").unwrap();
    first.insert("two").unwrap();
    assert_eq!(first.inserted().as_deref(), Some("two"));
    drop(first);

    let second = CardBox::open(cards.directory()).unwrap();
    assert_eq!(second.inserted().as_deref(), Some("two"));
    let guid = Application::select(&mut second.connect().unwrap()).unwrap().guid().unwrap();
    assert_eq!(hexadecimal(guid.bytes()).to_lowercase(), cards.entry("two").guid);
    second.remove().unwrap();
    drop(second);

    assert_eq!(CardBox::open(cards.directory()).unwrap().inserted(), None);
}

#[test]
fn a_connection_ends_with_the_removal_of_its_card() {
    let cards = two_cards();
    let reader = CardBox::open(cards.directory()).unwrap();
    reader.insert("one").unwrap();
    let mut connection = reader.connect().unwrap();
    assert!(connection.is_alive());
    Application::select(&mut connection).unwrap();

    reader.remove().unwrap();
    assert_eq!(connection.transmit(&[0x00, 0x20, 0x00, 0x80]), Err(TransportError::Removed));
    reader.insert("one").unwrap();
    assert_eq!(connection.transmit(&[0x00, 0x20, 0x00, 0x80]), Err(TransportError::Removed));
    assert_eq!(connection.reset(), Err(TransportError::Removed));
    assert!(!connection.is_alive());
    assert!(Application::select(&mut reader.connect().unwrap()).is_ok());
}

#[test]
fn a_reset_over_a_connection_forgets_the_verified_passcode() {
    let cards = two_cards();
    let reader = CardBox::open(cards.directory()).unwrap();
    reader.insert("one").unwrap();
    let mut connection = reader.connect().unwrap();
    let passcode = Passcode::from_digits("904173").unwrap();
    let verdict = Application::select(&mut connection).unwrap().try_passcode(&passcode).unwrap();
    assert_eq!(verdict, Verdict::Accepted);
    assert_eq!(connection.transmit(&[0x00, 0x20, 0x00, 0x80]).unwrap(), [0x90, 0x00]);

    connection.reset().unwrap();
    assert_eq!(connection.transmit(&[0x00, 0x20, 0x00, 0x80]).unwrap(), [0x69, 0x86]);
}

#[test]
fn inserting_the_inserted_card_changes_nothing() {
    let cards = two_cards();
    let reader = CardBox::open(cards.directory()).unwrap();
    reader.insert("one").unwrap();
    let connection = reader.connect().unwrap();
    reader.insert("one").unwrap();
    assert!(connection.is_alive());
}

#[test]
fn an_unknown_card_is_refused_and_the_reader_is_then_empty() {
    let cards = two_cards();
    let reader = CardBox::open(cards.directory()).unwrap();
    reader.insert("one").unwrap();
    for name in ["three", "", "..", "../cards/two"] {
        assert!(matches!(reader.insert(name), Err(CardBoxError::UnknownCard(_))), "{name}");
        assert_eq!(reader.inserted(), None);
    }
}
