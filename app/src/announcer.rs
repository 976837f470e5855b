//! The live region: one `role=status` for all pages, empty in the first HTML, which speaks on change only.

use std::time::Duration;

use leptos::prelude::*;

/// Tells people who cannot see the page what changed on it.
#[derive(Clone, Copy)]
pub struct Announcer {
    said: RwSignal<String>,
    /// How many pages there were: what one wanted to be said is said on the next at the latest.
    pages: StoredValue<u32>,
}

impl Announcer {
    /// Makes the announcer and provides it to all pages.
    pub fn provide() -> Self {
        let announcer = Self { said: RwSignal::new(String::new()), pages: StoredValue::new(0) };
        provide_context(announcer);
        announcer
    }

    /// Says something, half a second from now: a region that changes at once with the focus is often not read.
    pub fn say(self, text: impl Into<String>) {
        let text = text.into();
        // The same words again are another change only after nothing.
        self.said.try_set(String::new());
        let page = self.pages.get_value();
        set_timeout(
            move || {
                if self.pages.try_get_value().is_some_and(|pages| pages - page <= 1) {
                    self.said.try_set(text);
                }
            },
            Duration::from_millis(500),
        );
    }

    /// Begins another page: its heading is heard, and of the pages before only what the last of them did just then.
    pub fn begin_page(self) {
        self.pages.update_value(|pages| *pages += 1);
        self.said.try_set(String::new());
    }

    /// The region.
    pub fn region(self) -> impl IntoView {
        view! {
            <div class="nhsuk-u-visually-hidden" role="status">
                {move || self.said.get()}
            </div>
        }
    }
}
