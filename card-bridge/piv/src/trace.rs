//! What may be logged of an exchange: which instruction, and the status word.

use std::fmt;

use crate::command::Instruction;
use crate::status::StatusWord;

/// One exchange as it may be logged: `Verify -> 63C2`. Neither the data nor the answer is in it.
#[derive(Clone, Copy)]
pub struct Trace {
    instruction: Option<Instruction>,
    status: Option<StatusWord>,
}

impl Trace {
    /// Takes the instruction of a command APDU and the status word of its answer.
    pub fn new(command: &[u8], answer: &[u8]) -> Self {
        Self {
            instruction: command.get(1).copied().map(Instruction::from),
            status: StatusWord::split(answer).map(|(_, status)| status),
        }
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.instruction {
            Some(Instruction::Unknown(code)) => write!(f, "{code:02X}")?,
            Some(instruction) => write!(f, "{instruction:?}")?,
            None => f.write_str("nothing")?,
        }
        match self.status {
            Some(status) => write!(f, " -> {status}"),
            None => f.write_str(" -> cut off"),
        }
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
