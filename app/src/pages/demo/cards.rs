//! `/demo/cards`: the way to the bridge's own page, where a demonstration card is inserted, removed or locked.

use leptos::prelude::*;

use crate::{bridge::Bridge, components::Page, t};

/// The link to the bridge's page.
#[component]
pub fn DemoCards() -> impl IntoView {
    let href = format!("http://127.0.0.1:{}/cards", Bridge::of_page().port());
    view! {
        <Page title=t::cards_title() back="/">
            <p class="nhsuk-body">{t::cards_text()}</p>
            <p class="nhsuk-body">
                <a href=href target="_blank" rel="noopener">
                    {t::cards_link()}
                </a>
            </p>
        </Page>
    }
}
