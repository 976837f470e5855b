//! Passcode and unlock key.

use piv::{
    Application, Guid, LastTry, Passcode, PasscodeSource, PasscodeState, UnlockKey, Verdict, VerifyError, transaction,
};
use virtual_card::Contacts as _;

use crate::support::{is_signed, two_cards};

fn passcode(digits: &str) -> Passcode {
    Passcode::from_digits(digits).unwrap()
}

#[test]
fn three_wrong_passcodes_lock_the_card_and_its_unlock_key_unlocks_it() {
    let cards = two_cards();
    let mut card = cards.card("one");
    let mut application = Application::select(&mut card).unwrap();
    for tries_left in [2, 1] {
        assert_eq!(
            application.verify(PasscodeSource::Known(&passcode("111222")), LastTry::Keep),
            Err(VerifyError::Wrong { tries_left: Some(tries_left) })
        );
    }
    assert_eq!(
        application.verify(PasscodeSource::Known(&passcode("111222")), LastTry::Spend),
        Err(VerifyError::Blocked)
    );
    assert_eq!(application.try_passcode(&passcode("904173")).unwrap(), Verdict::Blocked);

    let verdict = application.reset_retry_counter(&cards.unlock_key("one"), &passcode("8350271")).unwrap();
    assert_eq!(verdict, Verdict::Accepted);
    assert_eq!(application.passcode_state().unwrap(), PasscodeState::Tries(3));
    assert_eq!(application.try_passcode(&passcode("904173")).unwrap(), Verdict::Refused { tries_left: Some(2) });
    assert_eq!(application.try_passcode(&passcode("8350271")).unwrap(), Verdict::Accepted);
}

#[test]
fn the_factorys_unlock_key_and_passcode_are_gone() {
    let cards = two_cards();
    let mut card = cards.card("one");
    let mut application = Application::select(&mut card).unwrap();
    let factory = UnlockKey::new(*b"12345678");
    assert_eq!(
        application.reset_retry_counter(&factory, &passcode("8350271")).unwrap(),
        Verdict::Refused { tries_left: Some(2) }
    );
    assert_eq!(application.try_passcode(&passcode("123456")).unwrap(), Verdict::Refused { tries_left: Some(2) });
    assert_eq!(application.try_passcode(&passcode("904173")).unwrap(), Verdict::Accepted);
}

#[test]
fn a_whole_unlock_replaces_passcode_and_unlock_key() {
    const DIGEST: [u8; 32] = [0x5A; 32];
    let cards = two_cards();
    let mut card = cards.card("two");
    let guid = transaction::look(&mut card).unwrap().0;
    let unlock = |candidate: &UnlockKey, next: &UnlockKey, card: &mut dyn piv::Card, guid: Guid| {
        transaction::unlock(
            card,
            &transaction::Unlock {
                guid,
                passcode: PasscodeSource::Known(&passcode("8350271")),
                candidate,
                second_candidate: None,
                next,
                digest: &|_, _| DIGEST.to_vec(),
            },
        )
    };
    let (first, second) = (cards.unlock_key("two"), UnlockKey::new([7; 8]));

    let proof = unlock(&first, &second, &mut card, guid).unwrap();
    assert!(is_signed(&cards.entry("two").piv_authentication_key, &DIGEST, &proof.signature));
    card.reset().unwrap();
    assert_eq!(unlock(&first, &second, &mut card, guid), Err(transaction::UnlockError::UnlockKeyRefused));
    unlock(&second, &first, &mut card, guid).unwrap();
}
