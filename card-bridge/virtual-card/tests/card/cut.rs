//! Cards that are pulled, hang or wait.

use std::sync::atomic::{AtomicU32, Ordering};

use piv::{Application, CardError, Passcode, TransportError, Verdict};
use virtual_card::{
    Contacts as _,
    fault::{Fault, Faulty, Mishap, Moment},
};

use crate::support::two_cards;

const RESET_RETRY_COUNTER: u8 = 0x2C;
const VERIFY: u8 = 0x20;

/// What becomes of the passcode when the card is pulled at RESET RETRY COUNTER.
fn after_a_pull(moment: Moment) -> [Verdict; 2] {
    let cards = two_cards();
    let new = Passcode::from_digits("8350271").unwrap();
    let fault = Fault { mishap: Mishap::Pull, moment, nth: 1, instruction: Some(RESET_RETRY_COUNTER) };
    let mut pulled = Faulty::new(cards.card("one"), fault);
    let mut application = Application::select(&mut pulled).unwrap();
    let cut = Err(CardError::Transport(TransportError::Removed));
    assert_eq!(application.reset_retry_counter(&cards.unlock_key("one"), &new), cut);
    assert_eq!(application.try_passcode(&new), cut);

    let mut card = pulled.into_inner();
    card.reset().unwrap();
    let mut application = Application::select(&mut card).unwrap();
    ["904173", "8350271"].map(|digits| application.try_passcode(&Passcode::from_digits(digits).unwrap()).unwrap())
}

#[test]
fn a_card_pulled_before_a_command_has_not_executed_it() {
    assert_eq!(after_a_pull(Moment::Before), [Verdict::Accepted, Verdict::Refused { tries_left: Some(2) }]);
}

#[test]
fn a_card_pulled_after_a_command_has_executed_it() {
    assert_eq!(after_a_pull(Moment::After), [Verdict::Refused { tries_left: Some(2) }, Verdict::Accepted]);
}

#[test]
fn a_card_hangs_at_the_apdu_named_and_from_then_on() {
    let cards = two_cards();
    let fault = Fault { mishap: Mishap::Hang, moment: Moment::Before, nth: 3, instruction: None };
    let mut hanging = Faulty::new(cards.card("one"), fault);
    let mut application = Application::select(&mut hanging).unwrap();
    application.passcode_state().unwrap();
    for _ in 0..2 {
        assert_eq!(application.passcode_state(), Err(CardError::Transport(TransportError::TimedOut)));
    }
    assert!(hanging.has_happened());
}

#[test]
fn a_card_waits_once_and_goes_on_as_if_nothing_had_happened() {
    static WAITED: AtomicU32 = AtomicU32::new(0);
    let cards = two_cards();
    for (moment, at_rest) in [(Moment::Before, 3), (Moment::After, 2)] {
        let fault = Fault { mishap: Mishap::Wait, moment, nth: 1, instruction: Some(VERIFY) };
        let mut waiting = Faulty::new(cards.card("one"), fault).waiting_for(|| {
            WAITED.fetch_add(1, Ordering::SeqCst);
        });
        let mut application = Application::select(&mut waiting).unwrap();
        let wrong = Passcode::from_digits("904174").unwrap();
        let expected = Verdict::Refused { tries_left: Some(at_rest - 1) };
        assert_eq!(application.try_passcode(&wrong).unwrap(), expected);
    }
    assert_eq!(WAITED.load(Ordering::SeqCst), 2);
}
