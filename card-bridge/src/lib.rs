//! The card bridge: the daemon between the pages of the service and the card reader, on the machine of its user.
//!
//! It listens on the loopback interface for websockets of subprotocol `card-bridge.v1` from listed origins, and does
//! what the protocol's verbs say with the card in the reader, each verb in one card transaction. It signs nothing but
//! card proofs, over the origin that the browser named; it opens unlock keys only where the service key that is pinned
//! beside that origin sealed them; and it resets a card after each transaction in which a passcode was verified.
//!
//! * [`config`]: who may use it.
//! * [`readers`]: the port to the readers, and PC/SC behind it.
//! * [`Bridge`]: put together and listening.
//! * [`tray`], [`diagnose`], [`instance`], [`policies`]: what stands around it, so that people need not think about it.

#![warn(missing_docs)]

mod bridge;
pub mod config;
mod connections;
pub mod controls;
pub mod diagnose;
mod examination;
pub mod instance;
mod moment;
mod operations;
pub mod origin;
mod peer;
pub mod policies;
pub mod process;
mod programs;
pub mod readers;
mod relay;
mod threads;
pub mod tray;
#[cfg(feature = "virtual-cards")]
pub mod virtual_cards;
mod websocket;
mod worker;

pub use bridge::Bridge;
pub use worker::{CardUse, Limits, Worker};
