//! `/`: where to go.

use leptos::prelude::*;

use crate::{
    components::{Card, Page},
    t,
};

/// The start page.
#[component]
pub fn Home() -> impl IntoView {
    view! {
        <Page title=t::home_title()>
            <p class="nhsuk-lede-text">{t::home_lead()}</p>
            <Card href="/unlock" heading=t::home_unlock() description=t::home_unlock_text() />
            <Card href="/profile" heading=t::home_profile() description=t::home_profile_text() />
            <Card href="/help" heading=t::home_help() description=t::home_help_text() />
        </Page>
    }
}
