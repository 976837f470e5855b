//! Whether somebody has registered, and what they can do about it.

use leptos::prelude::*;

use super::super::holder::Wanted;
use crate::{
    components::{InsetText, SummaryList, SummaryRow, Tag, TagColour},
    config::{PolicyProfile, facts},
    moment::{Shown, Time},
    server_fns::session::RegistrationState,
    t,
};

/// Whether somebody has registered.
#[component]
pub fn SelfService(
    /// Whether the person is registered.
    registration: RegistrationState,
) -> impl IntoView {
    let state =
        |colour, word| SummaryRow { key: t::profile_state(), value: view! { <Tag colour text=word /> }.into_any() };
    let email = |email: String| SummaryRow { key: t::profile_email(), value: email.into_any() };
    match registration {
        RegistrationState::NotRegistered | RegistrationState::Registered { .. }
            if facts().profile == PolicyProfile::CodeOnly =>
        {
            view! { <p class="nhsuk-body">{t::register_not_needed()}</p> }.into_any()
        }
        RegistrationState::NotRegistered => view! {
            <SummaryList rows=vec![state(TagColour::Grey, t::profile_not_registered())] />
            <p class="nhsuk-body">{t::profile_register_text()}</p>
            <p>
                <a class="nhsuk-button" href="/register/passcode">
                    {t::profile_register()}
                </a>
            </p>
        }
        .into_any(),
        RegistrationState::Registered { since, email: address, former, recovery_codes } => {
            let since = view! { <Time at=since shown=Shown::Date /> }.into_any();
            let former = former.map(|(former, until)| {
                let value =
                    view! { {former} " " {t::profile_former_until()} " " <Time at=until shown=Shown::DateTime /> };
                SummaryRow { key: t::profile_former(), value: value.into_any() }
            });
            let mut rows = vec![
                state(TagColour::Green, t::profile_registered()),
                SummaryRow { key: t::profile_since(), value: since },
                email(address),
            ];
            rows.extend(former);
            let codes = match recovery_codes {
                None => t::profile_codes_instead(),
                Some(_) => t::profile_codes_anew(),
            };
            rows.push(match recovery_codes {
                None => SummaryRow { key: t::profile_questions(), value: t::profile_questions_set().into_any() },
                Some(left) => {
                    let left = t::profile_recovery_codes_left(left);
                    SummaryRow { key: t::profile_recovery_codes(), value: left.into_any() }
                }
            });
            view! {
                <SummaryList rows />
                <Changes codes />
            }
            .into_any()
        }
        RegistrationState::LockedOut { email: address } => view! {
            <SummaryList rows=vec![state(TagColour::Red, t::profile_locked_out()), email(address)] />
            <InsetText text=t::dead_locked_out_text() />
        }
        .into_any(),
        RegistrationState::Frozen { email: address } => view! {
            <SummaryList rows=vec![state(TagColour::Red, t::profile_frozen()), email(address)] />
            <InsetText text=t::dead_frozen_text() />
        }
        .into_any(),
    }
}

/// The ways to change what is registered: those that the organisation has.
#[component]
fn Changes(
    /// How recovery codes are made: instead of something else, or anew.
    codes: &'static str,
) -> impl IntoView {
    let has_questions = facts().profile == PolicyProfile::Classic;
    let links = [
        has_questions.then(|| (Wanted::Questions.path(), t::profile_change_questions())),
        Some((Wanted::RecoveryCodes.path(), codes)),
        Some((Wanted::Email.path(), t::profile_change_email())),
        Some(("/profile/end", t::profile_end())),
    ];
    let links = links.into_iter().flatten().map(|(href, text)| {
        view! {
            <li>
                <a href=href>{text}</a>
            </li>
        }
    });
    view! { <ul class="nhsuk-list">{links.collect_view()}</ul> }
}
