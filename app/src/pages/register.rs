//! Registration: passcode, questions or recovery codes, address, code.

pub mod code;
pub mod email;
pub mod passcode;
pub mod questions;
pub mod recovery_codes;
mod step;
mod stop;

use leptos::prelude::*;

use super::{not_found::NotFound, step_of_address};
use step::{Here, Place, at_step};
use stop::StopForm;

/// The steps: one bundle, so that whoever has begun waits for nothing more.
#[component]
pub fn RegisterSteps() -> impl IntoView {
    let step = step_of_address();
    move || match step.read().as_str() {
        "passcode" => passcode::RegisterPasscode().into_any(),
        "questions" => questions::RegisterQuestions().into_any(),
        "recovery-codes" => recovery_codes::RegisterRecoveryCodes().into_any(),
        "email" => email::RegisterEmail().into_any(),
        "code" => code::RegisterCode().into_any(),
        _ => NotFound().into_any(),
    }
}
