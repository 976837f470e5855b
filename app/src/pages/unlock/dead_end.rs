//! Where self-service ends, and only the Registration Authority can help.

use leptos::prelude::*;

use crate::{
    components::{Page, RaContact},
    server_fns::unlock::{DeadEnd, DeadEndReason},
    t,
};

/// A dead end, with the way on: the Registration Authority.
#[component]
pub fn DeadEndPage(
    /// Which.
    end: DeadEnd,
) -> impl IntoView {
    let (title, text) = match end.reason {
        DeadEndReason::NotRegistered => (t::dead_not_registered_title(), t::dead_not_registered_text()),
        DeadEndReason::LockedOut => (t::dead_locked_out_title(), t::dead_locked_out_text()),
        DeadEndReason::Frozen => (t::dead_frozen_title(), t::dead_frozen_text()),
        DeadEndReason::UnknownCard => (t::dead_unknown_title(), t::dead_unknown_text()),
        DeadEndReason::Cancelled => (t::dead_cancelled_title(), t::dead_cancelled_text()),
        DeadEndReason::NoAddress => (t::dead_no_address_title(), t::dead_no_address_text()),
        DeadEndReason::UnlockKeyRefused => (t::dead_refused_title(), t::dead_refused_text()),
    };
    view! {
        <Page title back="/unlock">
            <p class="nhsuk-body">{text}</p>
            <RaContact reference=end.reference />
        </Page>
    }
}
