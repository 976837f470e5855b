//! Unlock: the way from a genuine card to a new passcode.
//!
//! The state machine stands in [`flow`], the use cases in [`service`].

pub mod flow;
pub mod service;

pub use flow::{EndReason, UnlockFlow, UnlockStep};
pub use service::{UnlockService, UnlockView};
