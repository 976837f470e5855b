//! Details: more for those who want it.

use leptos::prelude::*;

/// Something that opens.
#[component]
pub fn Details(
    /// What is said while it is closed.
    summary: &'static str,
    /// What is said when it is open.
    children: Children,
) -> impl IntoView {
    view! {
        <details class="nhsuk-details">
            <summary class="nhsuk-details__summary">
                <span class="nhsuk-details__summary-text">{summary}</span>
            </summary>
            <div class="nhsuk-details__text">{children()}</div>
        </details>
    }
}
