//! Sending one command and gathering its whole answer: command chains, GET RESPONSE, the length that a card insists on.

use zeroize::Zeroizing;

use crate::card::Card;
use crate::command::Command;
use crate::error::CardError;
use crate::status::StatusWord;

/// How often an answer may be continued by GET RESPONSE.
const MOST_CONTINUATIONS: usize = 64;
/// How long a gathered answer may grow. The largest PIV object, a certificate, has about 3 KiB (SP 800-73-4 part 1,
/// table 7).
const LONGEST_ANSWER: usize = 16 * 1024;

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The data, gathered over GET RESPONSE.
    pub data: Vec<u8>,
    /// The last status word, never 61XX.
    pub status: StatusWord,
}

/// Sends one command and returns the whole answer.
///
/// # Errors
///
/// [`CardError::Transport`], [`CardError::CutOff`] or [`CardError::Endless`]. Any status word is an answer.
pub fn exchange(card: &mut dyn Card, command: &Command) -> Result<Response, CardError> {
    let first = send(card, command)?;
    match first.status.exact_length() {
        // The card has not carried out the command yet (ISO 7816-4, 5.6: 6CXX is an aborted process).
        Some(length) if command.expects_data() => {
            let again = send(card, &command.clone().expecting_exactly(length))?;
            gather(card, again)
        }
        _ => gather(card, first),
    }
}

/// Sends the command's APDUs; the answer to the first one that is refused, or to the last.
fn send(card: &mut dyn Card, command: &Command) -> Result<Response, CardError> {
    let apdus = command.apdus();
    let (last, chain) = apdus.split_last().ok_or(CardError::Garbled)?;
    for part in chain {
        let answer = transmit(card, part)?;
        if !answer.status.is_success() {
            return Ok(answer);
        }
    }
    transmit(card, last)
}

fn transmit(card: &mut dyn Card, apdu: &Zeroizing<Vec<u8>>) -> Result<Response, CardError> {
    let answer = card.transmit(apdu)?;
    let (data, status) = StatusWord::split(&answer).ok_or(CardError::CutOff)?;
    Ok(Response { data: data.to_vec(), status })
}

/// A card that announced 6100, «256 or more», may have less left and then insist on the exact length (6CXX).
fn get_response(card: &mut dyn Card, length: u8) -> Result<Response, CardError> {
    let first = send(card, &Command::get_response(length))?;
    match first.status.exact_length() {
        Some(exact) => send(card, &Command::get_response(exact)),
        None => Ok(first),
    }
}

fn gather(card: &mut dyn Card, mut answer: Response) -> Result<Response, CardError> {
    for _ in 0..MOST_CONTINUATIONS {
        if answer.data.len() > LONGEST_ANSWER {
            return Err(CardError::Endless);
        }
        let Some(length) = answer.status.more_available() else {
            return Ok(answer);
        };
        let next = get_response(card, length)?;
        answer.data.extend(next.data);
        answer.status = next.status;
    }
    Err(CardError::Endless)
}
