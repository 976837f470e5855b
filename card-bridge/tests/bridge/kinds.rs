//! Every kind of card in the table of `virtual_card::kind`: identify, prove, sign in, wrong and blocked passcodes, unlock,
//! and a cut at each command. A new kind is a row of that table, and nothing here.

use std::sync::mpsc::channel;

use card_protocol::message::{CardStatus, Done, LastTry, Verb};
use card_protocol::proof::KeyAlgorithm;
use card_protocol::sealed::{Candidates, UnlockKeys};
use card_protocol::{CardFailure, CardProof, Challenge, Purpose, UnlockKey};
use piv::Slot;
use virtual_card::fault::{Fault, Faulty, Mishap, Moment};
use virtual_card::kind::{KINDS, Kind, Touched};
use virtual_card::manifest::KeyKind;

use crate::cards::{Issued, PASSCODE};
use crate::page::Page;
use crate::readers::{LIMITS, ORIGIN, OneReader, Served, serve, service};
use crate::unlocking::{COMPLETION, NEW_PASSCODE, first_time, next_key, once_more, seal_as};

const CHALLENGE: Challenge = Challenge([7; 32]);
const WRONG: &str = "314159";

/// A card of one kind in a reader, and a page.
struct Desk {
    kind: Kind,
    card: Issued,
    _bridge: Served,
    page: Page,
}

impl Desk {
    fn new(kind: &Kind) -> Self {
        let card = Issued::of(kind);
        let bridge = serve(OneReader::with(card.insert_as(kind)), LIMITS);
        let page = Page::open(bridge.address, ORIGIN);
        Self { kind: *kind, card, _bridge: bridge, page }
    }

    fn status(&mut self) -> CardStatus {
        match self.page.ask(Verb::CardStatus { reader: None }) {
            Ok(Done::CardStatus(status)) => status,
            other => panic!("{}: {other:?} instead of a status", self.kind.name),
        }
    }

    fn sign_in_spending_the_last_try(&mut self, passcode: &str) -> Result<CardProof, CardFailure> {
        self.page.prove_holder(Purpose::SignIn, CHALLENGE, passcode, LastTry::Spend)
    }

    fn block(&mut self) {
        while let Err(CardFailure::WrongPasscode { .. }) = self.sign_in_spending_the_last_try(WRONG) {}
        assert_eq!(self.page.sign_in(PASSCODE), Err(CardFailure::PasscodeBlocked), "{}", self.kind.name);
    }

    fn unlock(&mut self, keys: &UnlockKeys) -> Result<CardProof, CardFailure> {
        unlock(&self.kind, &mut self.page, keys)
    }
}

fn unlock(kind: &Kind, page: &mut Page, keys: &UnlockKeys) -> Result<CardProof, CardFailure> {
    let release = page.prove_card(Purpose::Release, CHALLENGE)?;
    let algorithm = match kind.card_authentication {
        KeyKind::P256 => KeyAlgorithm::P256,
        KeyKind::P384 => KeyAlgorithm::P384,
        KeyKind::Rsa2048 => KeyAlgorithm::Rsa2048,
    };
    page.reset_passcode(NEW_PASSCODE, seal_as(algorithm, &service(), &release, keys))
}

fn named(name: &str) -> &'static Kind {
    Kind::named(name).unwrap()
}

/// Runs a test with a card of each kind.
fn with_each(test: impl Fn(&mut Desk)) {
    for kind in &KINDS {
        println!("{}", kind.name);
        test(&mut Desk::new(kind));
    }
}

#[test]
fn each_kind_says_which_it_is_and_proves_it() {
    with_each(|desk| {
        let status = desk.status();
        assert_eq!((status.guid, status.tries_left), (desk.card.guid, Some(desk.kind.passcode_tries.count())));
        for purpose in [Purpose::Hello, Purpose::Unlock, Purpose::Attempt, Purpose::Release] {
            assert!(desk.card.signed(&desk.page.prove_card(purpose, CHALLENGE).unwrap(), ORIGIN));
        }
    });
}

#[test]
fn each_kind_proves_its_holder() {
    with_each(|desk| {
        for purpose in [Purpose::SignIn, Purpose::Register, Purpose::Change] {
            let proof = desk.page.prove_holder(purpose, CHALLENGE, PASSCODE, LastTry::Keep).unwrap();
            assert!(desk.card.signed(&proof, ORIGIN));
        }
        assert_eq!(desk.status().tries_left, Some(desk.kind.passcode_tries.count()));
    });
}

