//! The PIV card application (NIST SP 800-73): commands, status words, data objects and one card transaction.
//!
//! Bytes only: no PC/SC, no websocket, no cryptography beyond recognising a key's algorithm. Everything goes through
//! the [`Card`] port, behind which stands a real reader (`card-bridge`) or a card in software (`virtual-card`).

#![warn(missing_docs)]

mod card;

pub use card::{Card, TransportError};
