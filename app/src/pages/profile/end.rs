//! `/profile/end`: whether the registration is really to end.

use leptos::prelude::*;
use leptos_router::components::Redirect;

use super::{
    super::{
        holder::{Aim, HolderForm},
        more_time::{Idle, MoreTime},
        unavailable::Unavailable,
    },
    SignOutForm,
};
use crate::{
    components::{Errors, Page, WarningCallout},
    config::{PolicyProfile, facts},
    server_fns::Referred,
    server_fns::session::{RegistrationState, my_profile},
    t,
};

/// The end of a registration.
#[component]
pub fn ProfileEnd() -> impl IntoView {
    let profile = Resource::new(|| (), |()| my_profile(None));
    let errors = Errors::new(Vec::new());
    view! {
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                match profile.await.map(|profile| profile.map(|profile| profile.registration)) {
                    Ok(None) => view! { <Redirect path="/sign-in?over" /> }.into_any(),
                    Ok(Some(RegistrationState::Registered { .. })) if facts().profile != PolicyProfile::CodeOnly => {
                        view! {
                            <Page title=t::end_title() back="/profile" errors>
                                <WarningCallout text=t::end_text() />
                                <p class="nhsuk-body">{t::end_told()}</p>
                                <HolderForm aim=Aim::EndRegistration errors />
                                <p class="nhsuk-body">
                                    <a href="/profile">{t::end_keep()}</a>
                                </p>
                            </Page>
                            <MoreTime of=Idle::Session>
                                <SignOutForm />
                            </MoreTime>
                        }
                            .into_any()
                    }
                    Ok(Some(_)) => view! { <Redirect path="/profile" /> }.into_any(),
                    Err(fault) => {
                        view! { <Unavailable title=t::end_title() back="/profile" text=fault.unavailable() /> }.into_any()
                    }
                }
            })}
        </Suspense>
    }
}
