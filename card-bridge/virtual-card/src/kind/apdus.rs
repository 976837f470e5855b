//! Cards that take short APDUs only, and those that announce every answer first.

use piv::{Card, Instruction, StatusWord, TransportError};

use crate::Contacts;

/// The most that a short answer holds beside its status word.
const SHORT_ANSWER: usize = 256;
const WRONG_LENGTH: [u8; 2] = [0x67, 0x00];

/// A card that takes short APDUs only: an extended length is 6700 (ISO 7816-4, 5.6).
pub struct ShortOnly<C>(pub C);

impl<C: Card> Card for ShortOnly<C> {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        // The first byte of an extended length field is zero, and something follows it.
        if command.get(4) == Some(&0) && command.len() > 5 {
            return Ok(WRONG_LENGTH.to_vec());
        }
        self.0.transmit(command)
    }
}

impl<C: Contacts> Contacts for ShortOnly<C> {
    fn power_off(&mut self) {
        self.0.power_off();
    }

    fn power_on(&mut self) -> Result<(), TransportError> {
        self.0.power_on()
    }
}

/// A card that announces an answer with data by 61XX, gives none of it until GET RESPONSE asks for it, and insists on the
/// exact length where that asks for more than is left.
pub struct GetResponse<C> {
    card: C,
    unread: Vec<u8>,
}

impl<C: Card> GetResponse<C> {
    /// The card will answer so.
    pub fn new(card: C) -> Self {
        Self { card, unread: Vec::new() }
    }

    /// The whole answer of the card inside.
    fn ask(&mut self, command: &[u8]) -> Result<(Vec<u8>, StatusWord), TransportError> {
        let mut whole = Vec::new();
        let mut answer = self.card.transmit(command)?;
        loop {
            let (data, status) = StatusWord::split(&answer).ok_or(TransportError::Fault)?;
            whole.extend_from_slice(data);
            let Some(more) = status.more_available() else {
                return Ok((whole, status));
            };
            answer = self.card.transmit(&[0x00, Instruction::GetResponse.into(), 0x00, 0x00, more])?;
        }
    }

    fn more(&mut self, wanted: u8) -> Vec<u8> {
        let wanted = if wanted == 0 { SHORT_ANSWER } else { wanted.into() };
        if self.unread.is_empty() {
            return StatusWord::CONDITIONS_NOT_SATISFIED.0.to_be_bytes().to_vec();
        }
        if let (true, Ok(left)) = (wanted > self.unread.len(), u8::try_from(self.unread.len())) {
            return vec![0x6C, left];
        }
        let rest = self.unread.split_off(wanted);
        let mut answer = std::mem::replace(&mut self.unread, rest);
        answer.extend(if self.unread.is_empty() { [0x90, 0x00] } else { announced(self.unread.len()) });
        answer
    }
}

/// 61XX; 00 stands for 256 or more.
fn announced(left: usize) -> [u8; 2] {
    [0x61, u8::try_from(left).unwrap_or(0)]
}

impl<C: Card> Card for GetResponse<C> {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        if command.get(1).copied().map(Instruction::from) == Some(Instruction::GetResponse) {
            return Ok(self.more(command.get(4).copied().unwrap_or_default()));
        }
        self.unread.clear();
        let (data, status) = self.ask(command)?;
        if data.is_empty() {
            return Ok(status.0.to_be_bytes().to_vec());
        }
        self.unread = data;
        Ok(announced(self.unread.len()).to_vec())
    }
}

impl<C: Contacts> Contacts for GetResponse<C> {
    fn power_off(&mut self) {
        self.unread.clear();
        self.card.power_off();
    }

    fn power_on(&mut self) -> Result<(), TransportError> {
        self.card.power_on()
    }
}
