//! Registration: passcode, questions or recovery codes, address, code.

pub mod code;
pub mod email;
pub mod passcode;
pub mod questions;
pub mod recovery_codes;
mod step;
mod stop;

use step::{Here, Place, at_step};
use stop::StopForm;
