//! `/unlock/done`: the card is unlocked.

use leptos::prelude::*;
use leptos_meta::Title;

use super::{Place, at_step};
use crate::{
    components::{BackLink, Panel},
    config::facts,
    t,
};

/// It is done.
#[component]
pub fn UnlockDone() -> impl IntoView {
    at_step(Place::Done, |_, _| {
        let title = [t::done_title(), " – ", &facts().service_name].concat();
        view! {
            <Title text=title />
            <div class="nhsuk-width-container">
                <BackLink href="/unlock" />
                <main class="nhsuk-main-wrapper" id="maincontent">
                    <div class="nhsuk-grid-row">
                        <div class="nhsuk-grid-column-two-thirds">
                            <Panel heading=t::done_title() text=t::done_text() />
                            <p class="nhsuk-body">{t::done_mail()}</p>
                        </div>
                    </div>
                </main>
            </div>
        }
        .into_any()
    })
}
