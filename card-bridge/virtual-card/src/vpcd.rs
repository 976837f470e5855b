//! The card's end of the virtual reader: the protocol of vsmartcard's `vpcd` driver, a TCP stream of messages with a
//! two-byte length before each.

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
};

use piv::Card as _;
use zeroize::Zeroizing;

use crate::VirtualCard;

/// Answer to reset: T=1 and no historical bytes (ISO/IEC 7816-3, 8.2).
const ATR: [u8; 4] = [0x3B, 0x80, 0x01, 0x81];

/// Messages of one byte are for the card's contacts; any other is an APDU.
const POWER_OFF: u8 = 0;
const POWER_ON: u8 = 1;
const RESET: u8 = 2;
const SEND_ATR: u8 = 4;

/// Keeps the card in the reader at the other end of `stream` until that hangs up. `taken` is called once the reader has
/// noticed the card: one that holds another card already never does.
///
/// # Errors
///
/// When the stream fails, or the card does not answer: dropping the stream then removes it from the reader.
pub fn serve(mut stream: TcpStream, card: &mut VirtualCard, taken: impl FnOnce()) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut taken = Some(taken);
    while let Some(message) = receive(&mut stream)? {
        if let Some(taken) = taken.take() {
            taken();
        }
        match message.as_slice() {
            [POWER_OFF] => card.power_off(),
            [POWER_ON] => card.power_on().map_err(io::Error::other)?,
            [RESET] => card.reset().map_err(io::Error::other)?,
            [SEND_ATR] => send(&mut stream, &ATR)?,
            [] | [_] => {}
            apdu => {
                let response = card.transmit(apdu).map_err(io::Error::other)?;
                send(&mut stream, &response)?;
            }
        }
    }
    Ok(())
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
