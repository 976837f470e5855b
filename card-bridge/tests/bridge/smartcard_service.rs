//! The bridge on a real PC/SC service, with cards in a virtual reader of two slots.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use card_bridge::readers::{Afterwards, PcscReaders};
use card_bridge::{Limits, Worker};
use card_protocol::message::{CardStatus, Done, LastTry, Readers, Verb};
use card_protocol::proof::KeyAlgorithm;
use card_protocol::{CardFailure, Challenge, HeldCard, Purpose};
use piv::PasscodeState;
use virtual_card::dialect::Strict;
use virtual_card::fault::{Fault, Faulty, Mishap, Moment};
use virtual_card::kind::KINDS;

use crate::cards::{Issued, PASSCODE};
use crate::page::Page;
use crate::readers::{LIMITS, ORIGIN, service};
use crate::service::{
    Foreign, OtherProgram, Slot, beside_a_service, bridge, kill_service, plug, start_service, until_cards,
};
use crate::unlocking::{NEW_PASSCODE, first_time, once_more, seal, unlock};

const CHALLENGE: Challenge = Challenge([7; 32]);
const WRONG: &str = "314159";

const VERIFY: u8 = 0x20;
const CHANGE_REFERENCE_DATA: u8 = 0x24;
const RESET_RETRY_COUNTER: u8 = 0x2C;

fn status(page: &mut Page, reader: Option<&str>) -> Result<CardStatus, CardFailure> {
    match page.ask(Verb::CardStatus { reader: reader.map(str::to_owned) })? {
        Done::CardStatus(status) => Ok(status),
        other => panic!("{other:?} instead of a status"),
    }
}

/// Whether another program's card accepts the passcode.
fn another_program_accepts(reader: &str, passcode: &str) -> bool {
    let output = Command::new("yubico-piv-tool")
        .args(["--reader", reader, "--action", "verify-pin", "--pin", passcode])
        .output()
        .expect("yubico-piv-tool is missing: apt-get install yubico-piv-tool");
    output.status.success()
}

