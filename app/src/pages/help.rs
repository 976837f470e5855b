//! `/help`: on one sheet, to be printed too.

use leptos::prelude::*;

use crate::{
    components::{Page, RaContact},
    t,
};

/// What one needs, and what to do when something does not work.
#[component]
pub fn Help() -> impl IntoView {
    view! {
        <Page title=t::help_title() back="/">
            <p class="nhsuk-lede-text">{t::help_lead()}</p>
            <h2 class="nhsuk-heading-m">{t::help_need_title()}</h2>
            <ul class="nhsuk-list nhsuk-list--bullet">
                <li>{t::help_need_card()}</li>
                <li>{t::help_need_email()}</li>
                <li>{t::help_need_answers()}</li>
            </ul>
            <h2 class="nhsuk-heading-m">{t::help_locked_title()}</h2>
            <p class="nhsuk-body">
                {t::help_locked_text()} " " <a href="/unlock">{t::home_unlock()}</a>
            </p>
            <h2 class="nhsuk-heading-m">{t::help_register_title()}</h2>
            <p class="nhsuk-body">
                {t::help_register_text()} " " <a href="/profile">{t::home_profile()}</a>
            </p>
            <h2 class="nhsuk-heading-m">{t::help_code_title()}</h2>
            <p class="nhsuk-body">{t::help_code_text()}</p>
            <h2 class="nhsuk-heading-m">{t::help_reader_title()}</h2>
            <p class="nhsuk-body">
                <a href="/help/reader">{t::check_title()}</a>
            </p>
            <RaContact reference=None />
        </Page>
    }
}
