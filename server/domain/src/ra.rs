//! The desk of the Registration Authority: finding a person, and helping them.
//!
//! [`Desk`] holds the use cases. Each takes an [`RaOfficer`], which only [`Desk::officer`] makes; who may do what to whom
//! is the table of [`permission`]. What an officer does is an [`Order`]: it has a reason, says how the person was
//! recognised, and is signed by the officer's own card over a challenge that stands for this order and no other. It goes on
//! the trail with all of that, and the person is told.
//!
//! What the desk never learns: answers, codes, passcodes, unlock keys.

mod change;
mod desk;
mod issuing;
mod order;
pub mod permission;
mod record;
mod search;

pub use desk::{Desk, DeskError, Given};
pub use issuing::{CardCertificates, IssuingSecretsSent};
pub use order::{Action, IdentityCheck, Order, Reason};
pub use permission::{Deed, Forbidden, RaOfficer};
pub use record::{CardOnRecord, PersonRecord, RegistrationOnRecord};
pub use search::{PersonQuery, SEARCH_LIMIT};
