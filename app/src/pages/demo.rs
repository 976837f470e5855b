//! The pages of a demonstration.

pub mod cards;
pub mod mailbox;
