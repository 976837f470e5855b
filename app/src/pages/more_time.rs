//! "Do you need more time?": asked two minutes before an unlock or a session that nobody uses ends (WCAG 2.2, 2.2.1).
//! It can be given as often as one likes, until the session has reached its longest life.

use leptos::{html, prelude::*, task::spawn_local};

use crate::{
    app::Way,
    bridge::sleep,
    components::{Button, ButtonKind},
    server_fns::{
        session::{extend_session, session_time_left},
        unlock::{extend_unlock, unlock_time_left},
    },
    t,
};

/// What ends when nobody uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// The unlock that is under way.
    Unlock,
    /// The session.
    Session,
}

/// How many seconds before the end it is asked.
const ASK_BEFORE: u32 = 120;

/// After how many seconds on a page the server is asked how much time is left.
const FIRST_LOOK: u32 = 60;

/// After how many seconds it is asked again where it did not answer.
const LOOK_AGAIN: u32 = 15;

impl Idle {
    async fn left(self) -> Result<Option<u32>, ()> {
        match self {
            Self::Unlock => unlock_time_left().await.map_err(drop),
            Self::Session => session_time_left().await.map_err(drop),
        }
    }

    async fn extend(self) -> Result<(), ()> {
        match self {
            Self::Unlock => extend_unlock().await.map_err(drop),
            Self::Session => extend_session().await.map_err(drop),
        }
    }

    /// Where one is when it has ended.
    const fn when_over(self) -> &'static str {
        match self {
            Self::Unlock => "/unlock?over",
            Self::Session => "/sign-in?over",
        }
    }
}

/// The question, hidden until it is asked. The server alone knows the time: another tab may have used it meanwhile, and
/// a laptop may have been closed.
#[component]
pub fn MoreTime(
    /// What ends.
    of: Idle,
    /// The form that ends it now.
    children: Children,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let way = Way::of_page();
    Effect::new(move |watching: Option<()>| {
        if watching.is_none() {
            spawn_local(watch(of, dialog, way));
        }
    });
    let go_on = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
        spawn_local(async move {
            let _ = of.extend().await;
        });
    };
    view! {
        // Escape closes it: whoever presses that is there.
        <dialog class="app-more-time" aria-labelledby="more-time" node_ref=dialog on:cancel=move |_: web_sys::Event| go_on()>
            <h2 class="nhsuk-heading-m" id="more-time">
                {t::more_time_title()}
            </h2>
            <p class="nhsuk-body">{t::more_time_text()}</p>
            <Button kind=ButtonKind::Primary label=t::continue_() on_press=Callback::new(move |()| go_on()) />
            {children()}
        </dialog>
    }
}

/// Asks when it is time to, as long as the page is there.
async fn watch(of: Idle, dialog: NodeRef<html::Dialog>, way: Way) {
    let mut seconds = FIRST_LOOK;
    loop {
        sleep(seconds * 1_000).await;
        let Some(Some(dialog)) = dialog.try_get_untracked() else {
            return;
        };
        seconds = match of.left().await {
            Ok(Some(left)) if left > ASK_BEFORE => {
                dialog.close();
                left - ASK_BEFORE
            }
            Ok(Some(left)) => {
                if !dialog.open() {
                    // Fails only where the page has gone meanwhile.
                    let _ = dialog.show_modal();
                }
                left + 1
            }
            Ok(None) => return way.go(of.when_over()),
            Err(()) => LOOK_AGAIN,
        };
    }
}
