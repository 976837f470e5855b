//! The other dialect of status words. What the standard leaves open, or cards do otherwise, the card application in use
//! here answers in its own way; [`Strict`] translates that into the way of an applet of another origin.
//!
//! | case | `piv-authenticator` | [`Strict`] |
//! | --- | --- | --- |
//! | CHANGE REFERENCE DATA, wrong | 6300 | 63CX |
//! | CHANGE REFERENCE DATA, blocked | 6300 | 6983 |
//! | RESET RETRY COUNTER, unlock key blocked | 63C0 | 6983 |
//! | RESET RETRY COUNTER, new passcode malformed | 9000 (and the passcode is unusable) | 6A80 |
//! | VERIFY without data, blocked | 63C0 | 6983 |
//! | VERIFY, wrong at the last try | 6983 | 63C0, and 6983 from then on |
//! | VERIFY, malformed | 6A80, no try used | uses a try |

use piv::{Card, Command, Instruction, Passcode, StatusWord, TransportError};

use crate::Contacts;

/// How many wrong unlock keys the card takes.
const UNLOCK_KEY_TRIES: u8 = 3;
const PASSCODE_REFERENCE: u8 = 0x80;
const UNLOCK_KEY_REFERENCE: u8 = 0x81;

/// A card that speaks the other dialect.
///
/// The card can't be asked how many tries its unlock key has, so they are counted here: from the full number when the
/// wrapper is made, and from what the card says to a wrong RESET RETRY COUNTER.
#[derive(Debug)]
pub struct Strict<C> {
    card: C,
    unlock_key_tries: u8,
}

impl<C: Card> Strict<C> {
    /// The card will speak the other dialect.
    pub fn new(card: C) -> Self {
        Self { card, unlock_key_tries: UNLOCK_KEY_TRIES }
    }

    /// The tries left of the passcode; `None` while it is verified.
    fn passcode_tries(&mut self) -> Result<Option<u8>, TransportError> {
        Ok(status(&self.send(&Command::passcode_state())?).and_then(StatusWord::tries_left))
    }

    /// Sends a command of this wrapper's own.
    fn send(&mut self, command: &Command) -> Result<Vec<u8>, TransportError> {
        command.apdus().iter().try_fold(Vec::new(), |_, apdu| self.card.transmit(apdu))
    }

    fn verify(&mut self, apdu: &[u8], passcode: &[u8]) -> Result<Vec<u8>, TransportError> {
        let blocked = self.passcode_tries()? == Some(0);
        if blocked {
            return Ok(word(StatusWord::BLOCKED));
        }
        let answer = if passcode.is_empty() || is_well_formed(passcode) {
            self.card.transmit(apdu)?
        } else {
            // No service lets a person choose this one.
            let wrong_one = Passcode::from_digits("00000000").map_err(|_| TransportError::Fault)?;
            self.send(&Command::verify(&wrong_one))?
        };
        // It was not blocked before: the last try has just gone.
        Ok(if status(&answer) == Some(StatusWord::BLOCKED) { wrong(0) } else { answer })
    }

    fn change(&mut self, apdu: &[u8], reference: u8) -> Result<Vec<u8>, TransportError> {
        match reference {
            PASSCODE_REFERENCE => {
                let before = self.passcode_tries()?;
                let answer = self.card.transmit(apdu)?;
                if status(&answer) != Some(StatusWord::VERIFICATION_FAILED) {
                    return Ok(answer);
                }
                Ok(match (before, self.passcode_tries()?) {
                    (Some(0), _) => word(StatusWord::BLOCKED),
                    (_, Some(tries)) => wrong(tries),
                    (_, None) => answer,
                })
            }
            UNLOCK_KEY_REFERENCE => {
                let answer = self.card.transmit(apdu)?;
                Ok(match status(&answer) {
                    Some(StatusWord::VERIFICATION_FAILED) => self.wrong_unlock_key(None),
                    Some(StatusWord::SUCCESS) => {
                        self.unlock_key_tries = UNLOCK_KEY_TRIES;
                        answer
                    }
                    _ => answer,
                })
            }
            _ => self.card.transmit(apdu),
        }
    }

    fn reset_retry_counter(&mut self, apdu: &[u8], new: &[u8]) -> Result<Vec<u8>, TransportError> {
        if !is_well_formed(new) {
            return Ok(word(StatusWord::INCORRECT_DATA));
        }
        let answer = self.card.transmit(apdu)?;
        Ok(match status(&answer) {
            Some(StatusWord::SUCCESS) => {
                self.unlock_key_tries = UNLOCK_KEY_TRIES;
                answer
            }
            Some(refusal) if refusal.tries_left().is_some() => self.wrong_unlock_key(refusal.tries_left()),
            _ => answer,
        })
    }

    /// Counts a wrong unlock key, after which the card says that `left` tries are left, and answers it.
    fn wrong_unlock_key(&mut self, left: Option<u8>) -> Vec<u8> {
        let before = self.unlock_key_tries;
        self.unlock_key_tries = left.unwrap_or(before.saturating_sub(1));
        if before == 0 { word(StatusWord::BLOCKED) } else { wrong(self.unlock_key_tries) }
    }
}

impl<C: Card> Card for Strict<C> {
    fn transmit(&mut self, apdu: &[u8]) -> Result<Vec<u8>, TransportError> {
        let Some((&[class, instruction, p1, p2], body)) = apdu.split_first_chunk() else {
            return self.card.transmit(apdu);
        };
        let data =
            body.split_first().map(|(length, rest)| &rest[..rest.len().min(usize::from(*length))]).unwrap_or_default();
        match (class, Instruction::from(instruction), p1, p2) {
            (0x00, Instruction::Verify, 0x00, PASSCODE_REFERENCE) => self.verify(apdu, data),
            (0x00, Instruction::ChangeReferenceData, 0x00, reference) => self.change(apdu, reference),
            (0x00, Instruction::ResetRetryCounter, 0x00, PASSCODE_REFERENCE) => {
                self.reset_retry_counter(apdu, data.get(8..).unwrap_or_default())
            }
            _ => self.card.transmit(apdu),
        }
    }
}

impl<C: Contacts> Contacts for Strict<C> {
    fn power_off(&mut self) {
        self.card.power_off();
    }

    fn power_on(&mut self) -> Result<(), TransportError> {
        self.card.power_on()
    }
}

/// 6 to 8 digits, padded to 8 bytes with FF (SP 800-73-4 part 2, 2.4.3).
fn is_well_formed(passcode: &[u8]) -> bool {
    let digits = passcode.iter().take_while(|byte| byte.is_ascii_digit()).count();
    passcode.len() == 8 && digits >= 6 && passcode[digits..].iter().all(|byte| *byte == 0xFF)
}

fn status(answer: &[u8]) -> Option<StatusWord> {
    StatusWord::split(answer).map(|(_, status)| status)
}

fn word(status: StatusWord) -> Vec<u8> {
    status.0.to_be_bytes().to_vec()
}

fn wrong(tries_left: u8) -> Vec<u8> {
    vec![0x63, 0xC0 | tries_left]
}
