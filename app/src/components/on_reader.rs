//! In place of a passcode field, where the reader has keys: the passcode is typed there.

use leptos::prelude::*;

use super::{Button, ButtonKind};
use crate::{bridge::Bridge, t};

/// Says so, and lets the person type on the screen all the same.
#[component]
pub fn OnReader(
    /// What is to be typed, and when.
    text: &'static str,
) -> impl IntoView {
    let bridge = Bridge::of_page();
    let on_press = Callback::new(move |()| bridge.type_on_screen());
    view! {
        <p class="nhsuk-body">{text}</p>
        <p>
            <Button kind=ButtonKind::Secondary label=t::reader_keypad_screen() on_press />
        </p>
    }
}
