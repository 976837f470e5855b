//! The bridge as a page sees it: over its websocket, with a card in software behind the port to the readers, or behind
//! a real PC/SC service of the test's own.
//!
//! The tests in `smartcard_service`, `program`, `diagnose` and `tray` need `pcscd` and `vsmartcard-vpcd`, those in `tray`
//! also `dbus`, and fail without them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cards;
mod desktop;
mod http;
mod page;
mod readers;
mod service;

mod admission;
mod changing;
mod conversation;
mod diagnose;
mod kinds;
mod malicious_card;
mod malicious_page;
mod pausing;
mod pin_pad;
mod program;
mod proving;
mod relay;
mod removing;
mod smartcard_service;
mod tray;
mod unlocking;
#[cfg(feature = "virtual-cards")]
mod virtual_cards;
