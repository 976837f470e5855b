//! What the page, the card bridge and the server say to each other about a card.
//!
//! * [`message`]: the websocket messages between page and bridge, subprotocol [`SUBPROTOCOL`].
//! * [`failure`]: why a card operation did not happen, for a person to read.
//! * [`passcode`]: the passcode and the rules for a new one, checked in the page and again in the bridge.
//! * `proof` (feature `proof`): the bytes that a card signs.
//! * [`relay`]: what a page and the helper window say to each other.
//! * [`sealed`]: sealed messages; sealing (feature `seal`) and opening (feature `open`) with HPKE, RFC 9180.
//!
//! Without features the crate is small enough for the page: it carries no cryptography. Every integer in a signed or
//! sealed message is big-endian; in JSON, bytes are base64url without padding (RFC 4648, 5) and a GUID is hexadecimal.

#![warn(missing_docs)]

mod bytes;
pub mod failure;
pub mod message;
pub mod passcode;
#[cfg(feature = "proof")]
pub mod proof;
mod purpose;
pub mod relay;
pub mod sealed;
mod values;

pub use failure::{CardFailure, HeldCard, NotEntered, PasscodeNow};
pub use purpose::{Purpose, Slot};
pub use values::{CardProof, Challenge, ConnectionKey, Guid, ParseValueError, ServiceKey, Signature, UnlockKey};

/// The websocket subprotocol of this version of the messages.
pub const SUBPROTOCOL: &str = "card-bridge.v1";

/// The loopback port of the bridge unless it is configured otherwise.
pub const DEFAULT_PORT: u16 = 24787;

/// The longest message that either side accepts, in bytes.
pub const MAX_MESSAGE: usize = 64 * 1024;

/// How long a challenge lives, and so how long a `release` proof can be used, in seconds.
pub const CHALLENGE_LIFE_SECONDS: u64 = 120;

/// How long a person may take to type a passcode on the keys of a reader, in seconds.
pub const ENTRY_SECONDS: u8 = 25;

/// How often they may be asked to in one request: to set a new passcode it is typed twice, again where the card has
/// refused the first unlock key, and once more to prove it.
pub const MOST_ENTRIES: u8 = 5;

/// Close codes with which the bridge refuses a page after a completed upgrade (RFC 6455, 7.4.2: private use).
///
/// A plain HTTP refusal would look to a page like a bridge that is not running.
pub mod close_code {
    /// The Host header is not a loopback name of the bridge.
    pub const HOST: u16 = 4400;
    /// The socket belongs to another user of the machine.
    pub const USER: u16 = 4401;
    /// The page's origin is not on the bridge's list.
    pub const ORIGIN: u16 = 4403;
    /// The page does not speak [`SUBPROTOCOL`](crate::SUBPROTOCOL).
    pub const VERSION: u16 = 4426;
    /// Pages of this origin hold as many connections as they may.
    pub const FULL: u16 = 4429;
    /// The person has paused the bridge. A page that does not know this code takes the bridge for not running.
    pub const PAUSED: u16 = 4503;
}
