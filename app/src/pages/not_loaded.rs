//! A page whose bundle did not come.

use leptos::prelude::*;

use crate::{components::Page, t};

/// What stands in place of it.
#[component]
pub fn NotLoaded() -> impl IntoView {
    view! {
        <Page title=t::not_loaded_title()>
            <p class="nhsuk-body">{t::not_loaded_text()}</p>
            // This address again, from the server.
            <a class="nhsuk-button" href="" rel="external">
                {t::not_loaded_again()}
            </a>
        </Page>
    }
}
