//! What a card does with an APDU before and after its application: selection, command chaining, GET RESPONSE
//! (ISO/IEC 7816-4; NIST SP 800-73 part 2, 3.1).

use heapless::Vec as Buffer;
use iso7816::command::CommandView;
use zeroize::Zeroizing;

use super::firmware::Application;

/// The PIV card application's identifier (SP 800-73 part 1, 2.2).
const PIV_AID: [u8; 11] = [0xA0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00, 0x10, 0x00, 0x01, 0x00];
/// A SELECT may name the application by its registered provider alone.
const RID_LENGTH: usize = 5;
/// The most that one command or response holds: a certificate with its tags fits.
const LONGEST: usize = 3072;
/// The most that a short response holds beside its status word.
const SHORT_RESPONSE: usize = 256;

const OK: u16 = 0x9000;
const WRONG_LENGTH: u16 = 0x6700;
const LAST_OF_CHAIN_EXPECTED: u16 = 0x6883;
const CONDITIONS_NOT_SATISFIED: u16 = 0x6985;
const NOT_SELECTED: u16 = 0x6986;
const NOT_FOUND: u16 = 0x6A82;
const OUT_OF_MEMORY: u16 = 0x6A84;

const CHAINED: u8 = 0x10;
const SELECT: u8 = 0xA4;
const GET_RESPONSE: u8 = 0xC0;

/// The card's side of one power session.
pub struct Interface<'a> {
    application: Application<'a>,
    selected: bool,
    chain: Option<Chain>,
    unread: Vec<u8>,
}

/// The parts received so far of a chained command.
struct Chain {
    /// Instruction and parameters, the same in every part.
    header: [u8; 3],
    data: Zeroizing<Vec<u8>>,
}

impl Chain {
    /// The command as one extended-length APDU.
    fn completed(self, class: u8, last: &[u8]) -> Zeroizing<Vec<u8>> {
        let [instruction, p1, p2] = self.header;
        let length = u16::try_from(self.data.len() + last.len()).unwrap_or(u16::MAX).to_be_bytes();
        let mut apdu = Zeroizing::new(vec![class, instruction, p1, p2, 0x00, length[0], length[1]]);
        apdu.extend_from_slice(&self.data);
        apdu.extend_from_slice(last);
        apdu
    }
}

impl<'a> Interface<'a> {
    pub fn new(application: Application<'a>) -> Self {
        Self { application, selected: false, chain: None, unread: Vec::new() }
    }

    /// Answers one command APDU, whatever it is.
    pub fn respond(&mut self, apdu: &[u8]) -> Vec<u8> {
        let Ok(command) = CommandView::try_from(apdu) else {
            return status(WRONG_LENGTH);
        };
        let &[class, instruction, p1, p2, ..] = apdu else {
            return status(WRONG_LENGTH);
        };
        let header = [instruction, p1, p2];
        if instruction == GET_RESPONSE {
            return if self.unread.is_empty() { status(CONDITIONS_NOT_SATISFIED) } else { self.more(&command) };
        }
        self.unread.clear();

        if class & CHAINED != 0 {
            return self.chained(header, command.data());
        }
        match self.chain.take() {
            None => self.execute(instruction, &command, &command),
            Some(chain) if chain.header == header => {
                let whole = chain.completed(class, command.data());
                match CommandView::try_from(whole.as_slice()) {
                    Ok(whole) => self.execute(instruction, &whole, &command),
                    Err(_) => status(WRONG_LENGTH),
                }
            }
            Some(_) => status(LAST_OF_CHAIN_EXPECTED),
        }
    }

    fn chained(&mut self, header: [u8; 3], data: &[u8]) -> Vec<u8> {
        let mut chain = self.chain.take().unwrap_or_else(|| Chain { header, data: Zeroizing::new(Vec::new()) });
        if chain.header != header {
            return status(LAST_OF_CHAIN_EXPECTED);
        }
        if chain.data.len() + data.len() > LONGEST {
            return status(OUT_OF_MEMORY);
        }
        chain.data.extend_from_slice(data);
        self.chain = Some(chain);
        status(OK)
    }

    /// Executes `whole`, the last part of which was `sent`: that one says how long a response it takes.
    fn execute(&mut self, instruction: u8, whole: &CommandView<'_>, sent: &CommandView<'_>) -> Vec<u8> {
        match instruction {
            SELECT => self.select(whole),
            _ if self.selected => self.ask(*whole, sent),
            _ => status(NOT_SELECTED),
        }
    }

    fn select(&mut self, command: &CommandView<'_>) -> Vec<u8> {
        let name = command.data();
        if name.len() < RID_LENGTH || !PIV_AID.starts_with(name) {
            return status(NOT_FOUND);
        }
        let mut full = vec![0x00, SELECT, command.p1, command.p2, 11];
        full.extend_from_slice(&PIV_AID);
        full.push(0x00);
        let Ok(full) = CommandView::try_from(full.as_slice()) else {
            return status(WRONG_LENGTH);
        };
        let response = self.ask(full, command);
        self.selected |= response.len() > 2;
        response
    }

    /// Has the application execute `command` and answers as `sent` asked for it.
    fn ask(&mut self, command: CommandView<'_>, sent: &CommandView<'_>) -> Vec<u8> {
        let mut reply = Buffer::<u8, LONGEST>::new();
        match self.application.respond(command, &mut reply) {
            Ok(()) => {
                self.unread = reply.to_vec();
                self.more(sent)
            }
            Err(error) => {
                let error: [u8; 2] = error.into();
                error.to_vec()
            }
        }
    }

    /// The next part of the response: as much as the command asked for. A command that asked for nothing gets a short
    /// response none the less, as `yubico-piv-tool` expects.
    fn more(&mut self, command: &CommandView<'_>) -> Vec<u8> {
        let most = match command.expected() {
            0 => SHORT_RESPONSE,
            expected => expected,
        };
        let rest = self.unread.split_off(self.unread.len().min(most));
        let mut response = std::mem::replace(&mut self.unread, rest);
        let left = u8::try_from(self.unread.len()).unwrap_or(0);
        response.extend_from_slice(&if self.unread.is_empty() { OK.to_be_bytes() } else { [0x61, left] });
        response
    }
}

fn status(word: u16) -> Vec<u8> {
    word.to_be_bytes().to_vec()
}
