//! The pages, a file for each.

pub mod accessibility;
pub mod check_reader;
mod code_delivery;
mod code_time;
pub mod demo;
pub mod help;
mod holder;
pub mod home;
pub mod lazy;
mod more_time;
mod new_passcode;
pub mod not_found;
pub mod not_me;
pub mod profile;
pub mod ra;
pub mod register;
pub mod sign_in;
pub mod unlock;
