//! A day, in the browser's own field for dates.

use leptos::prelude::*;

use super::{FormGroup, described_by};

/// A field for a day.
#[component]
pub fn DateInput(
    /// Its id, and its name in the form.
    id: &'static str,
    /// The label.
    label: &'static str,
    /// What is wrong with it.
    error: Signal<Option<String>>,
    /// What stands in it at first: `2026-11-28`.
    value: String,
) -> impl IntoView {
    let described_by = described_by(id, "", error);
    view! {
        <FormGroup id=id.to_owned() label=label.to_owned() hint=String::new() error>
            <input
                class="nhsuk-input nhsuk-input--width-10"
                id=id
                name=id
                type="date"
                aria-describedby=described_by
                value=value
            />
        </FormGroup>
    }
}
