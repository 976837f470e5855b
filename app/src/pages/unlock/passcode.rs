//! `/unlock/passcode`: the new passcode, and the card being written.

use card_protocol::{CardFailure, CardProof, message::Keypad, passcode::Passcode};
use leptos::prelude::*;

use super::{super::new_passcode::NewPasscode, Here, Place, StopForm, at_step};
use crate::{
    bridge::{Entry, Trouble, sleep},
    components::{Button, ButtonKind, InsetText, NoJavaScript, OnReader, Page, ReaderPanel, SubmitButton},
    server_fns::unlock::{ChallengeFor, UnlockFault, UnlockPage, complete, refused, release},
    t,
};

/// How long to wait before the outcome is reported again, in milliseconds.
const REPORT_AGAIN_AFTER: [u32; 4] = [500, 1_500, 4_000, 10_000];

/// The new passcode.
#[component]
pub fn UnlockPasscode() -> impl IntoView {
    at_step(Place::Passcode, |page, here| {
        let began_before = page == UnlockPage::PasscodeAgain;
        view! { <Form again=RwSignal::new(began_before) here /> }.into_any()
    })
}

#[component]
fn Form(
    /// Whether the card may have been written already.
    again: RwSignal<bool>,
    /// The step.
    here: Here,
) -> impl IntoView {
    let errors = here.errors;
    let passcode = NewPasscode::new(errors);
    let unreported = RwSignal::new(None::<CardProof>);
    let keypad = Memo::new(move |_| here.bridge.keypad());
    let unlock = Callback::new(move |()| {
        if let Some(completion) = unreported.get_untracked() {
            here.work.start(report(here, completion, unreported));
        } else if keypad.get_untracked() == Keypad::CurrentAndNew {
            errors.clear();
            here.work.start(unlock(here, None, again, unreported));
        } else {
            errors.clear();
            if let Some(chosen) = passcode.chosen() {
                here.work.start(unlock(here, Some(chosen), again, unreported));
            }
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        unlock.run(());
    };
    let fields = move || {
        view! {
            <form novalidate on:submit=submit>
                {move || match keypad.get() {
                    Keypad::CurrentAndNew => view! { <OnReader text=t::reader_keypad_new() /> }.into_any(),
                    Keypad::None | Keypad::Current => passcode.fields().into_any(),
                }}
                <SubmitButton kind=ButtonKind::Primary label=t::passcode_submit() />
            </form>
        }
    };
    view! {
        <Page title=t::passcode_title() step=Place::Passcode.step() back="/unlock" errors>
            {move || again.get().then(|| view! { <InsetText text=t::passcode_again() /> })}
            <NoJavaScript />
            <ReaderPanel button=t::passcode_submit() on_retry=unlock />
            {move || match unreported.get() {
                Some(_) => {
                    view! {
                        <InsetText text=t::done_report() />
                        <Button kind=ButtonKind::Primary label=t::reader_try_again() on_press=unlock />
                    }
                        .into_any()
                }
                None => fields().into_any(),
            }}
            {move || here.work.is_going_on().then(|| view! { <p class="nhsuk-body">{t::passcode_writing()}</p> })}
            // While the card is written there is no stopping.
            <Show when=move || !here.work.is_going_on() && unreported.read().is_none() fallback=|| ()>
                <StopForm />
            </Show>
        </Page>
    }
}

/// Unlocks the card: by the passcode that was typed, or one that is typed on the reader.
async fn unlock(
    here: Here,
    passcode: Option<Passcode>,
    again: RwSignal<bool>,
    unreported: RwSignal<Option<CardProof>>,
) {
    let Some(proof) = here.prove(ChallengeFor::Release).await else {
        return;
    };
    let keys = match release(proof.clone()).await {
        Ok(keys) => keys,
        Err(fault) => return here.meet(&fault),
    };
    let entry = passcode.as_ref().map_or(Entry::Reader, Entry::Screen);
    match here.bridge.reset_passcode(&proof, entry, keys).await {
        Ok(completion) => {
            unreported.set(Some(completion.clone()));
            report(here, completion, unreported).await;
        }
        Err(Trouble::Card(CardFailure::UnlockKeyRefused)) => report_refusal(here).await,
        // Nothing was sent to the card.
        Err(Trouble::Card(CardFailure::NotEntered { .. })) => {}
        Err(_) => again.set(true),
    }
}

/// Reports that the card is unlocked, again and again if need be: the card is written whether this arrives or not.
async fn report(here: Here, completion: CardProof, unreported: RwSignal<Option<CardProof>>) {
    let mut pauses = REPORT_AGAIN_AFTER.iter();
    loop {
        match complete(completion.clone()).await {
            Ok(()) => return here.way.go(Place::Done.path()),
            Err(UnlockFault::Unreachable | UnlockFault::Unavailable(_)) => match pauses.next() {
                Some(pause) => sleep(*pause).await,
                None => return here.errors.show_general(t::fault_unreachable()),
            },
            Err(fault) => {
                unreported.set(None);
                return here.meet(&fault);
            }
        }
    }
}

async fn report_refusal(here: Here) {
    let Some(proof) = here.prove(ChallengeFor::Attempt).await else {
        return;
    };
    match refused(proof).await {
        Ok(end) => here.dead_end.set(Some(end)),
        Err(fault) => here.meet(&fault),
    }
}
