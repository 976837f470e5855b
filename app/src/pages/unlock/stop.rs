//! Stop: ends the unlock on the server. It needs no card and no JavaScript, and the page that comes then knows nothing of
//! the one before.

use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    components::{ButtonKind, SubmitButton},
    server_fns::unlock::StopUnlock,
    t,
};

/// The form whose only button is Stop.
#[component]
pub fn StopForm() -> impl IntoView {
    view! {
        <form class="app-stop" method="post" action=StopUnlock::PATH>
            <SubmitButton kind=ButtonKind::Secondary label=t::stop() />
        </form>
    }
}
