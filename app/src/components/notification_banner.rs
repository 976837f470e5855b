//! Notification banner: what has just happened.

use leptos::prelude::*;

use crate::t;

/// What kind of news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Banner {
    /// Something was done.
    Success,
    /// Something to know.
    Important,
}

/// A banner above the heading.
#[component]
pub fn NotificationBanner(
    /// What kind of news.
    kind: Banner,
    /// The news.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    let (class, role, title) = match kind {
        Banner::Success => ("nhsuk-notification-banner nhsuk-notification-banner--success", "alert", t::success()),
        Banner::Important => ("nhsuk-notification-banner", "region", t::important()),
    };
    view! {
        <div class=class role=role aria-labelledby="banner-title">
            <div class="nhsuk-notification-banner__header">
                <h2 class="nhsuk-notification-banner__title" id="banner-title">
                    {title}
                </h2>
            </div>
            <div class="nhsuk-notification-banner__content">
                <p class="nhsuk-notification-banner__heading">{text}</p>
            </div>
        </div>
    }
}
