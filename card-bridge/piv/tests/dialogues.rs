//! Dialogues with cards, told in `dialogues/*.txt`: what is sent, what the card answers, what comes out.
//!
//! A case begins with `case` and its name. `run` names one of the operations below; `piv`, `guid` and
//! `certificate SLOT NAME` stand for the exchanges that select the application and read an object; `> ` is a command
//! APDU and `< ` its answer, in hexadecimal with placeholders in braces; `! ` instead of an answer is a transport
//! error. `result` is what the operation returns. A command that the case does not foresee fails the test.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "dialogues/script.rs"]
mod script;

use piv::transaction::{self, Change, Unlock};
use piv::{Algorithm, Application, Card, Guid, LastTry, ObjectId, Passcode, PasscodeSource, UnlockKey};
use script::{Case, Scripted};

const DIGEST: [u8; 48] = [0xD1; 48];

fn digest(guid: Guid, algorithm: Algorithm) -> Vec<u8> {
    assert_eq!(guid.bytes(), &script::GUID);
    DIGEST[..algorithm.digest_length()].to_vec()
}

fn result<T, E: std::fmt::Debug>(result: Result<T, E>, show: impl FnOnce(T) -> String) -> String {
    match result {
        Ok(value) => format!("Ok({})", show(value)),
        Err(error) => format!("Err({error:?})"),
    }
}

fn show_proof(proof: &transaction::Proof) -> String {
    assert_eq!(proof.guid.bytes(), &script::GUID);
    format!("{:?}, {}", proof.algorithm, script::to_hex(&proof.signature))
}

fn run(operation: &str, card: &mut dyn Card) -> String {
    let passcode = Passcode::from_digits(script::PASSCODE).unwrap();
    let [first, second, next] = [script::FIRST, script::SECOND, script::NEXT].map(UnlockKey::new);
    let unlock = |candidate, second_candidate| Unlock {
        guid: Guid::new(script::GUID).unwrap(),
        passcode: PasscodeSource::Known(&passcode),
        candidate,
        second_candidate,
        next: &next,
        digest: &digest,
    };
    let new_passcode = Passcode::from_digits(script::NEW_PASSCODE).unwrap();
    let change = |guid, last_try| Change {
        guid: Guid::new(guid).unwrap(),
        current: &passcode,
        new: &new_passcode,
        last_try,
        digest: &digest,
    };
    let mut changed = |guid, last_try| {
        result(transaction::change_passcode(card, &change(guid, last_try)), |proof| show_proof(&proof))
    };
    match operation {
        "change_passcode" => changed(script::GUID, LastTry::Keep),
        "change_passcode_last_try" => changed(script::GUID, LastTry::Spend),
        "change_passcode_of_another" => changed([9; 16], LastTry::Keep),
        "object" => result(Application::select(card).and_then(|mut piv| piv.object(ObjectId::CHUID)), |object| {
            object.len().to_string()
        }),
        "look" => result(transaction::look(card), |(guid, state)| {
            assert_eq!(guid.bytes(), &script::GUID);
            format!("{state:?}")
        }),
        "prove_card" => result(transaction::prove_card(card, &digest), |proof| show_proof(&proof)),
        "prove_holder" => {
            result(transaction::prove_holder(card, PasscodeSource::Known(&passcode), LastTry::Keep, &digest), |proof| {
                show_proof(&proof)
            })
        }
        "prove_holder_last_try" => result(
            transaction::prove_holder(card, PasscodeSource::Known(&passcode), LastTry::Spend, &digest),
            |proof| show_proof(&proof),
        ),
        "unlock" => result(transaction::unlock(card, &unlock(&first, None)), |proof| show_proof(&proof)),
        "unlock_two" => result(transaction::unlock(card, &unlock(&first, Some(&second))), |proof| show_proof(&proof)),
        "unlock_again" => result(transaction::unlock(card, &unlock(&next, Some(&first))), |proof| show_proof(&proof)),
        other => panic!("no operation is called {other}"),
    }
}

fn every_case_of(text: &str) {
    let cases = Case::read_all(text);
    assert!(!cases.is_empty());
    for case in cases {
        let mut card = Scripted::new(&case);
        let outcome = run(&case.operation, &mut card);
        assert_eq!(outcome, case.result, "case {}", case.name);
        card.assert_finished();
    }
}

#[test]
fn answers_are_gathered_and_odd_ones_recognised() {
    every_case_of(include_str!("dialogues/exchange.txt"));
}

#[test]
fn the_tries_left_are_read_in_every_dialect() {
    every_case_of(include_str!("dialogues/look.txt"));
}

#[test]
fn a_card_proves_itself() {
    every_case_of(include_str!("dialogues/prove_card.txt"));
}

#[test]
fn a_holder_proves_the_passcode() {
    every_case_of(include_str!("dialogues/prove_holder.txt"));
}

#[test]
fn a_holder_changes_the_passcode() {
    every_case_of(include_str!("dialogues/change_passcode.txt"));
}

#[test]
fn an_unlock_goes_its_one_way() {
    every_case_of(include_str!("dialogues/unlock.txt"));
}

struct Endless {
    part: Vec<u8>,
    exchanges: usize,
}

impl Card for Endless {
    fn transmit(&mut self, _: &[u8]) -> Result<Vec<u8>, piv::TransportError> {
        self.exchanges += 1;
        Ok(self.part.clone())
    }
}

/// After how many exchanges a card is given up that answers each with so many bytes and says that there are more.
fn given_up_after(bytes: usize) -> usize {
    let part = [vec![0; bytes], vec![0x61, 0x00]].concat();
    let mut card = Endless { part, exchanges: 0 };
    let answer = piv::exchange(&mut card, &piv::Command::get_data(ObjectId::CHUID));
    assert_eq!(answer, Err(piv::CardError::Endless));
    card.exchanges
}

#[test]
fn an_answer_without_end_is_given_up() {
    for bytes in [0, 1, 256] {
        let exchanges = given_up_after(bytes);
        assert!(exchanges <= 66, "{exchanges} exchanges");
    }
}

#[test]
fn an_answer_that_grows_longer_than_any_object_is_given_up() {
    for bytes in [4 << 10, 16 << 10, 1 << 20] {
        let exchanges = given_up_after(bytes);
        assert!((exchanges - 1) * bytes <= 16 << 10, "{exchanges} exchanges of {bytes} bytes");
    }
}
