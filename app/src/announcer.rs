//! The live region: one `role=status` for all pages, empty in the first HTML, which speaks on change only.

use std::time::Duration;

use leptos::prelude::*;

/// Tells people who cannot see the page what changed on it.
#[derive(Clone, Copy)]
pub struct Announcer(RwSignal<Said>);

/// What is said, and where.
#[derive(Clone, Debug, Default)]
struct Said {
    text: String,
    /// How many pages there were: what one wanted to be said is said on the next at the latest.
    pages: u32,
}

impl Announcer {
    /// Makes the announcer and provides it to all pages.
    pub fn provide() -> Self {
        let announcer = Self(RwSignal::new(Said::default()));
        provide_context(announcer);
        announcer
    }

    /// Says something, half a second from now: a region that changes at once with the focus is often not read.
    pub fn say(self, text: impl Into<String>) {
        let text = text.into();
        // The same words again are another change only after nothing.
        self.0.try_update(|said| said.text.clear());
        let page = self.0.try_with_untracked(|said| said.pages);
        set_timeout(
            move || {
                self.0.try_update(|said| {
                    if page.is_some_and(|page| said.pages - page <= 1) {
                        said.text = text;
                    }
                });
            },
            Duration::from_millis(500),
        );
    }

    /// Begins another page: its heading is heard, and of the pages before only what the last of them did just then.
    pub fn begin_page(self) {
        self.0.update(|said| *said = Said { text: String::new(), pages: said.pages + 1 });
    }

    /// The region.
    pub fn region(self) -> impl IntoView {
        view! {
            <div class="nhsuk-u-visually-hidden" role="status">
                {move || self.0.with(|said| said.text.clone())}
            </div>
        }
    }
}
