//! File upload.

use leptos::{html, prelude::*};

use super::{FormGroup, described_by};

/// A field for a file. It has no name: what is chosen is sent by a script, or not at all.
#[component]
pub fn FileInput(
    /// Its id.
    id: &'static str,
    /// The label.
    label: &'static str,
    /// The hint.
    #[prop(into)]
    hint: String,
    /// The names that are offered.
    accept: &'static str,
    /// What is wrong with it.
    error: Signal<Option<String>>,
    /// The element, to read it.
    node_ref: NodeRef<html::Input>,
) -> impl IntoView {
    let described_by = described_by(id, &hint, error);
    view! {
        <FormGroup id=id.to_owned() label=label.to_owned() hint error>
            <input class="app-file" id=id type="file" accept=accept aria-describedby=described_by node_ref=node_ref />
        </FormGroup>
    }
}
