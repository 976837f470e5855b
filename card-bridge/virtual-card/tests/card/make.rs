//! Issuing cards: what is made, what is written, what is never overwritten.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use piv::{
    Algorithm, Application, CardError, Guid, Passcode, PasscodeState, Slot, UnlockKey, Verdict, issuance::IssuanceError,
};
use tempfile::TempDir;
use time::macros::datetime;
use virtual_card::{
    OpenError, VirtualCard,
    issuance::{CertifyError, IssueError, Order, issue},
    make::{DEMONSTRATION, Existing, MANIFEST, MakeError, make},
    manifest::{CardList, Manifest},
};

const ONE_CARD: &str = r#"
    [[card]]
    card = "one"
    user_number = "1"
    name = "One"
    email = "one@demo.nhs.net"
    passcode = "904173"
"#;

fn place() -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let place = directory.path().join("deep").join("cards");
    (directory, place)
}

fn run(place: &Path, list: &str, existing: Existing) -> Result<Manifest, MakeError> {
    make(place, &toml::from_str(list).unwrap(), existing, datetime!(2026-11-24 12:00 UTC))
}

fn read(place: &Path) -> Manifest {
    serde_json::from_slice(&fs::read(place.join(MANIFEST)).unwrap()).unwrap()
}

#[test]
fn the_demonstrations_cards_are_what_the_manifest_says() {
    let (_directory, place) = place();
    run(&place, DEMONSTRATION, Existing::Keep).unwrap();

    let manifest = read(&place);
    assert!(manifest.cards.iter().any(|card| !card.locked && card.registered.is_none()));
    assert!(manifest.cards.iter().any(|card| card.locked && card.registered.is_some()));
    assert!(manifest.cards.iter().any(|card| !card.locked && card.registered.is_some()));
    for entry in &manifest.cards {
        let mut card = VirtualCard::open(place.join(&entry.card)).unwrap();
        let mut application = Application::select(&mut card).unwrap();
        let passcode = Passcode::from_digits(&entry.passcode).unwrap();
        if entry.locked {
            assert_eq!(application.passcode_state().unwrap(), PasscodeState::Blocked);
        } else {
            assert_eq!(application.try_passcode(&passcode).unwrap(), Verdict::Accepted);
        }
        if let Some(registered) = &entry.registered {
            assert_eq!(registered.answers.len(), 4);
            assert!(registered.answers.iter().all(|answer| (1..=20).contains(&answer.question)));
        }
    }
}

#[test]
fn blank_cards_are_as_they_come_from_the_maker() {
    let (_directory, place) = place();
    run(&place, DEMONSTRATION, Existing::Keep).unwrap();
    let mut card = VirtualCard::open(place.join("blank-1")).unwrap();
    let mut application = Application::select(&mut card).unwrap();
    assert_eq!(application.certificate(Slot::PivAuthentication), Err(CardError::Unsuitable));
    assert_eq!(application.try_passcode(&Passcode::from_digits("123456").unwrap()).unwrap(), Verdict::Accepted);
}

#[test]
fn only_the_owner_can_read_what_was_made() {
    let (_directory, place) = place();
    run(&place, ONE_CARD, Existing::Keep).unwrap();
    for (path, mode) in [(place.clone(), 0o700), (place.join(MANIFEST), 0o600), (place.join("one"), 0o700)] {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode, "{}", path.display());
    }
}

#[test]
fn cards_that_are_there_stay_unless_they_shall_be_replaced() {
    let (_directory, place) = place();
    run(&place, ONE_CARD, Existing::Keep).unwrap();
    let guid = read(&place).cards[0].guid.clone();

    assert!(matches!(run(&place, ONE_CARD, Existing::Keep), Err(MakeError::Exists(_))));
    assert_eq!(read(&place).cards[0].guid, guid);

    run(&place, ONE_CARD, Existing::Replace).unwrap();
    assert_ne!(read(&place).cards[0].guid, guid);
    let left: Vec<_> = fs::read_dir(place.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["cards"]);
}

#[test]
fn a_directory_of_something_else_is_never_replaced() {
    let (_directory, place) = place();
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("thesis.txt"), "three years of work").unwrap();
    assert!(matches!(run(&place, ONE_CARD, Existing::Replace), Err(MakeError::NotABox(_))));
    assert!(place.join("thesis.txt").exists());
}

#[test]
fn a_card_in_use_is_not_replaced() {
    let (_directory, place) = place();
    run(&place, ONE_CARD, Existing::Keep).unwrap();
    let _card = VirtualCard::open(place.join("one")).unwrap();
    assert!(matches!(run(&place, ONE_CARD, Existing::Replace), Err(MakeError::Open(OpenError::InUse(_)))));
}

#[test]
fn a_list_that_cant_be_made_leaves_nothing_in_its_place() {
    let (_directory, place) = place();
    let list = ONE_CARD.replace("904173", "12345");
    assert!(matches!(run(&place, &list, Existing::Keep), Err(MakeError::Passcode { .. })));
    assert!(!place.exists());
    run(&place, ONE_CARD, Existing::Keep).unwrap();
}

#[test]
fn a_name_that_leaves_the_directory_is_no_name() {
    for name in ["../one", "", ".", "a/b"] {
        assert!(toml::from_str::<CardList>(&ONE_CARD.replace("\"one\"", &format!("{name:?}"))).is_err(), "{name}");
    }
}

#[test]
fn an_issued_card_is_not_issued_again() {
    let (_directory, place) = place();
    run(&place, ONE_CARD, Existing::Keep).unwrap();
    let mut card = VirtualCard::open(place.join("one")).unwrap();
    let before = Application::select(&mut card).unwrap().certificate(Slot::CardAuthentication).unwrap();

    let order = Order {
        guid: Guid::new([1; 16]).unwrap(),
        expires: *b"20311231",
        algorithm: &|_| Algorithm::P256,
        certify: &|_, _| Err(CertifyError),
        passcode: &Passcode::from_digits("8350271").unwrap(),
        unlock_key: &UnlockKey::new([1; 8]),
    };
    assert!(matches!(issue(&mut card, &order), Err(IssueError::Card(IssuanceError::NotBlank))));

    let mut application = Application::select(&mut card).unwrap();
    assert_eq!(application.certificate(Slot::CardAuthentication).unwrap(), before);
    assert_eq!(application.try_passcode(&Passcode::from_digits("904173").unwrap()).unwrap(), Verdict::Accepted);
}
