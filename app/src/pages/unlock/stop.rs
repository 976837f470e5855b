//! Stop: ends the unlock on the server. It needs no card and no JavaScript.

use leptos::{form::ActionForm, prelude::*};

use crate::{
    components::{ButtonKind, SubmitButton},
    server_fns::unlock::StopUnlock,
    t,
};

/// The form whose only button is Stop.
#[component]
pub fn StopForm() -> impl IntoView {
    let action = ServerAction::<StopUnlock>::new();
    view! {
        <div class="app-stop">
            <ActionForm action>
                <SubmitButton kind=ButtonKind::Secondary label=t::stop() />
            </ActionForm>
        </div>
    }
}
