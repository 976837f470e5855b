//! A page in place of one whose contents did not come.

use leptos::prelude::*;

use crate::components::Page;

/// Says why, and nothing else.
#[component]
pub fn Unavailable(
    /// The title of the page that it stands for.
    title: &'static str,
    /// Where the way back leads.
    back: &'static str,
    /// What the fault says.
    text: String,
) -> impl IntoView {
    view! {
        <Page title back>
            <p class="nhsuk-body">{text}</p>
        </Page>
    }
}
