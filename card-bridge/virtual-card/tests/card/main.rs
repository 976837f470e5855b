//! The card as the bridge finds it behind the card port.

#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod boxed;
mod cut;
mod dialects;
mod interface;
mod issuance;
mod keys;
mod kinds;
mod logs;
mod make;
mod passcode;
mod persistence;
mod support;
mod tries;
