//! A card that takes its time over each command, as a real one does: to measure what a program adds to a card's own time.

use piv::{Card, TransportError};

use crate::Contacts;

/// A card that waits before it executes a command.
#[derive(Debug)]
pub struct Slow<C, W> {
    card: C,
    wait: W,
}

impl<C: Card, W: FnMut()> Slow<C, W> {
    /// The card waits while `wait` runs.
    pub fn new(card: C, wait: W) -> Self {
        Self { card, wait }
    }
}

impl<C: Card, W: FnMut()> Card for Slow<C, W> {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        (self.wait)();
        self.card.transmit(command)
    }
}

impl<C: Contacts, W: FnMut()> Contacts for Slow<C, W> {
    fn power_off(&mut self) {
        self.card.power_off();
    }

    fn power_on(&mut self) -> Result<(), TransportError> {
        self.card.power_on()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Prompt;

    impl Card for Prompt {
        fn transmit(&mut self, _: &[u8]) -> Result<Vec<u8>, TransportError> {
            Ok(vec![0x90, 0])
        }
    }

    #[test]
    fn it_waits_once_for_each_command_and_answers_as_it_would() {
        let mut waited = 0;
        let mut card = Slow::new(Prompt, || waited += 1);
        assert_eq!(card.transmit(&[0, 0xA4, 4, 0]), Ok(vec![0x90, 0]));
        assert_eq!(card.transmit(&[0, 0xA4, 4, 0]), Ok(vec![0x90, 0]));
        assert_eq!(waited, 2);
    }
}
