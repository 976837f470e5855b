//! What a `YubiKey` 5 adds to the standard (Yubico SDK manual, PIV application): GET METADATA, GET VERSION, and keys that
//! want a touch. The public keys in the metadata are left out, and so are its other instructions.

use piv::{Card, Command, Instruction, Slot, StatusWord, TransportError, tlv};

use super::{Kind, TouchPolicy};
use crate::{Contacts, manifest::KeyKind};

const GET_METADATA: u8 = 0xF7;
const GET_VERSION: u8 = 0xFD;
/// A firmware that knows GET METADATA: since 5.3.
const VERSION: [u8; 3] = [5, 3, 0];
const PASSCODE: u8 = 0x80;
const UNLOCK_KEY: u8 = 0x81;
const UNLOCK_KEY_TRIES: u8 = 3;
/// Set in the class of all parts of a chain but the last.
const CHAINED: u8 = 0x10;

/// Waits for the person to touch the card, who is asked at a signature with the key of this slot.
pub type Touch = Box<dyn FnMut(Slot) -> Touched + Send>;

/// Whether the card was touched in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touched {
    /// It was.
    InTime,
    /// It was not, and the signature is refused with 6982.
    Never,
}

/// A card with these additions.
pub struct YubiKey<C> {
    card: C,
    kind: Kind,
    policy: TouchPolicy,
    touch: Touch,
    /// Known from what the card says to a wrong one; the full number until then.
    unlock_key_tries: u8,
}

impl<C: Card> YubiKey<C> {
    pub fn new(card: C, kind: Kind, policy: TouchPolicy, touch: Touch) -> Self {
        Self { card, kind, policy, touch, unlock_key_tries: UNLOCK_KEY_TRIES }
    }

    /// The word on the state of the passcode: 6986 where nothing is selected.
    fn passcode_state(&mut self) -> Result<StatusWord, TransportError> {
        let apdus = Command::passcode_state().apdus();
        let answer = apdus.iter().try_fold(Vec::new(), |_, apdu| self.card.transmit(apdu))?;
        StatusWord::split(&answer).map(|(_, status)| status).ok_or(TransportError::Fault)
    }

    /// Table 1 of «Get metadata».
    fn metadata(&self, reference: u8, passcode: StatusWord) -> Option<Vec<u8>> {
        let policy = |passcode| {
            let touch = match self.policy {
                TouchPolicy::Never => 0x01,
                TouchPolicy::Always => 0x02,
            };
            tlv::encode(0x02, &[passcode, touch])
        };
        let key = |kind: KeyKind, policy| {
            [tlv::encode(0x01, &[piv::Algorithm::from(kind).reference()]), policy, tlv::encode(0x03, &[0x01])].concat()
        };
        let counted = |most: u8, left: u8| {
            [tlv::encode(0x01, &[0xFF]), tlv::encode(0x05, &[0x00]), tlv::encode(0x06, &[most, left])].concat()
        };
        match reference {
            0x9A => Some(key(self.kind.piv_authentication, policy(0x02))),
            0x9E => Some(key(self.kind.card_authentication, policy(0x01))),
            PASSCODE => {
                let most = self.kind.passcode_tries.count();
                let left = if passcode == StatusWord::BLOCKED { 0 } else { passcode.tries_left().unwrap_or(most) };
                Some(counted(most, left))
            }
            UNLOCK_KEY => Some(counted(UNLOCK_KEY_TRIES, self.unlock_key_tries)),
            _ => None,
        }
    }

    fn count_unlock_key(&mut self, answer: &[u8]) {
        match StatusWord::split(answer).map(|(_, status)| status) {
            Some(StatusWord::SUCCESS) => self.unlock_key_tries = UNLOCK_KEY_TRIES,
            Some(StatusWord::BLOCKED) => self.unlock_key_tries = 0,
            Some(other) => self.unlock_key_tries = other.tries_left().unwrap_or(self.unlock_key_tries),
            None => {}
        }
    }

    /// The last part of a signature.
    fn sign(&mut self, command: &[u8], slot: Slot) -> Result<Vec<u8>, TransportError> {
        let answer = self.card.transmit(command)?;
        let is_refused = StatusWord::split(&answer)
            .is_none_or(|(_, status)| !status.is_success() && status.more_available().is_none());
        if is_refused || (self.touch)(slot) == Touched::InTime {
            return Ok(answer);
        }
        // The card inside has signed: what is left of that is not to be had by GET RESPONSE.
        self.passcode_state()?;
        Ok(StatusWord::SECURITY_STATUS_NOT_SATISFIED.0.to_be_bytes().to_vec())
    }
}

impl<C: Card> Card for YubiKey<C> {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        let Some(&[class, instruction, _, p2]) = command.first_chunk() else {
            return self.card.transmit(command);
        };
        let slot = [Slot::PivAuthentication, Slot::CardAuthentication].into_iter().find(|slot| slot.reference() == p2);
        match (instruction, slot) {
            (GET_METADATA | GET_VERSION, _) => {
                let state = self.passcode_state()?;
                if state == StatusWord::COMMAND_NOT_ALLOWED {
                    return Ok(state.0.to_be_bytes().to_vec());
                }
                let data = if instruction == GET_VERSION { Some(VERSION.to_vec()) } else { self.metadata(p2, state) };
                let word = if data.is_some() { StatusWord::SUCCESS } else { StatusWord::REFERENCE_NOT_FOUND };
                Ok([data.unwrap_or_default(), word.0.to_be_bytes().to_vec()].concat())
            }
            (_, Some(slot))
                if Instruction::from(instruction) == Instruction::GeneralAuthenticate
                    && class & CHAINED == 0
                    && self.policy == TouchPolicy::Always =>
            {
                self.sign(command, slot)
            }
            _ => {
                let answer = self.card.transmit(command)?;
                match (Instruction::from(instruction), p2) {
                    (Instruction::ResetRetryCounter, PASSCODE) | (Instruction::ChangeReferenceData, UNLOCK_KEY) => {
                        self.count_unlock_key(&answer);
                    }
                    _ => {}
                }
                Ok(answer)
            }
        }
    }
}

impl<C: Contacts> Contacts for YubiKey<C> {
    fn power_off(&mut self) {
        self.card.power_off();
    }

    fn power_on(&mut self) -> Result<(), TransportError> {
        self.card.power_on()
    }
}
