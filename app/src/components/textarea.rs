//! Textarea.

use leptos::prelude::*;

use super::{FormGroup, described_by};

/// A field for text of many lines that another program has written.
#[component]
pub fn Textarea(
    /// Its id.
    id: &'static str,
    /// The label.
    label: &'static str,
    /// The hint.
    hint: &'static str,
    /// What is wrong with it.
    error: Signal<Option<String>>,
    /// What stands in it.
    text: RwSignal<String>,
) -> impl IntoView {
    let described_by = described_by(id, hint, error);
    let class = move || ["nhsuk-textarea", if error.get().is_some() { " nhsuk-textarea--error" } else { "" }].concat();
    view! {
        <FormGroup id=id.to_owned() label=label.to_owned() hint=hint.to_owned() error>
            <textarea
                class=class
                id=id
                rows="5"
                autocomplete="off"
                spellcheck="false"
                aria-describedby=described_by
                prop:value=text
                on:input:target=move |event| text.set(event.target().value())
            ></textarea>
        </FormGroup>
    }
}
