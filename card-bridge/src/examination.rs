//! How far a card has what the service needs. No passcode is sent and nothing is signed.

use card_protocol::message::CardExamination;
use piv::{Application, Card, CardError, PasscodeState, Slot};

/// Looks at the card, part by part, up to the first that is missing.
///
/// # Errors
///
/// When the card did not answer as it should.
pub fn examine(card: &mut dyn Card) -> Result<CardExamination, CardError> {
    let mut application = match Application::select(card) {
        Err(CardError::NotPiv) => return Ok(CardExamination::NoApplication),
        selected => selected?,
    };
    if is_missing(&application.guid())? {
        return Ok(CardExamination::NoIdentity);
    }
    for slot in [Slot::CardAuthentication, Slot::PivAuthentication] {
        if is_missing(&application.certificate(slot).and_then(|certificate| certificate.algorithm()))? {
            return Ok(CardExamination::NoKeys);
        }
    }
    Ok(CardExamination::Complete { tries_left: tries_left(application.passcode_state()?) })
}

/// As the protocol writes it.
pub fn tries_left(state: PasscodeState) -> Option<u8> {
    match state {
        PasscodeState::Tries(tries) => Some(tries),
        PasscodeState::Blocked => Some(0),
        PasscodeState::Verified | PasscodeState::Unknown => None,
    }
}

/// Whether a part is not there, or is nothing that can be used.
fn is_missing<T>(part: &Result<T, CardError>) -> Result<bool, CardError> {
    match part {
        Ok(_) => Ok(false),
        Err(CardError::Unsuitable | CardError::Garbled) => Ok(true),
        Err(error) => Err(*error),
    }
}
