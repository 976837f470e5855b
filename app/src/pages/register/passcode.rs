//! `/register/passcode`: the passcode, to ensure that the card belongs to whoever registers.

use leptos::prelude::*;
use leptos_router::components::Redirect;

use super::{
    super::{
        holder::{Aim, HolderForm},
        more_time::{Idle, MoreTime},
    },
    StopForm,
};
use crate::{
    components::{Errors, Page, Step},
    server_fns::registration::{RegistrationPage, look_at_registration},
    t,
};

/// The first step.
#[component]
pub fn RegisterPasscode() -> impl IntoView {
    let page = Resource::new(|| (), |()| look_at_registration());
    let errors = Errors::new(Vec::new());
    view! {
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                if matches!(page.await, Ok(RegistrationPage::SignedOut)) {
                    view! { <Redirect path="/sign-in?over" /> }.into_any()
                } else {
                    view! {
                        <Page
                            title=t::register_passcode_title()
                            step=Step { number: 1, of: 4 }
                            back="/profile"
                            errors
                        >
                            <p class="nhsuk-body">{t::register_passcode_text()}</p>
                            <HolderForm aim=Aim::Register errors />
                        </Page>
                        <MoreTime of=Idle::Session>
                            <StopForm />
                        </MoreTime>
                    }
                        .into_any()
                }
            })}
        </Suspense>
    }
}
