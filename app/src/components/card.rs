//! Card: a link to a part of the service.

use leptos::prelude::*;

/// A card that leads somewhere.
#[component]
pub fn Card(
    /// Where it leads.
    href: &'static str,
    /// What it leads to.
    heading: &'static str,
    /// What is to be found there.
    description: &'static str,
) -> impl IntoView {
    view! {
        <div class="nhsuk-card nhsuk-card--clickable">
            <div class="nhsuk-card__content">
                <h2 class="nhsuk-card__heading nhsuk-heading-m">
                    <a class="nhsuk-card__link" href=href>
                        {heading}
                    </a>
                </h2>
                <p class="nhsuk-card__description">{description}</p>
            </div>
        </div>
    }
}
