//! A card that is pulled, hangs or waits at a moment of one's choosing, to test what a cut leaves behind.

use piv::{Card, TransportError};

use crate::Contacts;

/// What happens to the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mishap {
    /// It leaves the reader.
    Pull,
    /// It answers no more.
    Hang,
    /// It waits until it is told to go on, and then goes on as if nothing had happened: time for a mishap of something
    /// else, like the reader.
    Wait,
}

/// When it happens, as seen from the APDU at which it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Moment {
    /// The card has not executed it.
    Before,
    /// The card has executed it; its answer is lost.
    After,
}

/// A mishap and when it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub mishap: Mishap,
    /// Before or after the card executes the APDU.
    pub moment: Moment,
    /// At which APDU, the first being 1.
    pub nth: u32,
    /// Counting only the APDUs of this instruction.
    pub instruction: Option<u8>,
}

/// A card that suffers a [`Fault`].
#[derive(Debug)]
pub struct Faulty<C> {
    card: C,
    fault: Fault,
    seen: u32,
    wait: fn(),
}

impl<C: Card> Faulty<C> {
    /// The card will suffer the fault.
    pub fn new(card: C, fault: Fault) -> Self {
        Self { card, fault, seen: 0, wait: || () }
    }

    /// The card that is to wait does so while `wait` runs.
    #[must_use]
    pub fn waiting_for(self, wait: fn()) -> Self {
        Self { wait, ..self }
    }

    /// The card as the fault has left it: still under power, so reset it to put it back into a reader.
    pub fn into_inner(self) -> C {
        self.card
    }

    /// Whether the fault has happened.
    pub fn has_happened(&self) -> bool {
        self.seen >= self.fault.nth
    }

    /// What becomes of the command at which the fault happens, and of those after it: nothing, where the card but waits.
    fn lost(&self) -> Option<TransportError> {
        match self.fault.mishap {
            Mishap::Pull => Some(TransportError::Removed),
            Mishap::Hang => Some(TransportError::TimedOut),
            Mishap::Wait => None,
        }
    }

    /// The command at which the fault happens.
    fn suffer(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        let lost = self.lost();
        match (self.fault.moment, lost) {
            (Moment::Before, Some(lost)) => Err(lost),
            (Moment::After, Some(lost)) => {
                self.card.transmit(command)?;
                Err(lost)
            }
            (Moment::Before, None) => {
                (self.wait)();
                self.card.transmit(command)
            }
            (Moment::After, None) => {
                let answer = self.card.transmit(command);
                (self.wait)();
                answer
            }
        }
    }
}

impl<C: Card> Card for Faulty<C> {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        if self.has_happened() {
            return self.lost().map_or_else(|| self.card.transmit(command), Err);
        }
        if self.fault.instruction.is_none_or(|instruction| command.get(1) == Some(&instruction)) {
            self.seen += 1;
        }
        if self.has_happened() { self.suffer(command) } else { self.card.transmit(command) }
    }
}

impl<C: Contacts> Contacts for Faulty<C> {
    fn power_off(&mut self) {
        self.card.power_off();
    }

    fn power_on(&mut self) -> Result<(), TransportError> {
        self.card.power_on()
    }
}
