//! The card's end of the virtual reader: the protocol of vsmartcard's `vpcd` driver, a TCP stream of messages with a
//! two-byte length before each.

use std::{
    io::{self, Read as _, Write as _},
    net::{TcpStream, ToSocketAddrs},
};

use piv::TransportError;
use zeroize::Zeroizing;

use crate::Contacts;

/// Answer to reset: T=1 and no historical bytes (ISO/IEC 7816-3, 8.2).
const ATR: [u8; 4] = [0x3B, 0x80, 0x01, 0x81];

/// Messages of one byte are for the card's contacts; any other is an APDU.
const POWER_OFF: u8 = 0;
const POWER_ON: u8 = 1;
const RESET: u8 = 2;
const SEND_ATR: u8 = 4;

/// How often a reader asks a card for its ATR, at most, before it gives it power.
const MOST_QUESTIONS: u32 = 3;

/// How a card's stay in the reader has ended.
enum Stay {
    /// The reader has hung up, or the card was pulled.
    Over,
    /// The reader has the card and its service does not know.
    Unnoticed,
}

/// Puts the card into the reader that listens at `reader`, and keeps it there until that hangs up or the card is pulled.
/// `taken` is called once the reader has given it power: one that holds another card already never does.
///
/// # Errors
///
/// When nobody listens, the connection fails, or the card is broken.
pub fn plug(reader: impl ToSocketAddrs, card: &mut dyn Contacts, taken: impl FnOnce()) -> io::Result<()> {
    let mut taken = Some(taken);
    // pcscd looks at its readers every 0.4 s. When a card was pulled in the middle of a command and another comes before
    // the next look, it goes on believing the reader empty: so go, and come again.
    while let Stay::Unnoticed = stay(TcpStream::connect(&reader)?, card, &mut taken)? {}
    Ok(())
}

fn stay(mut stream: TcpStream, card: &mut dyn Contacts, taken: &mut Option<impl FnOnce()>) -> io::Result<Stay> {
    stream.set_nodelay(true)?;
    let mut questions = 0;
    while let Some(message) = receive(&mut stream)? {
        match message.as_slice() {
            [POWER_OFF] => card.power_off(),
            [POWER_ON] => {
                card.power_on().map_err(io::Error::other)?;
                if let Some(taken) = taken.take() {
                    taken();
                }
            }
            [RESET] => card.reset().map_err(io::Error::other)?,
            [SEND_ATR] if taken.is_some() && questions == MOST_QUESTIONS => return Ok(Stay::Unnoticed),
            [SEND_ATR] => {
                questions = MOST_QUESTIONS.min(questions + 1);
                send(&mut stream, &ATR)?;
            }
            [] | [_] => {}
            apdu => match card.transmit(apdu) {
                Ok(response) => send(&mut stream, &response)?,
                // The card hangs, and the reader with it.
                Err(TransportError::TimedOut) => {}
                Err(TransportError::Removed) => return Ok(Stay::Over),
                Err(fault) => return Err(io::Error::other(fault)),
            },
        }
    }
    Ok(Stay::Over)
}

/// The next message; `None` when the reader has hung up.
fn receive(stream: &mut TcpStream) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut length = [0; 2];
    acknowledge_at_once(stream)?;
    match stream.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        done => done?,
    }
    let mut message = Zeroizing::new(vec![0; usize::from(u16::from_be_bytes(length))]);
    acknowledge_at_once(stream)?;
    stream.read_exact(&mut message)?;
    Ok(Some(message))
}

/// The driver writes length and message separately and so waits, by Nagle's algorithm, for the first to be acknowledged:
/// 40 ms for each APDU, unless that happens at once. The setting lasts for one read.
#[cfg(target_os = "linux")]
fn acknowledge_at_once(stream: &TcpStream) -> io::Result<()> {
    use std::os::linux::net::TcpStreamExt as _;
    stream.set_quickack(true)
}

#[cfg(not(target_os = "linux"))]
fn acknowledge_at_once(_: &TcpStream) -> io::Result<()> {
    Ok(())
}

fn send(stream: &mut TcpStream, message: &[u8]) -> io::Result<()> {
    let length = u16::try_from(message.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), message].concat())
}
