//! What stands outside of the service: people with cards in software, and the mail server that takes their codes.
//!
//! It also says what Argon2 alone would allow on the machine, for comparison.
//!
//! The program `load-generator` has many of them unlock their cards at once; the tests of the server use the cards and the
//! mail server.

pub mod argon2;
pub mod card;
pub mod mail_server;
