//! Registration: passcode, questions, address, code.

pub mod code;
pub mod email;
pub mod passcode;
pub mod questions;
mod step;
mod stop;

use step::{Here, Place, at_step};
use stop::StopForm;
