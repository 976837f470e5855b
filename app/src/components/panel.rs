//! Panel: it is done.

use leptos::{html, prelude::*};

use super::focus::focus_when_there;

/// The panel of a last page. It is its heading and takes the focus.
#[component]
pub fn Panel(
    /// The heading.
    heading: &'static str,
    /// What follows it.
    text: &'static str,
) -> impl IntoView {
    let title = NodeRef::<html::H1>::new();
    Effect::new(move |_| {
        if let Some(title) = title.get() {
            focus_when_there(title);
        }
    });
    view! {
        <div class="nhsuk-panel">
            <h1 class="nhsuk-panel__heading" tabindex="-1" node_ref=title>
                {heading}
            </h1>
            <div class="nhsuk-panel__body">{text}</div>
        </div>
    }
}
