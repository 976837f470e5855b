//! Work that a press of a button starts: one at a time, so that a double click does nothing twice.

use leptos::{prelude::*, task::spawn_local};

use crate::{announcer::Announcer, t};

/// Whether a page is at work.
#[derive(Clone, Copy)]
pub struct Work {
    going_on: RwSignal<bool>,
    announcer: Announcer,
}

impl Work {
    /// Makes it, at rest.
    pub fn new() -> Self {
        Self { going_on: RwSignal::new(false), announcer: expect_context() }
    }

    /// Does something, unless something is being done already.
    pub fn start(self, task: impl Future<Output = ()> + 'static) {
        if self.going_on.get_untracked() {
            return;
        }
        self.going_on.set(true);
        self.announcer.say(t::working());
        spawn_local(async move {
            task.await;
            // The page may have been left meanwhile.
            self.going_on.try_set(false);
        });
    }

    /// Whether something is being done.
    pub fn is_going_on(self) -> bool {
        self.going_on.get()
    }
}
