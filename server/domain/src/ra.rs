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
mod importing;
mod issuing;
mod loading;
mod officers_seen;
mod order;
pub mod permission;
mod record;
mod reports;
mod search;
mod trail_search;

pub use desk::{Desk, DeskError, Given};
pub use importing::{FileDigest, ImportOrder, RunOnRecord};
pub use issuing::{CardCertificates, Certification, IssuingSecretsSent};
pub use loading::Loading;
pub use officers_seen::OfficersSeen;
pub use order::{Action, IdentityCheck, Order, Reason};
pub use permission::{Deed, Forbidden, RaOfficer, Task};
pub use record::{CardOnRecord, PersonRecord, RegistrationOnRecord};
pub use reports::{Bucket, LONGEST_REPORT, Report, ReportLine, Step};
pub use search::{PersonQuery, SEARCH_LIMIT};
pub use trail_search::{TRAIL_PAGE, TrailCopy, TrailFilter, TrailLine, TrailPage, TrailPlace, TrailQuery};
