//! No page has this address.

use leptos::prelude::*;

use crate::{components::Page, t};

/// The page of an address that no page has.
#[component]
pub fn NotFound() -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(http::StatusCode::NOT_FOUND);
    }
    view! {
        <Page title=t::not_found_title()>
            <p class="nhsuk-body">{t::not_found_text()}</p>
            <p class="nhsuk-body">
                <a href="/">{t::not_found_link()}</a>
            </p>
        </Page>
    }
}
