//! The kinds of cards: each does what its row of the table says. How the bridge gets on with them is tested there.

use piv::{
    Algorithm, Application, Card as _, CardError, Command, LastTry, Passcode, PasscodeSource, PasscodeState, Slot,
    StatusWord, tlv,
};
use virtual_card::{
    Contacts,
    kind::{Apdus, Discovery, KINDS, Kind, Maker, TouchPolicy, Touched},
    manifest::KeyKind,
};

use crate::support::{Issued, hexadecimal, is_signed, issued, say};

const SELECT: &str = "00A4040009 A00000030800001000 00";
const STATE: &str = "00200080";
const WRONG: &str = "0020008008 313131323232FFFF";
const MALFORMED: &str = "0020008008 3930343137336161";
const RESET_WRONG: &str = "002C008010 0102030405060708 383335303237FFFF";
const GET_CERTIFICATE: &str = "00CB3FFF05 5C035FC105 00";
const GET_CERTIFICATE_EXTENDED: &str = "00CB3FFF000005 5C035FC105 0000";
const DIGEST: [u8; 32] = [0x5A; 32];

fn one_card(kind: &Kind) -> Issued {
    let tries = kind.passcode_tries.count();
    issued(&format!(
        "[[card]]\ncard = \"one\"\nuser_number = \"1\"\nname = \"One\"\nemail = \"one@demo.nhs.net\"\n\
         passcode = \"904173\"\npasscode_tries = {tries}\n\
         piv_authentication = \"{}\"\ncard_authentication = \"{}\"\n",
        kind.piv_authentication.name(),
        kind.card_authentication.name(),
    ))
}

fn insert(kind: &Kind, cards: &Issued) -> Box<dyn Contacts + Send> {
    touched(kind, cards, Touched::InTime)
}

fn touched(kind: &Kind, cards: &Issued, touch: Touched) -> Box<dyn Contacts + Send> {
    kind.put_on(cards.card("one"), Box::new(move |_| touch)).unwrap()
}

fn named(name: &str) -> Kind {
    *Kind::named(name).unwrap()
}

#[test]
fn each_kind_has_a_name_of_its_own() {
    for kind in &KINDS {
        assert_eq!(KINDS.iter().filter(|other| other.name == kind.name).count(), 1, "{}", kind.name);
    }
    assert!(Kind::named("another").is_none());
}

#[test]
fn each_kind_gives_as_many_tries_as_it_says_and_gives_them_back() {
    for kind in &KINDS {
        let cards = one_card(kind);
        let mut card = insert(kind, &cards);
        let most = kind.passcode_tries.count();
        let passcode = Passcode::from_digits("904173").unwrap();
        for _ in 0..2 {
            let mut application = Application::select(&mut card).unwrap();
            assert_eq!(application.passcode_state().unwrap(), PasscodeState::Tries(most), "{}", kind.name);
            say(&mut card, WRONG);
            assert_eq!(say(&mut card, STATE), format!("63C{}", most - 1), "{}", kind.name);
            Application::select(&mut card).unwrap().verify(PasscodeSource::Known(&passcode), LastTry::Keep).unwrap();
            card.reset().unwrap();
        }
        say(&mut card, SELECT);
        let reset = format!("002C008010 {} 383335303237FFFF", *cards.entry("one").unlock_key);
        (0..most).for_each(|_| drop(say(&mut card, WRONG)));
        assert_eq!(say(&mut card, &reset), "9000", "{}", kind.name);
        assert_eq!(say(&mut card, STATE), format!("63C{most}"), "{}", kind.name);
    }
}

#[test]
fn extended_apdus_are_taken_or_not_and_the_answer_is_the_same() {
    for kind in &KINDS {
        let cards = one_card(kind);
        let mut card = insert(kind, &cards);
        say(&mut card, SELECT);
        let whole = Application::select(&mut card).unwrap().certificate(Slot::PivAuthentication).unwrap();
        let extended = say(&mut card, GET_CERTIFICATE_EXTENDED);
        let short = say(&mut card, GET_CERTIFICATE);
        match kind.apdus {
            Apdus::Extended => {
                assert!(extended.contains(&hexadecimal(whole.der())) && extended.ends_with("9000"), "{}", kind.name);
                assert_eq!(short.len(), 2 * 256 + 4, "{}", kind.name);
            }
            Apdus::Short => assert_eq!((extended.as_str(), short.len()), ("6700", 2 * 256 + 4), "{}", kind.name),
            Apdus::GetResponse => assert_eq!((extended.as_str(), short.as_str()), ("6700", "6100"), "{}", kind.name),
        }
    }
}

#[test]
fn a_card_that_announces_its_answers_insists_on_their_length() {
    let kind = named("get-response");
    let cards = one_card(&kind);
    let mut card = insert(&kind, &cards);
    let announced = say(&mut card, SELECT);
    let length = announced.strip_prefix("61").unwrap();
    assert_eq!(say(&mut card, "00C0000000"), format!("6C{length}"));
    let answer = say(&mut card, &format!("00C00000{length}"));
    assert_eq!(answer.len(), 2 * usize::from_str_radix(length, 16).unwrap() + 4);
    assert!(answer.ends_with("9000"));
    assert_eq!(say(&mut card, "00C0000000"), "6985");
    assert_eq!(say(&mut card, STATE), "63C3");
}

#[test]
fn the_discovery_object_is_there_or_not() {
    for kind in &KINDS {
        let cards = one_card(kind);
        let mut card = insert(kind, &cards);
        say(&mut card, SELECT);
        let answer = say(&mut card, "00CB3FFF03 5C017E 00");
        assert_eq!(answer == "6A82", kind.discovery == Discovery::Absent, "{}: {answer}", kind.name);
    }
}