#[test]
fn each_kind_counts_wrong_passcodes_keeps_the_last_try_and_is_locked_by_it() {
    with_each(|desk| {
        for tries_left in (1..desk.kind.passcode_tries.count()).rev() {
            assert_eq!(desk.page.sign_in(WRONG), Err(CardFailure::WrongPasscode { tries_left }));
        }
        assert_eq!(desk.page.sign_in(PASSCODE), Err(CardFailure::LastTry));
        assert_eq!(desk.status().tries_left, Some(1));
        assert_eq!(desk.sign_in_spending_the_last_try(WRONG), Err(CardFailure::PasscodeBlocked));
        assert_eq!(desk.status().tries_left, Some(0));
        assert_eq!(desk.sign_in_spending_the_last_try(PASSCODE), Err(CardFailure::PasscodeBlocked));
        assert!(desk.card.signed(&desk.page.prove_card(Purpose::Unlock, CHALLENGE).unwrap(), ORIGIN));
    });
}

#[test]
fn each_kind_gives_all_tries_back_for_the_right_passcode_at_the_last() {
    with_each(|desk| {
        while let Err(CardFailure::WrongPasscode { .. }) = desk.page.sign_in(WRONG) {}
        assert!(desk.sign_in_spending_the_last_try(PASSCODE).is_ok());
        assert_eq!(desk.status().tries_left, Some(desk.kind.passcode_tries.count()));
    });
}

#[test]
fn each_kind_changes_its_passcode_and_then_knows_the_new_one_only() {
    with_each(|desk| {
        let (guid, passcodes) = (desk.card.guid, [PASSCODE, NEW_PASSCODE]);
        let proof = desk.page.change_passcode(guid, CHALLENGE, passcodes, LastTry::Keep).unwrap();
        assert!(desk.card.signed(&proof, ORIGIN));
        let tries_left = desk.kind.passcode_tries.count() - 1;
        assert_eq!(desk.page.sign_in(PASSCODE), Err(CardFailure::WrongPasscode { tries_left }));
        assert!(desk.page.sign_in(NEW_PASSCODE).is_ok());
    });
}

#[test]
fn each_kind_is_unlocked_and_then_knows_the_next_unlock_key_only() {
    with_each(|desk| {
        desk.block();
        let completion = desk.unlock(&first_time(&desk.card)).unwrap();
        assert_eq!((completion.purpose, completion.challenge), (Purpose::Unlocked, COMPLETION));
        assert!(desk.card.signed(&completion, ORIGIN));
        assert_eq!(desk.status().tries_left, Some(desk.kind.passcode_tries.count()));
        assert!(desk.page.sign_in(NEW_PASSCODE).is_ok());
        assert_eq!(desk.unlock(&first_time(&desk.card)), Err(CardFailure::UnlockKeyRefused));
        assert!(desk.unlock(&once_more(&desk.card)).is_ok());
    });
}

#[test]
fn each_kind_takes_the_second_of_two_unlock_keys_also_at_the_last_try() {
    with_each(|desk| {
        desk.block();
        let wrong = UnlockKeys { candidates: Candidates::One(UnlockKey::new([1; 8])), ..first_time(&desk.card) };
        assert_eq!(desk.unlock(&wrong), Err(CardFailure::UnlockKeyRefused));
        // The next key, which the card does not have yet, costs the second of three tries.
        assert!(desk.unlock(&once_more(&desk.card)).is_ok());
        assert!(desk.page.sign_in(NEW_PASSCODE).is_ok());
    });
}

#[test]
fn each_kind_stays_as_it_is_when_its_unlock_key_is_used_up() {
    with_each(|desk| {
        let wrong = UnlockKeys { candidates: Candidates::One(UnlockKey::new([1; 8])), ..first_time(&desk.card) };
        for _ in 0..3 {
            assert_eq!(desk.unlock(&wrong), Err(CardFailure::UnlockKeyRefused));
        }
        assert_eq!(desk.unlock(&first_time(&desk.card)), Err(CardFailure::UnlockKeyRefused));
        assert!(desk.page.sign_in(PASSCODE).is_ok());
    });
}

/// Whether an outcome says that the card was removed; anything else but success is a lie.
fn was_cut<T: std::fmt::Debug>(outcome: Result<T, CardFailure>) -> bool {
    match outcome {
        Ok(_) => false,
        Err(CardFailure::CardRemoved) => true,
        other => panic!("a removal was reported as {other:?}"),
    }
}

