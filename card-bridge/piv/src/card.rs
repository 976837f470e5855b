//! The card port: what this crate asks of a reader.

use crate::pin_pad::PinPad;

/// One connected card.
pub trait Card {
    /// Sends one command APDU and returns the response APDU, status word included, as the card gave it: possibly
    /// short, empty or nonsense.
    ///
    /// # Errors
    ///
    /// A [`TransportError`] when the card did not answer at all. Whether it carried out the command is then unknown.
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError>;

    /// The keys of the reader, where it has some.
    fn pin_pad(&mut self) -> Option<&mut dyn PinPad> {
        None
    }
}

/// Why a card did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The card has left the reader, or the reader the machine.
    #[error("the card was removed")]
    Removed,
    /// Another program reset the card: its selection and verification are gone.
    #[error("the card was reset")]
    Reset,
    /// Another program holds the card.
    #[error("the card is in use by another program")]
    InUse,
    /// The smartcard service of the machine is gone.
    #[error("the smartcard service has stopped")]
    ServiceStopped,
    /// The card has not answered within the time limit.
    #[error("the card did not answer in time")]
    TimedOut,
    /// Anything else that the reader or its driver reports.
    #[error("the reader reports a fault")]
    Fault,
}
