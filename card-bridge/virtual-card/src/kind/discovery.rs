//! A card without a Discovery object.

use piv::{Card, StatusWord, TransportError};

use crate::Contacts;

/// GET DATA of the Discovery object, whose tag is one byte (SP 800-73-4 part 1, table 3).
const GET_DISCOVERY: [u8; 8] = [0x00, 0xCB, 0x3F, 0xFF, 0x03, 0x5C, 0x01, 0x7E];

/// A card that has none.
pub struct WithoutDiscovery<C>(pub C);

impl<C: Card> Card for WithoutDiscovery<C> {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        if command.starts_with(&GET_DISCOVERY) {
            return Ok(StatusWord::NOT_FOUND.0.to_be_bytes().to_vec());
        }
        self.0.transmit(command)
    }
}

impl<C: Contacts> Contacts for WithoutDiscovery<C> {
    fn power_off(&mut self) {
        self.0.power_off();
    }

    fn power_on(&mut self) -> Result<(), TransportError> {
        self.0.power_on()
    }
}
