//! The rules of the Smartcard Service Centre: who may register and unlock, with what, how often and until when.
//!
//! No HTTP, SQL, templates, clock or dice: what this crate needs of the world it asks for through [`ports`], and the
//! server answers. A use case loads, makes one transition, saves it together with its trail entry and its mail in one
//! transaction, and only then answers.
//!
//! Start at [`Services`], which holds the use cases: [`sign_in`], [`registration`], [`change`], [`unlock`], [`freezing`],
//! [`enrolment`], [`import`], [`erasure`], [`ra`].

#![warn(missing_docs)]

pub mod answer;
pub mod authority;
pub mod card;
pub mod certificate;
mod certificate_request;
pub mod challenge;
pub mod change;
pub mod code;
mod comparisons;
pub mod delivery;
pub mod email;
pub mod enrolment;
mod environment;
pub mod erasure;
pub mod figure;
pub mod freezing;
pub mod import;
pub mod issuance;
pub mod language;
pub mod mail;
pub mod milestone;
mod milliseconds;
pub mod organisation;
pub mod person;
pub mod policy;
pub mod ports;
pub mod question;
pub mod ra;
pub mod recovery;
pub mod registration;
pub mod resealing;
pub mod role;
pub mod session;
pub mod sign_in;
pub mod token;
pub mod trail;
pub mod unlock;
pub mod unlock_key;
mod weak_key;

pub use environment::{CLOCKS_AGREE_WITHIN, Environment, ProofFault, Services};

/// A point in time, UTC, in whole milliseconds.
pub type Timestamp = time::OffsetDateTime;
