//! Error message: what is wrong, next to the field.

use leptos::prelude::*;

use crate::t;

/// What is wrong with a field, if anything is.
#[component]
pub fn ErrorMessage(
    /// The field's id; the message has the same with `-error`.
    id: String,
    /// What is wrong.
    error: Signal<Option<String>>,
) -> impl IntoView {
    move || {
        error.get().map(|text| {
            view! {
                <span class="nhsuk-error-message" id=format!("{id}-error")>
                    <span class="nhsuk-u-visually-hidden">{t::error_prefix()} " "</span>
                    {text}
                </span>
            }
        })
    }
}