#[test]
fn a_yubikey_tells_its_version_and_its_tries_and_others_do_not() {
    for kind in KINDS.iter().filter(|kind| kind.apdus != Apdus::GetResponse) {
        let cards = one_card(kind);
        let mut card = insert(kind, &cards);
        let is_yubikey = matches!(kind.maker, Maker::Yubico(_));
        assert_eq!(say(&mut card, "00FD000000"), "6986", "{}", kind.name);
        say(&mut card, SELECT);
        // The card application in use answers this one too, with a number of its own.
        let expected = if is_yubikey { "0503009000" } else { "0606069000" };
        assert_eq!(say(&mut card, "00FD000000"), expected, "{}", kind.name);
        if !is_yubikey {
            // It knows the instruction, and has nothing to say.
            assert_eq!(say(&mut card, "00F7008000"), "9000", "{}", kind.name);
            continue;
        }
        assert_eq!(say(&mut card, "00F7008000"), "0101FF05010006020303 9000".replace(' ', ""));
        say(&mut card, WRONG);
        assert_eq!(say(&mut card, "00F7008000"), "0101FF050100060203029000");
        say(&mut card, RESET_WRONG);
        assert_eq!(say(&mut card, "00F7008100"), "0101FF050100060203029000");
        (0..2).for_each(|_| drop(say(&mut card, WRONG)));
        assert_eq!(say(&mut card, "00F7008000"), "0101FF050100060203009000");
        let touch = if kind.maker == Maker::Yubico(TouchPolicy::Always) { "02" } else { "01" };
        assert_eq!(say(&mut card, "00F7009A00"), format!("010111020202{touch}0301019000"));
        assert_eq!(say(&mut card, "00F7009E00"), format!("010111020201{touch}0301019000"));
        assert_eq!(say(&mut card, "00F7009C00"), "6A88");
    }
}

#[test]
fn a_malformed_passcode_costs_a_try_of_a_yubikey() {
    let kind = named("yubikey-5");
    let cards = one_card(&kind);
    let mut card = insert(&kind, &cards);
    say(&mut card, SELECT);
    assert_eq!(say(&mut card, MALFORMED), "63C2");
}

#[test]
fn a_key_that_wants_a_touch_signs_with_one_and_gives_nothing_away_without() {
    let kind = named("yubikey-5-touch");
    for slot in [Slot::PivAuthentication, Slot::CardAuthentication] {
        for touch in [Touched::InTime, Touched::Never] {
            let cards = one_card(&kind);
            let mut card = touched(&kind, &cards, touch);
            let mut application = Application::select(&mut card).unwrap();
            application
                .verify(PasscodeSource::Known(&Passcode::from_digits("904173").unwrap()), LastTry::Keep)
                .unwrap();
            let signature = application.sign(slot, Algorithm::P256, &DIGEST);
            if touch == Touched::InTime {
                let entry = cards.entry("one");
                let key = match slot {
                    Slot::PivAuthentication => &entry.piv_authentication_key,
                    Slot::CardAuthentication => &entry.card_authentication_key,
                };
                assert!(is_signed(key, &DIGEST, &signature.unwrap()));
            } else {
                assert_eq!(signature, Err(CardError::NotTouched));
            }
        }
    }
}

#[test]
fn of_a_signature_that_was_not_touched_nothing_is_left_to_fetch() {
    // An RSA signature is longer than one answer.
    let kind = Kind { card_authentication: KeyKind::Rsa2048, ..named("yubikey-5-touch") };
    let request = [tlv::encode(0x82, &[]), tlv::encode(0x81, &[0x01; 256])].concat();
    let sign = Command::general_authenticate(Algorithm::Rsa2048.reference(), 0x9E, &request).apdus();
    for (touch, answered, left) in [(Touched::InTime, "6108", true), (Touched::Never, "6982", false)] {
        let cards = one_card(&kind);
        let mut card = touched(&kind, &cards, touch);
        say(&mut card, SELECT);
        let answers: Vec<_> = sign.iter().map(|apdu| hexadecimal(&card.transmit(apdu).unwrap())).collect();
        assert!(answers.last().unwrap().ends_with(answered), "{answers:?}");
        assert_eq!(say(&mut card, "00C0000000") != "6985", left);
    }
}

#[test]
fn a_missing_verify_is_not_taken_for_a_missing_touch() {
    let kind = named("yubikey-5");
    let cards = one_card(&kind);
    let mut card = touched(&kind, &cards, Touched::Never);
    let mut application = Application::select(&mut card).unwrap();
    let refused = Err(CardError::Refused(StatusWord::SECURITY_STATUS_NOT_SATISFIED));
    assert_eq!(application.sign(Slot::PivAuthentication, Algorithm::P256, &DIGEST), refused);
    assert!(application.sign(Slot::CardAuthentication, Algorithm::P256, &DIGEST).is_ok());
}

#[test]
fn a_list_asks_for_no_number_of_tries_that_a_card_could_not_tell() {
    for tries in [0, 16, 255] {
        let list = format!(
            "[[card]]\ncard = \"one\"\nuser_number = \"1\"\nname = \"One\"\nemail = \"one@demo.nhs.net\"\n\
             passcode = \"904173\"\npasscode_tries = {tries}\n"
        );
        assert!(toml::from_str::<virtual_card::manifest::CardList>(&list).is_err(), "{tries}");
    }
}
