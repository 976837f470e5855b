//! Unlock: from a genuine card to a new passcode.

pub mod code;
mod dead_end;
pub mod done;
pub mod passcode;
pub mod questions;
pub mod recovery_code;
pub mod start;
mod step;
mod stop;

use dead_end::DeadEndPage;
use step::{Here, Place, at_step};
use stop::StopForm;
