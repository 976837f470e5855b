//! Warning callout.

use leptos::prelude::*;

use crate::t;

/// A warning.
#[component]
pub fn WarningCallout(
    /// What it says.
    text: &'static str,
) -> impl IntoView {
    view! {
        <div class="nhsuk-card nhsuk-card--warning">
            <div class="nhsuk-card__content">
                <h2 class="nhsuk-card__heading nhsuk-heading-m">{t::important()}</h2>
                <p class="nhsuk-card__description">{text}</p>
            </div>
        </div>
    }
}
