//! `/accessibility`: the accessibility statement.

use leptos::prelude::*;

use crate::{
    components::{Page, RaContact},
    t,
};

/// What everybody should be able to do here, what is known to be difficult, and whom to tell.
#[component]
pub fn Accessibility() -> impl IntoView {
    let can = [
        t::accessibility_can_zoom(),
        t::accessibility_can_keyboard(),
        t::accessibility_can_reader(),
        t::accessibility_can_contrast(),
        t::accessibility_can_time(),
    ];
    let problems = [
        t::accessibility_problem_questions(),
        t::accessibility_problem_browser(),
        t::accessibility_problem_reader(),
        t::accessibility_problem_welsh(),
    ];
    view! {
        <Page title=t::accessibility_title() back="/">
            <p class="nhsuk-lede-text">{t::accessibility_lead()}</p>
            <h2 class="nhsuk-heading-m">{t::accessibility_can_title()}</h2>
            <List items=can.to_vec() />
            <h2 class="nhsuk-heading-m">{t::accessibility_state_title()}</h2>
            <p class="nhsuk-body">{t::accessibility_state_text()}</p>
            <h2 class="nhsuk-heading-m">{t::accessibility_problems_title()}</h2>
            <List items=problems.to_vec() />
            <h2 class="nhsuk-heading-m">{t::accessibility_report_title()}</h2>
            <p class="nhsuk-body">{t::accessibility_report_text()}</p>
            <RaContact reference=None />
        </Page>
    }
}

#[component]
fn List(
    /// What it lists.
    items: Vec<&'static str>,
) -> impl IntoView {
    view! {
        <ul class="nhsuk-list nhsuk-list--bullet">
            {items.into_iter().map(|item| view! { <li>{item}</li> }).collect_view()}
        </ul>
    }
}
