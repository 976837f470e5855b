//! `/profile`: who is signed in, their registration, what was done with their cards.

use leptos::{form::ActionForm, prelude::*};
use leptos_router::{components::Redirect, hooks::use_query_map};

use super::more_time::{Idle, MoreTime};
use crate::{
    components::{
        Banner, ButtonKind, InsetText, NotificationBanner, Page, SubmitButton, SummaryList, SummaryRow, Table, Tag,
        TagColour,
    },
    config::{PolicyProfile, facts},
    moment::{Shown, Time},
    server_fns::session::{Activity, ActivityKind, ActivityOutcome, Profile, RegistrationState, SignOut, my_profile},
    t,
};

/// The profile.
#[component]
pub fn ProfilePage() -> impl IntoView {
    let profile = Resource::new(|| (), |()| my_profile());
    view! {
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                match profile.await {
                    Ok(Some(profile)) => {
                        view! {
                            <Shows profile />
                            <MoreTime of=Idle::Session>
                                <SignOutForm />
                            </MoreTime>
                        }
                            .into_any()
                    }
                    Ok(None) => view! { <Redirect path="/sign-in" /> }.into_any(),
                    Err(_) => {
                        view! {
                            <Page title=t::profile_title() back="/">
                                <p class="nhsuk-body">{t::fault_unavailable()}</p>
                            </Page>
                        }
                            .into_any()
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
            <h2 class="nhsuk-heading-m">{t::profile_activity()}</h2>
            <YourActivity caption=t::profile_activity_caption() activity=profile.activity />
            <SignOutForm />
            <p class="nhsuk-body-s">{t::sign_in_idle()}</p>
        </Page>
    }
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
            ("stopped", Banner::Important, t::register_stopped()),
            ("ended", Banner::Important, t::register_ended()),
            ("over", Banner::Important, t::fault_over()),
        ]
        .into_iter()
        .find(|(name, ..)| query.get_str(name).is_some())
        .map(|(_, kind, text)| view! { <NotificationBanner kind text /> })
    }
}

#[component]
fn SelfService(
    /// Whether the person is registered.
    registration: RegistrationState,
) -> impl IntoView {
    let state =
        |colour, word| SummaryRow { key: t::profile_state(), value: view! { <Tag colour text=word /> }.into_any() };
    let email = |email: String| SummaryRow { key: t::profile_email(), value: email.into_any() };
    let register = |text, label| {
        view! {
            <p class="nhsuk-body">{text}</p>
            <p>
                <a class="nhsuk-button" href="/register/passcode">
                    {label}
                </a>
            </p>
        }
    };
    match registration {
        RegistrationState::NotRegistered if facts().profile == PolicyProfile::CodeOnly => {
            view! { <p class="nhsuk-body">{t::register_not_needed()}</p> }.into_any()
        }
        RegistrationState::NotRegistered => view! {
            <SummaryList rows=vec![state(TagColour::Grey, t::profile_not_registered())] />
            {register(t::profile_register_text(), t::profile_register())}
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
            rows.push(match recovery_codes {
                None => SummaryRow { key: t::profile_questions(), value: t::profile_questions_set().into_any() },
                Some(left) => {
                    let left = t::profile_recovery_codes_left(left);
                    SummaryRow { key: t::profile_recovery_codes(), value: left.into_any() }
                }
            });
            view! {
                <SummaryList rows />
                {register(t::profile_register_again_text(), t::profile_register_again())}
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

/// What was done with somebody's cards.
#[component]
pub fn YourActivity(
    /// What the table is called.
    caption: &'static str,
    /// What was done, newest first.
    activity: Vec<Activity>,
) -> impl IntoView {
    if activity.is_empty() {
        return view! { <p class="nhsuk-body">{t::profile_activity_none()}</p> }.into_any();
    }
    let rows = activity
        .into_iter()
        .map(|activity| {
            vec![
                view! { <Time at=activity.at shown=Shown::DateTime /> }.into_any(),
                kind_word(activity.kind).into_any(),
                outcome_word(activity.outcome).into_any(),
            ]
        })
        .collect();
    let heads = vec![t::profile_activity_when(), t::profile_activity_what(), t::profile_activity_outcome()];
    view! { <Table caption heads rows /> }.into_any()
}

fn outcome_word(outcome: ActivityOutcome) -> &'static str {
    match outcome {
        ActivityOutcome::Done => t::outcome_done(),
        ActivityOutcome::Refused => t::outcome_refused(),
    }
}

/// What it is called.
pub(crate) fn kind_word(kind: ActivityKind) -> &'static str {
    match kind {
        ActivityKind::CardEnrolled => t::event_card_enrolled(),
        ActivityKind::SignedIn => t::event_signed_in(),
        ActivityKind::SignedOut => t::event_signed_out(),
        ActivityKind::RegistrationBegun => t::event_registration_begun(),
        ActivityKind::RegistrationCodeSent => t::event_registration_code_sent(),
        ActivityKind::RegistrationCodeEntered => t::event_registration_code_entered(),
        ActivityKind::Registered => t::event_registered(),
        ActivityKind::CardProofRefused => t::event_card_proof_refused(),
        ActivityKind::UnlockBegun => t::event_unlock_begun(),
        ActivityKind::QuestionsAnswered => t::event_questions_answered(),
        ActivityKind::RecoveryCodeEntered => t::event_recovery_code_entered(),
        ActivityKind::UnlockCodeSent => t::event_unlock_code_sent(),
        ActivityKind::UnlockCodeEntered => t::event_unlock_code_entered(),
        ActivityKind::SelfServiceLocked => t::event_self_service_locked(),
        ActivityKind::SelfServiceFrozen => t::event_self_service_frozen(),
        ActivityKind::MailUndelivered => t::event_mail_undelivered(),
        ActivityKind::UnlockKeyReleased => t::event_unlock_key_released(),
        ActivityKind::CardUnlocked => t::event_card_unlocked(),
        ActivityKind::UnlockKeyRefused => t::event_unlock_key_refused(),
        ActivityKind::FlowEnded => t::event_flow_ended(),
        ActivityKind::RecordOpened => t::event_record_opened(),
        ActivityKind::LockOutCleared => t::event_lock_out_cleared(),
        ActivityKind::RegistrationEnded => t::event_registration_ended(),
        ActivityKind::EmailSet => t::event_email_set(),
        ActivityKind::EmailConfirmed => t::event_email_confirmed(),
        ActivityKind::CardCancelled => t::event_card_cancelled(),
        ActivityKind::RoleGranted => t::event_role_granted(),
        ActivityKind::TrailRead => t::event_trail_read(),
        ActivityKind::TrailExported => t::event_trail_exported(),
        ActivityKind::ImportBegun => t::event_import_begun(),
        ActivityKind::ImportEnded => t::event_import_ended(),
    }
}
