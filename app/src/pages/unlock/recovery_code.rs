//! `/unlock/recovery-code`: one of the codes that the person keeps, in place of the security questions; with the profile
//! `strict`, after the code by e-mail, `/unlock/last-recovery-code`.

use leptos::{html, prelude::*};

use super::{Here, Place, StopForm, at_step};
use crate::{
    components::{
        ButtonKind, Input, InputKind, InsetText, NoJavaScript, Page, ReaderPanel, SubmitButton, WarningCallout,
    },
    server_fns::unlock::{Answered, UnlockFault, UnlockPage, enter_recovery_code},
    t,
};

/// The field.
const CODE: &str = "recovery-code";

/// Before the code by e-mail.
#[component]
pub fn UnlockRecoveryCode() -> impl IntoView {
    at_step(Place::RecoveryCode, |page, here| show(&page, &here))
}

/// After it.
#[component]
pub fn UnlockLastRecoveryCode() -> impl IntoView {
    at_step(Place::LastRecoveryCode, |page, here| show(&page, &here))
}

fn show(page: &UnlockPage, here: &Here) -> AnyView {
    let here = *here;
    match *page {
        UnlockPage::RecoveryCode { attempts_left, after_code } => {
            let place = if after_code { Place::LastRecoveryCode } else { Place::RecoveryCode };
            view! { <Form place attempts_left here /> }.into_any()
        }
        _ => ().into_any(),
    }
}

#[component]
fn Form(
    /// Which of the two it is.
    place: Place,
    /// How many attempts are left.
    attempts_left: u8,
    /// The step.
    here: Here,
) -> impl IntoView {
    let errors = here.errors;
    let attempts_left = RwSignal::new(attempts_left);
    let input = NodeRef::<html::Input>::new();
    let hand_in = Callback::new(move |()| {
        let typed = input.get_untracked().map(|input| input.value()).unwrap_or_default();
        errors.clear();
        here.work.start(hand_in(here, typed, attempts_left));
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        hand_in.run(());
    };
    view! {
        <Page title=t::recovery_title() step=place.step() back="/unlock" errors>
            <WarningCallout text=t::questions_warning() />
            {move || (attempts_left.get() == 1).then(|| view! { <InsetText text=t::questions_last() /> })}
            <p class="nhsuk-body">{t::recovery_text()}</p>
            <form novalidate on:submit=submit>
                <Input
                    kind=InputKind::RecoveryCode
                    id=CODE
                    label=t::recovery_label()
                    hint=t::recovery_hint()
                    error=errors.of(CODE)
                    node_ref=input
                />
                <ReaderPanel button=t::continue_() on_retry=hand_in />
                <NoJavaScript />
                <SubmitButton kind=ButtonKind::Primary label=t::continue_() />
            </form>
            <StopForm />
        </Page>
    }
}

async fn hand_in(here: Here, typed: String, attempts_left: RwSignal<u8>) {
    // Nothing is handed in while it is missing: the card need not be asked.
    if typed.trim().is_empty() {
        return here.errors.show_field(CODE, t::recovery_missing());
    }
    let entered =
        here.hand_in(typed.clone().into(), async |proof| enter_recovery_code(proof, typed.clone()).await).await;
    match entered {
        None => {}
        Some(Ok(Answered::Right)) => here.way.go(Place::Code.path()),
        Some(Ok(Answered::RightAndLast)) => here.way.go(Place::Passcode.path()),
        Some(Ok(Answered::Wrong { attempts_left: left })) => {
            attempts_left.set(left);
            here.errors.show_field(CODE, t::recovery_wrong(left.into()));
        }
        Some(Ok(Answered::LockedOut(end))) => here.dead_end.set(Some(end)),
        Some(Err(UnlockFault::NoRecoveryCode)) => here.errors.show_field(CODE, t::recovery_missing()),
        Some(Err(UnlockFault::NotARecoveryCode)) => here.errors.show_field(CODE, t::recovery_letters()),
        Some(Err(fault)) => here.meet(&fault),
    }
}
