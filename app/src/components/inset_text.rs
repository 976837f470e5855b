//! Inset text: something not to be missed.

use leptos::prelude::*;

use crate::t;

/// A paragraph that stands out.
#[component]
pub fn InsetText(
    /// What it says.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    view! {
        <div class="nhsuk-inset-text">
            <span class="nhsuk-u-visually-hidden">{t::information()} ": "</span>
            <p>{text}</p>
        </div>
    }
}
