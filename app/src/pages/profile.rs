//! `/profile`: who is signed in, their registration, what was done with their cards.

pub mod activity;
pub mod end;
pub mod passcode;
mod self_service;

use leptos::{form::ActionForm, prelude::*};
use leptos_router::{components::Redirect, hooks::use_query_map};

pub use self::activity::YourActivity;
use self::self_service::SelfService;
use super::{
    more_time::{Idle, MoreTime},
    unavailable::Unavailable,
};
use crate::{
    components::{Banner, ButtonKind, NotificationBanner, Page, SubmitButton, SummaryList, SummaryRow},
    server_fns::Referred,
    server_fns::session::{Profile, SignOut, my_profile},
    t,
};

/// The id of the heading above the activity.
const ACTIVITY: &str = "activity";

/// Before which record of the trail the activity is shown: in the address, so that pages of it work without JavaScript.
const BEFORE: &str = "before";

/// The profile.
#[component]
pub fn ProfilePage() -> impl IntoView {
    let query = use_query_map();
    let before = Memo::new(move |_| query.read().get_str(BEFORE).and_then(|number| number.parse().ok()));
    let profile = Resource::new(move || before.get(), my_profile);
    view! {
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                match profile.await {
                    Ok(Some(profile)) => {
                        view! {
                            <Shows profile before=before.get_untracked() />
                            <MoreTime of=Idle::Session>
                                <SignOutForm />
                            </MoreTime>
                        }
                            .into_any()
                    }
                    Ok(None) => view! { <Redirect path="/sign-in" /> }.into_any(),
                    Err(fault) => {
                        view! { <Unavailable title=t::profile_title() back="/" text=fault.unavailable() /> }.into_any()
                    }
                }
            })}
        </Suspense>
    }
}

#[component]
fn Shows(
    /// What is known.
    profile: Profile,
    /// Before which record the activity is shown; nothing for the newest.
    before: Option<u64>,
) -> impl IntoView {
    let row = |key, value: String| SummaryRow { key, value: value.into_any() };
    let person = vec![
        row(t::profile_name(), profile.name),
        row(t::profile_number(), profile.user_number),
        row(t::profile_card(), profile.card),
        row(t::profile_ra_email(), profile.ra_email.unwrap_or_else(|| t::profile_none().to_owned())),
    ];
    view! {
        <Page title=t::profile_title() back="/" banner=banner().into_any()>
            <SummaryList rows=person />
            {profile
                .is_officer
                .then(|| {
                    view! {
                        <p class="nhsuk-body">
                            <a href="/ra">{t::ra_desk_title()}</a>
                        </p>
                    }
                })}
            <h2 class="nhsuk-heading-m">{t::profile_self_service()}</h2>
            <SelfService registration=profile.registration />
            <h2 class="nhsuk-heading-m">{t::profile_passcode()}</h2>
            <p class="nhsuk-body">{t::profile_passcode_text()}</p>
            <p class="nhsuk-body">
                <a href="/profile/passcode">{t::profile_change_passcode()}</a>
            </p>
            <h2 class="nhsuk-heading-m" id=ACTIVITY>
                {t::profile_activity()}
            </h2>
            <YourActivity caption=t::profile_activity_caption() activity=profile.activity />
            <Pages before older=profile.older />
            <SignOutForm />
            <p class="nhsuk-body-s">{t::sign_in_idle()}</p>
        </Page>
    }
}

/// The way to older and to the newest activity.
#[component]
fn Pages(
    /// Before which record is shown what is shown; nothing for the newest.
    before: Option<u64>,
    /// Before which record there is more.
    older: Option<u64>,
) -> impl IntoView {
    let newest = before.map(|_| (["/profile#", ACTIVITY].concat(), t::profile_activity_newest()));
    let older = older.map(|older| {
        (["/profile?", BEFORE, "=", &older.to_string(), "#", ACTIVITY].concat(), t::profile_activity_older())
    });
    let links: Vec<_> = [newest, older].into_iter().flatten().collect();
    (!links.is_empty()).then(|| {
        let links = links.into_iter().map(|(href, text)| {
            view! {
                <li>
                    <a href=href>{text}</a>
                </li>
            }
        });
        view! {
            <nav aria-label=t::profile_activity_pages()>
                <ul class="nhsuk-list">{links.collect_view()}</ul>
            </nav>
        }
    })
}

/// The form whose only button is Sign out.
#[component]
pub fn SignOutForm() -> impl IntoView {
    let action = ServerAction::<SignOut>::new();
    view! {
        <ActionForm action>
            <SubmitButton kind=ButtonKind::Secondary label=t::profile_sign_out() />
        </ActionForm>
    }
}

/// What has just happened.
fn banner() -> impl IntoView {
    let query = use_query_map();
    move || {
        let query = query.get();
        [
            ("registered", Banner::Success, t::profile_registered_banner()),
            ("passcode-changed", Banner::Success, t::profile_passcode_changed()),
            ("questions-changed", Banner::Success, t::profile_questions_changed()),
            ("codes-changed", Banner::Success, t::profile_codes_changed()),
            ("email-changed", Banner::Success, t::profile_email_changed()),
            ("registration-ended", Banner::Success, t::profile_registration_ended()),
            ("stopped", Banner::Important, t::register_stopped()),
            ("ended", Banner::Important, t::register_ended()),
            ("over", Banner::Important, t::fault_over()),
        ]
        .into_iter()
        .find(|(name, ..)| query.get_str(name).is_some())
        .map(|(_, kind, text)| view! { <NotificationBanner kind text /> })
    }
}
