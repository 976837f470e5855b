//! Fieldset: fields that belong together, with what is wrong with all of them.

use leptos::prelude::*;

use super::ErrorMessage;

/// A group of fields.
#[component]
pub fn Fieldset(
    /// Its id: the error summary leads here.
    #[prop(into)]
    id: String,
    /// What the fields are.
    #[prop(into)]
    legend: String,
    /// What is wrong with all of them.
    error: Signal<Option<String>>,
    /// The fields.
    children: Children,
) -> impl IntoView {
    let group =
        move || if error.get().is_some() { "nhsuk-form-group nhsuk-form-group--error" } else { "nhsuk-form-group" };
    let error_id = format!("{id}-error");
    let described_by = move || error.get().map(|_| error_id.clone());
    let own_id = id.clone();
    view! {
        <div class=group>
            <fieldset class="nhsuk-fieldset" id=own_id tabindex="-1" aria-describedby=described_by>
                <legend class="nhsuk-fieldset__legend nhsuk-fieldset__legend--m">{legend}</legend>
                <ErrorMessage id error />
                {children()}
            </fieldset>
        </div>
    }
}
