//! `/demo/mailbox`: the mails of a demonstration. It looks for new ones by itself.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};

use super::super::{not_found::NotFound, unavailable::Unavailable};
use crate::{
    announcer::Announcer,
    components::{Button, ButtonKind, Page, SummaryList, SummaryRow},
    demo::DemoMail,
    moment::{Shown, Time},
    server_fns::Referred,
    server_fns::demo::{DemoFault, demo_mails},
    t,
};

/// How often to look.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The mailbox; no page where this is no demonstration.
#[component]
pub fn DemoMailbox() -> impl IntoView {
    let mails = Resource::new(|| (), |()| demo_mails());
    view! {
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                match mails.await {
                    Ok(mails) => view! { <Mails mails /> }.into_any(),
                    Err(DemoFault::NoDemonstration) => view! { <NotFound /> }.into_any(),
                    Err(fault) => {
                        view! { <Unavailable title=t::mailbox_title() back="/" text=fault.unavailable() /> }.into_any()
                    }
                }
            })}
        </Suspense>
    }
}

#[component]
fn Mails(
    /// The mails, newest first.
    mails: Vec<DemoMail>,
) -> impl IntoView {
    let mails = RwSignal::new(mails);
    let announcer = expect_context::<Announcer>();
    let look = move || {
        spawn_local(async move {
            let Ok(found) = demo_mails().await else {
                return;
            };
            let newest = |mails: &[DemoMail]| mails.first().map_or(0, |mail| mail.number);
            let Some(known) = mails.try_with_untracked(|mails| newest(mails)) else {
                return;
            };
            if newest(&found) > known {
                announcer.say(t::mailbox_new(newest(&found) - known));
                mails.try_set(found);
            }
        });
    };
    Effect::new(move |_| {
        if let Ok(interval) = set_interval_with_handle(look, LOOK_EVERY) {
            on_cleanup(move || interval.clear());
        }
    });
    let empty = move || mails.read().is_empty().then(|| view! { <p class="nhsuk-body">{t::mailbox_empty()}</p> });
    view! {
        <Page title=t::mailbox_title() back="/">
            <p class="nhsuk-body">{t::mailbox_lead()}</p>
            <Button kind=ButtonKind::Secondary label=t::mailbox_refresh() on_press=Callback::new(move |()| look()) />
            {empty}
            <For each=move || mails.get() key=|mail| mail.number children=mail />
        </Page>
    }
}

fn mail(mail: DemoMail) -> impl IntoView {
    let (title, src) = (t::mailbox_html(&mail.subject), mail.html_path());
    let rows = vec![
        SummaryRow { key: t::mailbox_to(), value: mail.to.into_any() },
        SummaryRow { key: t::mailbox_sent(), value: view! { <Time at=mail.at shown=Shown::DateTime /> }.into_any() },
    ];
    view! {
        <article class="app-mail">
            <h2 class="nhsuk-heading-m">{mail.subject}</h2>
            <SummaryList rows />
            <h3 class="nhsuk-heading-s">{t::mailbox_text()}</h3>
            <pre class="app-mail__text">{mail.text}</pre>
            // Without `allow-scripts`: whatever the mail holds, it is only looked at.
            <iframe class="app-mail__html" title=title sandbox="" src=src></iframe>
        </article>
    }
}