beside_a_service! {
    fn a_card_is_locked_and_unlocked_and_then_works_in_another_program() {
        let card = Issued::new(KeyAlgorithm::P256);
        let (_bridge, mut page) = bridge(LIMITS);
        let _plugged = plug(Slot::First, card.insert());
        let readers = until_cards(&mut page, 1);
        let proof = page.prove_card(Purpose::Hello, CHALLENGE).unwrap();
        assert!(card.signed(&proof, ORIGIN));
        assert!(card.signed(&page.sign_in(PASSCODE).unwrap(), ORIGIN));

        assert_eq!(page.sign_in(WRONG), Err(CardFailure::WrongPasscode { tries_left: 2 }));
        assert_eq!(page.sign_in(WRONG), Err(CardFailure::WrongPasscode { tries_left: 1 }));
        assert_eq!(page.sign_in(WRONG), Err(CardFailure::LastTry));
        assert_eq!(status(&mut page, None).unwrap().tries_left, Some(1));
        let last = page.prove_holder(Purpose::SignIn, CHALLENGE, WRONG, LastTry::Spend);
        assert_eq!(last, Err(CardFailure::PasscodeBlocked));
        assert_eq!(status(&mut page, None).unwrap().tries_left, Some(0));
        assert!(!another_program_accepts(&readers[0], PASSCODE));

        let completion = unlock(&mut page, &first_time(&card)).unwrap();
        assert!(card.signed(&completion, ORIGIN));
        assert!(!another_program_accepts(&readers[0], PASSCODE));
        assert!(another_program_accepts(&readers[0], NEW_PASSCODE));
    }

    fn a_card_of_another_dialect_is_locked_and_unlocked_too() {
        let card = Issued::new(KeyAlgorithm::P256);
        let (_bridge, mut page) = bridge(LIMITS);
        let _plugged = plug(Slot::First, Strict::new(card.insert()));
        until_cards(&mut page, 1);
        while let Err(CardFailure::WrongPasscode { .. }) = page.sign_in(WRONG) {}
        assert_eq!(page.sign_in(WRONG), Err(CardFailure::LastTry));
        let last = page.prove_holder(Purpose::SignIn, CHALLENGE, WRONG, LastTry::Spend);
        assert_eq!(last, Err(CardFailure::PasscodeBlocked));
        assert!(unlock(&mut page, &first_time(&card)).is_ok());
        assert!(unlock(&mut page, &once_more(&card)).is_ok());
        assert!(page.sign_in(NEW_PASSCODE).is_ok());
    }

    fn each_kind_of_card_signs_in_through_the_service() {
        let (_bridge, mut page) = bridge(LIMITS);
        for kind in &KINDS {
            let card = Issued::of(kind);
            let plugged = plug(Slot::First, card.insert_as(kind));
            until_cards(&mut page, 1);
            let tries_left = kind.passcode_tries.count() - 1;
            assert_eq!(page.sign_in(WRONG), Err(CardFailure::WrongPasscode { tries_left }), "{}", kind.name);
            assert!(card.signed(&page.sign_in(PASSCODE).unwrap(), ORIGIN), "{}", kind.name);
            assert!(card.signed(&page.prove_card(Purpose::Hello, CHALLENGE).unwrap(), ORIGIN), "{}", kind.name);
            plugged.pull();
            until_cards(&mut page, 0);
        }
    }

    fn a_reader_without_keys_is_known_as_such_and_goes_on() {
        let card = Issued::new(KeyAlgorithm::P256);
        let (_bridge, mut page) = bridge(LIMITS);
        let _plugged = plug(Slot::First, card.insert());
        until_cards(&mut page, 1);
        let worker = Worker::new(Arc::new(PcscReaders::start().unwrap()), LIMITS);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let asked = worker.carry_out(None, Afterwards::Leave, |card, _| {
            let has_keys = card.pin_pad().is_some();
            Ok((has_keys, piv::transaction::look(card).unwrap().1))
        });
        assert_eq!(runtime.block_on(asked), Ok((false, PasscodeState::Tries(3))));
    }

    fn without_a_card_or_with_a_foreign_one_the_page_is_told() {
        let (_bridge, mut page) = bridge(LIMITS);
        until_cards(&mut page, 0);
        assert_eq!(page.prove_card(Purpose::Hello, CHALLENGE), Err(CardFailure::NoCard));
        assert_eq!(status(&mut page, Some("Another")), Err(CardFailure::NoReader));
        let foreign = plug(Slot::First, Foreign);
        until_cards(&mut page, 1);
        assert_eq!(page.prove_card(Purpose::Hello, CHALLENGE), Err(CardFailure::UnsupportedCard));
        foreign.pull();
        until_cards(&mut page, 0);
        assert_eq!(page.prove_card(Purpose::Hello, CHALLENGE), Err(CardFailure::NoCard));
    }

    fn of_two_cards_the_page_names_the_reader() {
        let [card, other] = [Issued::new(KeyAlgorithm::P256), Issued::new(KeyAlgorithm::P256)];
        let (_bridge, mut page) = bridge(LIMITS);
        let first = plug(Slot::First, card.insert());
        let name = until_cards(&mut page, 1).remove(0);
        let _second = plug(Slot::Second, other.insert());
        let readers = until_cards(&mut page, 2);
        // By the names on their certificates the person tells them apart.
        let held = |reader: &String| HeldCard { reader: reader.clone(), holder: Some("One".to_owned()) };
        let several = CardFailure::SeveralCards { cards: readers.iter().map(held).collect() };
        assert_eq!(status(&mut page, None), Err(several.clone()));
        assert_eq!(page.sign_in(PASSCODE), Err(several));
        let other_name = readers.iter().find(|reader| **reader != name).unwrap();
        assert_eq!(status(&mut page, Some(&name)).unwrap().guid, card.guid);
        assert_eq!(status(&mut page, Some(other_name)).unwrap().guid, other.guid);
        first.pull();
        until_cards(&mut page, 1);
        assert_eq!(status(&mut page, None).unwrap().guid, other.guid);
        assert_eq!(status(&mut page, Some(&name)), Err(CardFailure::NoCard));
    }

    fn a_card_without_the_application_is_no_hindrance() {
        let card = Issued::new(KeyAlgorithm::P256);
        let (_bridge, mut page) = bridge(LIMITS);
        let _foreign = plug(Slot::First, Foreign);
        let _plugged = plug(Slot::Second, card.insert());
        until_cards(&mut page, 2);
        assert_eq!(status(&mut page, None).unwrap().guid, card.guid);
    }

    fn a_card_that_is_pulled_while_its_passcode_is_tried_was_removed() {
        for moment in [Moment::Before, Moment::After] {
            let card = Issued::new(KeyAlgorithm::P256);
            let (_bridge, mut page) = bridge(LIMITS);
            // The first VERIFY asks for the tries left.
            let fault = Fault { mishap: Mishap::Pull, moment, nth: 2, instruction: Some(VERIFY) };
            let plugged = plug(Slot::First, Faulty::new(card.insert(), fault));
            until_cards(&mut page, 1);
            assert_eq!(page.sign_in(PASSCODE), Err(CardFailure::CardRemoved), "{moment:?}");
            plugged.pulled();
            until_cards(&mut page, 0);
            let plugged = plug(Slot::First, card.insert());
            until_cards(&mut page, 1);
            assert_eq!(status(&mut page, None).unwrap().tries_left, Some(3), "{moment:?}");
            assert!(page.sign_in(PASSCODE).is_ok());
            plugged.pull();
            until_cards(&mut page, 0);
        }
    }

    fn an_unlock_that_is_cut_is_taken_up_again() {
        for (instruction, moment) in [
            (RESET_RETRY_COUNTER, Moment::Before),
            (RESET_RETRY_COUNTER, Moment::After),
            (CHANGE_REFERENCE_DATA, Moment::After),
            (VERIFY, Moment::After),
        ] {
            let card = Issued::locked();
            let (_bridge, mut page) = bridge(LIMITS);
            let fault = Fault { mishap: Mishap::Pull, moment, nth: 1, instruction: Some(instruction) };
            let plugged = plug(Slot::First, Faulty::new(card.insert(), fault));
            until_cards(&mut page, 1);
            let cut = unlock(&mut page, &first_time(&card));
            assert_eq!(cut, Err(CardFailure::CardRemoved), "{instruction:02X} {moment:?}");
            plugged.pulled();
            until_cards(&mut page, 0);
            let plugged = plug(Slot::First, card.insert());
            until_cards(&mut page, 1);
            let completion = unlock(&mut page, &once_more(&card)).unwrap();
            assert!(card.signed(&completion, ORIGIN));
            assert!(page.sign_in(NEW_PASSCODE).is_ok());
            plugged.pull();
            until_cards(&mut page, 0);
        }
    }

    fn a_card_that_hangs_is_given_up_and_the_other_reader_goes_on() {
        let [card, other] = [Issued::new(KeyAlgorithm::P256), Issued::new(KeyAlgorithm::P256)];
        let (_bridge, mut page) = bridge(Limits { transaction: Duration::from_secs(5), ..LIMITS });
        let fault = Fault { mishap: Mishap::Hang, moment: Moment::Before, nth: 2, instruction: None };
        let _hanging = plug(Slot::First, Faulty::new(card.insert(), fault));
        let hanging = until_cards(&mut page, 1).remove(0);
        assert_eq!(page.prove_card(Purpose::Hello, CHALLENGE), Err(CardFailure::CardSilent));
        let _second = plug(Slot::Second, other.insert());
        let readers = until_cards(&mut page, 2);
        let second = readers.iter().find(|reader| **reader != hanging).unwrap();
        assert_eq!(status(&mut page, Some(second)).unwrap().guid, other.guid);
    }

    fn a_removal_voids_the_release_proof_though_the_card_comes_back() {
        let card = Issued::locked();
        let (_bridge, mut page) = bridge(LIMITS);
        let plugged = plug(Slot::First, card.insert());
        until_cards(&mut page, 1);
        let release = page.prove_card(Purpose::Release, CHALLENGE).unwrap();
        plugged.pull();
        until_cards(&mut page, 0);
        let _plugged = plug(Slot::First, card.insert());
        until_cards(&mut page, 1);
        let sealed = seal(&service(), &release, &first_time(&card));
        assert_eq!(page.reset_passcode(NEW_PASSCODE, sealed), Err(CardFailure::CardRemoved));
        assert_eq!(page.sign_in(NEW_PASSCODE), Err(CardFailure::PasscodeBlocked));
        assert!(unlock(&mut page, &first_time(&card)).is_ok());
    }

    fn no_verified_card_is_left_behind() {
        let card = Issued::new(KeyAlgorithm::P256);
        let (_bridge, mut page) = bridge(LIMITS);
        let _plugged = plug(Slot::First, card.insert());
        let reader = until_cards(&mut page, 1).remove(0);
        page.sign_in(PASSCODE).unwrap();
        let (_, state) = piv::transaction::look(&mut OtherProgram::connect(&reader)).unwrap();
        assert_eq!(state, PasscodeState::Tries(3));
        let signed = piv::transaction::prove_card(&mut OtherProgram::connect(&reader), &|_, _| vec![1; 32]);
        assert!(signed.is_ok());
        let mut other = OtherProgram::connect(&reader);
        let mut application = piv::Application::select(&mut other).unwrap();
        let signed = application.sign(piv::Slot::PivAuthentication, piv::Algorithm::P256, &[1; 32]);
        assert!(signed.is_err());
    }

    fn a_program_that_is_connected_is_no_hindrance_and_one_that_holds_the_card_is_named() {
        let card = Issued::new(KeyAlgorithm::P256);
        let (_bridge, mut page) = bridge(Limits { hold: Duration::from_secs(5), ..LIMITS });
        let _plugged = plug(Slot::First, card.insert());
        let reader = until_cards(&mut page, 1).remove(0);
        let mut other = OtherProgram::connect(&reader);
        assert!(page.sign_in(PASSCODE).is_ok());
        // The bridge's reset is news to the other program.
        let unaware = other.0.transaction();
        assert!(matches!(unaware, Err(pcsc::Error::ResetCard)));
        drop(unaware);
        other.0.reconnect(pcsc::ShareMode::Shared, pcsc::Protocols::ANY, pcsc::Disposition::LeaveCard).unwrap();
        let held = other.0.transaction().unwrap();
        assert!(matches!(page.sign_in(PASSCODE), Err(CardFailure::CardInUse { .. })));
        held.end(pcsc::Disposition::LeaveCard).map_err(|(_, error)| error).unwrap();
        while let Err(CardFailure::CardInUse { .. }) = page.sign_in(PASSCODE) {}
        assert_eq!(page.sign_in(WRONG), Err(CardFailure::WrongPasscode { tries_left: 2 }));
    }

    fn a_service_that_stops_is_told_and_found_again_when_it_starts() {
        let card = Issued::new(KeyAlgorithm::P256);
        let (_bridge, mut page) = bridge(LIMITS);
        let plugged = plug(Slot::First, card.insert());
        until_cards(&mut page, 1);
        let release = page.prove_card(Purpose::Release, CHALLENGE).unwrap();
        kill_service();
        page.until_readers(|readers| *readers == Readers::Stopped);
        assert_eq!(page.prove_card(Purpose::Hello, CHALLENGE), Err(CardFailure::NoService));
        plugged.pulled();
        let _service = start_service();
        page.until_readers(|readers| matches!(readers, Readers::Running { .. }));
        let _plugged = plug(Slot::First, card.insert());
        until_cards(&mut page, 1);
        let sealed = seal(&service(), &release, &first_time(&card));
        assert_eq!(page.reset_passcode(NEW_PASSCODE, sealed), Err(CardFailure::CardRemoved));
        assert!(page.sign_in(PASSCODE).is_ok());
    }
}
