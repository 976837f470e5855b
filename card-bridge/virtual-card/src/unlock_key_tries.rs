//! A card on which a successful RESET RETRY COUNTER leaves the tries of the unlock key as they are. The standard lets a
//! card do so (SP 800-73-4 part 2, 3.2.3); the card application in use gives all of them back.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use piv::{Card, Instruction, StatusWord, TransportError};

use crate::Contacts;

/// How many wrong unlock keys the card takes.
const MOST: u8 = 3;
/// Beside the images of the card: the tries that are left, a digit.
const FILE: &str = "unlock-key-tries";
const PASSCODE_REFERENCE: u8 = 0x80;
const UNLOCK_KEY_REFERENCE: u8 = 0x81;

/// A card that gives the tries of its unlock key back only when that is replaced.
#[derive(Debug)]
pub struct KeepsTries<C> {
    card: C,
    file: PathBuf,
    left: u8,
}

impl<C: Card> KeepsTries<C> {
    /// The card in `directory` will count so. How many tries are left is kept there.
    ///
    /// # Errors
    ///
    /// When what is kept can't be read.
    pub fn new(card: C, directory: &Path) -> io::Result<Self> {
        let file = directory.join(FILE);
        let left = match fs::read_to_string(&file) {
            Ok(digit) => digit.trim().parse().map_err(io::Error::other)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => MOST,
            Err(error) => return Err(error),
        };
        Ok(Self { card, file, left })
    }

    fn keep(&mut self, left: u8) -> Result<(), TransportError> {
        self.left = left;
        fs::write(&self.file, left.to_string()).map_err(|_| TransportError::Fault)
    }

    /// Sends a command that names the unlock key. The try is spent before, so that no loss of power saves it.
    fn with_unlock_key(&mut self, apdu: &[u8]) -> Result<Vec<u8>, TransportError> {
        let before = self.left;
        let replaces = apdu.get(3) == Some(&UNLOCK_KEY_REFERENCE);
        if before == 0 {
            // As the card application in use says of a blocked unlock key.
            return Ok(if replaces { StatusWord::VERIFICATION_FAILED.0.to_be_bytes().to_vec() } else { wrong(0) });
        }
        self.keep(before - 1)?;
        let answer = self.card.transmit(apdu)?;
        let (_, status) = StatusWord::split(&answer).ok_or(TransportError::Fault)?;
        match (status, replaces) {
            (StatusWord::SUCCESS, true) => self.keep(MOST)?,
            (StatusWord::SUCCESS, false) => self.keep(before)?,
            (refusal, _) if refusal.tries_left().is_some() => return Ok(wrong(self.left)),
            // A wrong unlock key, not counted in the answer.
            (StatusWord::VERIFICATION_FAILED, _) => {}
            _ => self.keep(before)?,
        }
        Ok(answer)
    }
}

impl<C: Card> Card for KeepsTries<C> {
    fn transmit(&mut self, apdu: &[u8]) -> Result<Vec<u8>, TransportError> {
        let Some(&[_, instruction, _, reference]) = apdu.first_chunk() else {
            return self.card.transmit(apdu);
        };
        match (Instruction::from(instruction), reference) {
            (Instruction::ResetRetryCounter, PASSCODE_REFERENCE)
            | (Instruction::ChangeReferenceData, UNLOCK_KEY_REFERENCE) => self.with_unlock_key(apdu),
            _ => self.card.transmit(apdu),
        }
    }
}

impl<C: Contacts> Contacts for KeepsTries<C> {
    fn power_off(&mut self) {
        self.card.power_off();
    }

    fn power_on(&mut self) -> Result<(), TransportError> {
        self.card.power_on()
    }
}

fn wrong(tries_left: u8) -> Vec<u8> {
    vec![0x63, 0xC0 | tries_left]
}
