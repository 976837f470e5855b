//! Back link.

use leptos::prelude::*;

use crate::t;

/// A link to the page before.
#[component]
pub fn BackLink(
    /// Where it leads.
    href: &'static str,
) -> impl IntoView {
    view! {
        <a class="nhsuk-back-link" href=href>
            {t::back()}
        </a>
    }
}
