//! `/register/passcode`: the passcode, to ensure that the card belongs to whoever registers, or changes what is registered.

use leptos::prelude::*;
use leptos_router::{components::Redirect, hooks::use_query_map};

use super::{
    super::{
        holder::{Aim, HolderForm, Wanted},
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
    let query = use_query_map();
    let wanted = move || query.read().get_str("change").and_then(Wanted::named);
    view! {
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                if matches!(page.await, Ok(RegistrationPage::SignedOut)) {
                    view! { <Redirect path="/sign-in?over" /> }.into_any()
                } else {
                    let wanted = wanted();
                    let step = wanted.is_none().then_some(Step { number: 1, of: 4 });
                    let text = wanted.map_or(t::register_passcode_text(), |_| t::change_passcode_text());
                    let aim = wanted.map_or(Aim::Register, Aim::Change);
                    view! {
                        <Page
                            title=t::register_passcode_title()
                            nostrip:step=step
                            back="/profile"
                            errors
                        >
                            <p class="nhsuk-body">{text}</p>
                            <HolderForm aim errors />
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
