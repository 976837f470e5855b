//! `/register/recovery-codes`: ten codes in place of security questions, shown once.

use leptos::{prelude::*, task::spawn_local};

use super::{Place, StopForm};
use crate::{
    announcer::Announcer,
    app::Way,
    clipboard,
    components::{Button, ButtonKind, Errors, InsetText, NextHeading, NoJavaScript, Page},
    config::{PolicyProfile, facts},
    server_fns::Referred,
    server_fns::registration::{
        FlowAim, RegistrationFault, RegistrationPage, keep_recovery_codes, look_at_registration, make_recovery_codes,
    },
    t,
    work::Work,
};

/// The name of the file that is downloaded.
const FILE: &str = "smartcard-recovery-codes.txt";

/// In place of the second step.
#[component]
pub fn RegisterRecoveryCodes() -> impl IntoView {
    let page = Resource::new(|| (), |()| look_at_registration());
    view! {
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                let aim = match page.await {
                    Ok(RegistrationPage::Questions { aim, .. }) => aim,
                    _ => FlowAim::Registration,
                };
                view! { <Make aim /> }
            })}
        </Suspense>
    }
}

#[component]
fn Make(
    /// For which registration.
    aim: FlowAim,
) -> impl IntoView {
    let (work, way) = (Work::new(), Way::of_page());
    let errors = Errors::new(Vec::new());
    let codes = RwSignal::new(Vec::<String>::new());
    let make = Callback::new(move |()| {
        errors.clear();
        work.start(async move {
            match make_recovery_codes().await {
                Ok(made) => codes.set(made),
                Err(fault) => meet(&fault, errors, way),
            }
        });
    });
    let go_on = Callback::new(move |()| match aim {
        FlowAim::Registration => way.go(Place::Email.path()),
        FlowAim::Change => {
            errors.clear();
            work.start(async move {
                match keep_recovery_codes().await {
                    Ok(()) => way.go("/profile?codes-changed"),
                    Err(fault) => meet(&fault, errors, way),
                }
            });
        }
    });
    let has_questions = facts().profile == PolicyProfile::Classic;
    let text = match aim {
        FlowAim::Registration => t::recovery_make_text(),
        FlowAim::Change => t::recovery_change_text(),
    };
    view! {
        <Page title=t::recovery_make_title() nostrip:step=aim.step(2) back="/profile" errors>
            {move || {
                if codes.read().is_empty() {
                    view! {
                        <p class="nhsuk-body">{text}</p>
                        <NoJavaScript />
                        <Button kind=ButtonKind::Primary label=t::recovery_make() on_press=make />
                        {has_questions
                            .then(|| {
                                view! {
                                    <p class="nhsuk-body">
                                        <a href="/register/questions">{t::recovery_questions_instead()}</a>
                                    </p>
                                }
                            })}
                        <StopForm />
                    }
                        .into_any()
                } else {
                    view! { <Shown codes=codes.get() go_on /> }.into_any()
                }
            }}
        </Page>
    }
}

fn meet(fault: &RegistrationFault, errors: Errors, way: Way) {
    match fault {
        RegistrationFault::SignedOut => way.go("/sign-in?over"),
        RegistrationFault::NotBegun => way.go("/register/passcode"),
        // They were made already, and can't be shown again: from the next step one comes back and makes others.
        RegistrationFault::OtherStep => way.go(Place::Email.path()),
        RegistrationFault::LockedOut => errors.show_general(t::dead_locked_out_text()),
        RegistrationFault::Frozen => errors.show_general(t::dead_frozen_text()),
        RegistrationFault::NotRegistered => errors.show_general(t::fault_not_registered()),
        RegistrationFault::Unreachable => errors.show_general(t::fault_unreachable()),
        fault => errors.show_general(fault.unavailable()),
    }
}

/// The codes, this once.
#[component]
fn Shown(
    /// The codes.
    codes: Vec<String>,
    /// What follows once they are kept.
    go_on: Callback<()>,
) -> impl IntoView {
    let announcer = expect_context::<Announcer>();
    let told = RwSignal::new("");
    let text = StoredValue::new([&codes.join("\n"), "\n"].concat());
    let copy = Callback::new(move |()| {
        spawn_local(async move {
            let copied = clipboard::copy(&text.get_value()).await;
            let words = if copied { t::recovery_copied() } else { t::recovery_not_copied() };
            told.set(words);
            announcer.say(words);
        });
    });
    let print = Callback::new(move |()| {
        let _ = leptos::prelude::window().print();
    });
    let file = ["data:text/plain;charset=utf-8,", &text.get_value().replace('\n', "%0A")].concat();
    let items = codes.into_iter().map(|code| view! { <li><code>{code}</code></li> }).collect_view();
    view! {
        <NextHeading title=t::recovery_shown_title() />
        <InsetText text=t::recovery_shown_text() />
        <ol class="nhsuk-list nhsuk-list--number app-recovery-codes">{items}</ol>
        <p>
            <Button kind=ButtonKind::Secondary label=t::recovery_copy() on_press=copy />
            " "
            <a class="nhsuk-button nhsuk-button--secondary" href=file download=FILE>
                {t::recovery_download()}
            </a>
            " "
            <Button kind=ButtonKind::Secondary label=t::recovery_print() on_press=print />
        </p>
        <p class="nhsuk-body">{told}</p>
        <Button kind=ButtonKind::Primary label=t::recovery_kept() on_press=go_on />
    }
}
