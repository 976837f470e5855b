//! Form group: a field with its label, its hint and what is wrong with it.

use leptos::prelude::*;

use super::ErrorMessage;

/// The ids of what describes a field, for `aria-describedby`.
pub fn described_by(id: &str, hint: &str, error: Signal<Option<String>>) -> Signal<Option<String>> {
    let hint_id = (!hint.is_empty()).then(|| format!("{id}-hint"));
    let error_id = format!("{id}-error");
    Signal::derive(move || {
        let error_id = error.get().map(|_| error_id.clone());
        let ids: Vec<String> = hint_id.clone().into_iter().chain(error_id).collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    })
}

/// A field with all that belongs to it.
#[component]
pub fn FormGroup(
    /// The field's id.
    id: String,
    /// The label.
    label: String,
    /// The hint; may be empty.
    hint: String,
    /// What is wrong with it.
    error: Signal<Option<String>>,
    /// A class besides.
    #[prop(optional)]
    class: &'static str,
    /// The field.
    children: Children,
) -> impl IntoView {
    let group = move || {
        let error = if error.get().is_some() { " nhsuk-form-group--error" } else { "" };
        ["nhsuk-form-group", error, " ", class].concat()
    };
    let (hint_id, own_id) = (format!("{id}-hint"), id.clone());
    view! {
        <div class=group>
            <label class="nhsuk-label" for=own_id>
                {label}
            </label>
            {(!hint.is_empty())
                .then(|| {
                    view! {
                        <div class="nhsuk-hint" id=hint_id>
                            {hint}
                        </div>
                    }
                })}
            <ErrorMessage id error />
            {children()}
        </div>
    }
}
