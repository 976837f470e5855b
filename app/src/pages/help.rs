//! `/help`: a leaflet, which prints on one sheet.

use leptos::prelude::*;

use crate::{
    components::{Page, RaContact},
    config::{PolicyProfile, facts},
    t,
};

/// How to register and to unlock, what is needed, and what to do when something does not work.
#[component]
pub fn Help() -> impl IntoView {
    let profile = facts().profile;
    let questions_and_answers = [
        (t::help_code_title(), t::help_code_text(), true),
        (t::help_wrong_title(), t::help_wrong_text(), profile == PolicyProfile::Classic),
        (t::help_stopped_title(), t::help_stopped_text(), true),
        (t::help_safe_title(), t::help_safe_text(), true),
        (t::help_not_me_title(), t::help_not_me_text(), true),
    ];
    view! {
        <Page title=t::help_title() back="/">
            <p class="nhsuk-lede-text">{t::help_lead()}</p>
            <PrintButton />
            <h2 class="nhsuk-heading-m">{t::help_need_title()}</h2>
            <ul class="nhsuk-list nhsuk-list--bullet">
                <li>{t::help_need_card()}</li>
                <li>{t::help_need_bridge()}</li>
                <li>{t::help_need_email()}</li>
                {factor(profile).map(|factor| view! { <li>{factor}</li> })}
            </ul>
            {registering(profile)
                .map(|steps| {
                    view! {
                        <h2 class="nhsuk-heading-m">{t::help_register_title()}</h2>
                        <Steps steps />
                        <p class="nhsuk-body app-screen-only">
                            <a href="/profile">{t::home_profile()}</a>
                        </p>
                    }
                })}
            <h2 class="nhsuk-heading-m">{t::help_unlock_title()}</h2>
            <Steps steps=unlocking(profile) />
            <p class="nhsuk-body app-screen-only">
                <a href="/unlock">{t::home_unlock()}</a>
            </p>
            <h2 class="nhsuk-heading-m">{t::help_questions_title()}</h2>
            {questions_and_answers
                .into_iter()
                .filter(|(_, _, is_asked)| *is_asked)
                .map(|(question, answer, _)| {
                    view! {
                        <h3 class="nhsuk-heading-s">{question}</h3>
                        <p class="nhsuk-body">{answer}</p>
                    }
                })
                .collect_view()}
            <h3 class="nhsuk-heading-s">{t::help_reader_title()}</h3>
            <p class="nhsuk-body">{t::help_reader_text()} " " <a href="/help/reader">{t::check_title()}</a></p>
            <RaContact reference=None />
        </Page>
    }
}

/// What has to be kept or remembered besides the card.
fn factor(profile: PolicyProfile) -> Option<&'static str> {
    match profile {
        PolicyProfile::Classic => Some(t::help_need_answers()),
        PolicyProfile::Strict => Some(t::help_need_recovery()),
        PolicyProfile::CodeOnly => None,
    }
}

fn registering(profile: PolicyProfile) -> Option<Vec<&'static str>> {
    let third = match profile {
        PolicyProfile::Classic => t::help_register_3_questions(),
        PolicyProfile::Strict => t::help_register_3_codes(),
        PolicyProfile::CodeOnly => return None,
    };
    Some(vec![t::help_register_1(), t::help_register_2(), third, t::help_register_4()])
}

fn unlocking(profile: PolicyProfile) -> Vec<&'static str> {
    let between = match profile {
        PolicyProfile::Classic => vec![t::help_unlock_questions(), t::help_unlock_code()],
        PolicyProfile::Strict => vec![t::help_unlock_code(), t::help_unlock_recovery()],
        PolicyProfile::CodeOnly => vec![t::help_unlock_code()],
    };
    [vec![t::help_unlock_1()], between, vec![t::help_unlock_passcode()]].concat()
}

#[component]
fn Steps(
    /// What to do, one after another.
    steps: Vec<&'static str>,
) -> impl IntoView {
    view! {
        <ol class="nhsuk-list nhsuk-list--number">
            {steps.into_iter().map(|step| view! { <li>{step}</li> }).collect_view()}
        </ol>
    }
}

/// Prints the page. It comes when the page is taken over: without its script it could do nothing.
#[component]
fn PrintButton() -> impl IntoView {
    let is_taken_over = RwSignal::new(false);
    Effect::new(move |_| is_taken_over.set(true));
    let print = |_| drop(window().print());
    view! {
        <Show when=move || is_taken_over.get()>
            <p class="nhsuk-body app-screen-only">
                <button class="nhsuk-button nhsuk-button--secondary" type="button" on:click=print>
                    {t::help_print()}
                </button>
            </p>
        </Show>
    }
}
