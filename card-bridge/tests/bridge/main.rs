//! The bridge as a page sees it: over its websocket, with a card in software behind the port to the readers, or behind
//! a real PC/SC service of the test's own.
//!
//! The tests in `smartcard_service`, `program` and `diagnose` need `pcscd` and `vsmartcard-vpcd`, and fail without them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cards;
mod page;
mod readers;
mod service;

mod admission;
mod conversation;
mod diagnose;
mod malicious_card;
mod malicious_page;
mod pausing;
mod program;
mod proving;
mod removing;
mod smartcard_service;
mod unlocking;
#[cfg(feature = "virtual-cards")]
mod virtual_cards;
