//! Stop: ends the registration on the server. Nothing of an earlier one has changed.

use leptos::{form::ActionForm, prelude::*};

use crate::{
    components::{ButtonKind, SubmitButton},
    server_fns::registration::StopRegistration,
    t,
};

/// The form whose only button is Stop.
#[component]
pub fn StopForm() -> impl IntoView {
    let action = ServerAction::<StopRegistration>::new();
    view! {
        <div class="app-stop">
            <ActionForm action>
                <SubmitButton kind=ButtonKind::Secondary label=t::stop() />
            </ActionForm>
        </div>
    }
}
