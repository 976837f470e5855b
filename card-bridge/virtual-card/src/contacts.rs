//! A card as a reader touches it: power beside APDUs.

use piv::{Card, TransportError, pin_pad::PinPad};

/// What a reader does with a card beside sending APDUs.
pub trait Contacts: Card {
    /// Switches the power off. The card then answers nothing.
    fn power_off(&mut self);

    /// Switches the power on, if it is off.
    ///
    /// # Errors
    ///
    /// [`TransportError::Fault`] when the card is broken.
    fn power_on(&mut self) -> Result<(), TransportError>;

    /// Switches the power off and on: nothing is selected or verified any more.
    ///
    /// # Errors
    ///
    /// As for [`Contacts::power_on`].
    fn reset(&mut self) -> Result<(), TransportError> {
        self.power_off();
        self.power_on()
    }
}

impl Card for Box<dyn Contacts + Send> {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        (**self).transmit(command)
    }

    fn pin_pad(&mut self) -> Option<&mut dyn PinPad> {
        (**self).pin_pad()
    }
}

impl Contacts for Box<dyn Contacts + Send> {
    fn power_off(&mut self) {
        (**self).power_off();
    }

    fn power_on(&mut self) -> Result<(), TransportError> {
        (**self).power_on()
    }
}
