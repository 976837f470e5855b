//! Stop: ends the unlock on the server. It needs no card and no JavaScript.

use leptos::{form::ActionForm, prelude::*};

use crate::{
    components::{ButtonKind, SubmitButton},
    server_fns::unlock::StopUnlock,
    t,
};

/// The form whose only button is Stop.
#[component]
pub fn StopForm(
    /// What it does, where the page wants to know when it was done.
    #[prop(default = ServerAction::new())]
    action: ServerAction<StopUnlock>,
) -> impl IntoView {
    view! {
        <div class="app-stop">
            <ActionForm action>
                <SubmitButton kind=ButtonKind::Secondary label=t::stop() />
            </ActionForm>
        </div>
    }
}
