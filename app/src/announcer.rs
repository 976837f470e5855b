//! The live region: one `role=status` for all pages, empty in the first HTML, which speaks on change only.

use std::time::Duration;

use leptos::prelude::*;

/// Tells people who cannot see the page what changed on it.
#[derive(Clone, Copy)]
pub struct Announcer(RwSignal<String>);

impl Announcer {
    /// Makes the announcer and provides it to all pages.
    pub fn provide() -> Self {
        let announcer = Self(RwSignal::new(String::new()));
        provide_context(announcer);
        announcer
    }

    /// Says something, half a second from now: a region that changes at once with the focus is often not read.
    pub fn say(self, text: impl Into<String>) {
        let text = text.into();
        // The same words again are another change only after nothing.
        self.0.try_set(String::new());
        set_timeout(
            move || {
                self.0.try_set(text);
            },
            Duration::from_millis(500),
        );
    }

    /// The region.
    pub fn region(self) -> impl IntoView {
        view! {
            <div class="nhsuk-u-visually-hidden" role="status">
                {move || self.0.get()}
            </div>
        }
    }
}
