//! A card whose dialogue is written down by the card itself: what it executed and how it answered, whatever became of the
//! answer on its way. No data is written, so no secret.

use std::{
    fs::File,
    io::{self, Write as _},
    path::Path,
};

use piv::{Card, TransportError};

use crate::Contacts;

/// A card that adds a line to a file for each command that it has executed: instruction, P1 and P2, status word, in
/// hexadecimal digits: `2C 0080 63C2`.
#[derive(Debug)]
pub struct Journalled<C> {
    card: C,
    journal: File,
}

impl<C: Card> Journalled<C> {
    /// The card writes to the end of the file at `path`.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn new(card: C, path: &Path) -> io::Result<Self> {
        Ok(Self { card, journal: File::options().create(true).append(true).open(path)? })
    }
}

impl<C: Card> Card for Journalled<C> {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        let answer = self.card.transmit(command)?;
        if let (&[_, instruction, p1, p2, ..], Some(&[first, second])) = (command, answer.last_chunk()) {
            let line = format!("{instruction:02X} {p1:02X}{p2:02X} {first:02X}{second:02X}\n");
            self.journal.write_all(line.as_bytes()).map_err(|_| TransportError::Fault)?;
        }
        Ok(answer)
    }
}

impl<C: Contacts> Contacts for Journalled<C> {
    fn power_off(&mut self) {
        self.card.power_off();
    }

    fn power_on(&mut self) -> Result<(), TransportError> {
        self.card.power_on()
    }
}
