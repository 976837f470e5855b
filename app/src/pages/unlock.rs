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

use leptos::prelude::*;

use super::{not_found::NotFound, step_of_address};
use dead_end::DeadEndPage;
pub(crate) use step::Place;
use step::{Here, at_step};
use stop::StopForm;

/// The steps after the first: one bundle, so that whoever has begun waits for nothing more.
#[component]
pub fn UnlockSteps() -> impl IntoView {
    let step = step_of_address();
    move || match step.read().as_str() {
        "questions" => questions::UnlockQuestions().into_any(),
        "recovery-code" => recovery_code::UnlockRecoveryCode().into_any(),
        "code" => code::UnlockCode().into_any(),
        "last-recovery-code" => recovery_code::UnlockLastRecoveryCode().into_any(),
        "passcode" => passcode::UnlockPasscode().into_any(),
        "done" => done::UnlockDone().into_any(),
        _ => NotFound().into_any(),
    }
}