fn every_cut_can_be_taken_up_again(moment: Moment) {
    for kind in &KINDS {
        let card = Issued::of(kind);
        virtual_card::issuance::lock(&mut card.insert()).unwrap();
        card.remember();
        for nth in 1.. {
            card.restore();
            let fault = Fault { mishap: Mishap::Pull, moment, nth, instruction: None };
            let reader = OneReader::with(Faulty::new(card.insert_as(kind), fault));
            let bridge = serve(reader.clone(), LIMITS);
            let mut page = Page::open(bridge.address, ORIGIN);
            let was_cut = was_cut(unlock(kind, &mut page, &first_time(&card)));
            reader.remove();
            reader.insert(card.insert_as(kind));
            if was_cut {
                let completion = unlock(kind, &mut page, &once_more(&card)).unwrap();
                assert!(card.signed(&completion, ORIGIN), "{}: cut {moment:?} command {nth}", kind.name);
            }
            assert!(page.sign_in(NEW_PASSCODE).is_ok(), "{}: cut {moment:?} command {nth}", kind.name);
            if !was_cut {
                assert!(nth > 11, "{}: only {nth} commands", kind.name);
                break;
            }
        }
    }
}

#[test]
fn an_unlock_of_each_kind_that_is_cut_before_any_command_can_be_taken_up_again() {
    every_cut_can_be_taken_up_again(Moment::Before);
}

#[test]
fn an_unlock_of_each_kind_that_is_cut_after_any_command_can_be_taken_up_again() {
    every_cut_can_be_taken_up_again(Moment::After);
}

#[test]
fn a_signature_waits_for_the_touch() {
    let kind = named("yubikey-5-touch");
    let card = Issued::of(kind);
    let (ask, asked) = channel();
    let (touch, touched) = channel();
    let waiting = kind.put_on(
        card.insert(),
        Box::new(move |slot| {
            ask.send(slot).unwrap();
            touched.recv().unwrap()
        }),
    );
    let bridge = serve(OneReader::with(waiting.unwrap()), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    let person = std::thread::spawn(move || {
        let slot = asked.recv().unwrap();
        touch.send(Touched::InTime).unwrap();
        slot
    });
    assert!(card.signed(&page.prove_card(Purpose::Hello, CHALLENGE).unwrap(), ORIGIN));
    assert_eq!(person.join().unwrap(), Slot::CardAuthentication);
}

/// A card that is not touched at signatures with the key of `slot`.
fn untouched(card: &Issued, slot: Slot) -> Box<dyn virtual_card::Contacts + Send> {
    let touch = move |asked| if asked == slot { Touched::Never } else { Touched::InTime };
    named("yubikey-5-touch").put_on(card.insert(), Box::new(touch)).unwrap()
}

#[test]
fn a_card_that_was_not_touched_says_so_and_costs_no_try() {
    let kind = named("yubikey-5-touch");
    let card = Issued::of(kind);
    let reader = OneReader::with(untouched(&card, Slot::CardAuthentication));
    let bridge = serve(reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    assert_eq!(page.prove_card(Purpose::Hello, CHALLENGE), Err(CardFailure::NotTouched));
    reader.remove();
    reader.insert(untouched(&card, Slot::PivAuthentication));
    for _ in 0..4 {
        assert_eq!(page.sign_in(PASSCODE), Err(CardFailure::NotTouched));
    }
    reader.remove();
    reader.insert(card.insert_as(kind));
    assert!(page.sign_in(PASSCODE).is_ok());
}

#[test]
fn an_unlock_whose_last_signature_was_not_touched_is_finished_by_the_same_again() {
    let kind = named("yubikey-5-touch");
    let card = Issued::of(kind);
    let reader = OneReader::with(untouched(&card, Slot::PivAuthentication));
    let bridge = serve(reader.clone(), LIMITS);
    let mut page = Page::open(bridge.address, ORIGIN);
    assert_eq!(unlock(kind, &mut page, &first_time(&card)), Err(CardFailure::NotTouched));
    reader.remove();
    reader.insert(card.insert_as(kind));
    let again = UnlockKeys { candidates: Candidates::Two(next_key(), card.unlock_key.clone()), ..first_time(&card) };
    let completion = unlock(kind, &mut page, &again).unwrap();
    assert!(card.signed(&completion, ORIGIN));
    assert!(page.sign_in(NEW_PASSCODE).is_ok());
}
