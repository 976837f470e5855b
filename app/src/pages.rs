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
mod not_loaded;
pub mod not_me;
pub mod profile;
pub mod ra;
pub mod register;
pub mod sign_in;
mod unavailable;
pub mod unlock;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

/// Which page of several with one route is wanted: the last piece of its address.
fn step_of_address() -> Memo<String> {
    let parameters = use_params_map();
    Memo::new(move |_| parameters.read().get("step").unwrap_or_default())
}
