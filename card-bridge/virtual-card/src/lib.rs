//! A PIV card in software.
//!
//! * [`VirtualCard`] is one card, with its keys, objects and counters in a directory. It stands behind the
//!   [`piv::Card`] port like a card in a real reader.
//! * [`CardBox`] is a directory of cards and a reader that takes one of them at a time.
//! * [`make`] issues cards as an issuer would, by APDUs, and writes a [`manifest`] of what a service must know of them.
//! * [`fault`], [`dialect`] and [`unlock_key_tries`] make a card of it that is pulled at the worst moment, or that answers
//!   or counts otherwise. [`kind`] is the table of what other cards do otherwise. [`slow`] has it take its time, and
//!   [`journal`] writes down what it was asked and how it answered.
//! * [`vpcd`] puts a card into a virtual PC/SC reader, so that any program on the machine can use it.
//!
//! The card application is Nitrokey's `piv-authenticator` on the `trussed` firmware, the code of a real token. What is
//! software here is the chip: its storage is two files, and whoever reads them has the keys. So it is for demonstrations
//! and tests, never for people's own cards.

#![warn(missing_docs)]

mod authority;
mod card;
mod card_box;
mod chip;
mod contacts;
pub mod dialect;
pub mod fault;
pub mod issuance;
pub mod journal;
pub mod kind;
pub mod make;
pub mod manifest;
pub mod slow;
pub mod unlock_key_tries;
pub mod vpcd;

pub use card::{OpenError, VirtualCard};
pub use card_box::{CardBox, CardBoxError, Connection};
pub use contacts::Contacts;
