//! `/sign-in`: card and passcode.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::holder::{Aim, HolderForm};
use crate::{
    components::{Banner, Errors, NotificationBanner, Page},
    t,
};

/// Signing in.
#[component]
pub fn SignIn() -> impl IntoView {
    let errors = Errors::new(Vec::new());
    let query = use_query_map();
    let banner = move || {
        let query = query.get();
        [("signed-out", t::signed_out()), ("over", t::sign_in_over()), ("removed", t::signed_out_removed())]
            .into_iter()
            .find(|(name, _)| query.get_str(name).is_some())
            .map(|(_, text)| view! { <NotificationBanner kind=Banner::Important text /> })
    };
    view! {
        <Page title=t::sign_in_title() back="/" errors banner=banner.into_any()>
            <p class="nhsuk-body">{t::sign_in_lead()}</p>
            <HolderForm aim=Aim::SignIn errors />
            <p class="nhsuk-body-s">{t::sign_in_idle()}</p>
        </Page>
    }
}
