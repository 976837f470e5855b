//! `/unlock`: what will happen, and Start.

use std::pin::Pin;

use card_protocol::Purpose;
use leptos::{
    prelude::*,
    wasm_split::{SplitLoaderError, wasm_split},
};
use leptos_router::hooks::use_query_map;

use super::{DeadEndPage, Place, StopForm};
use crate::{
    app::Way,
    bridge::Bridge,
    components::{
        Banner, Button, ButtonKind, Errors, InsetText, NoJavaScript, NotificationBanner, OnFound, Page, ReaderPanel,
    },
    server_fns::Referred,
    server_fns::unlock::{Begun, DeadEnd, DeadEndReason, UnlockFault, identify, running_unlock, start_unlock},
    t,
    work::Work,
};

/// What goes on after a press of a button.
type Task = Pin<Box<dyn Future<Output = ()>>>;

/// The start page of an unlock.
#[component]
pub fn UnlockStart() -> impl IntoView {
    let dead_end = RwSignal::new(None::<DeadEnd>);
    move || match dead_end.get() {
        Some(end) => view! { <DeadEndPage end /> }.into_any(),
        None => view! { <StartPage dead_end /> }.into_any(),
    }
}

#[component]
fn StartPage(
    /// Where self-service ends for a card.
    dead_end: RwSignal<Option<DeadEnd>>,
) -> impl IntoView {
    let errors = Errors::new(Vec::new());
    let work = Work::new();
    let (bridge, way) = (Bridge::of_page(), Way::of_page());
    let begin = Callback::new(move |()| {
        errors.clear();
        work.start(async move {
            match begin(bridge, way, errors, dead_end).await {
                Ok(begun) => begun.await,
                Err(_) => errors.show_general(t::fault_unreachable()),
            }
        });
    });
    let running = Resource::new(|| (), |()| running_unlock());
    let steps = [t::unlock_step_1(), t::unlock_step_2(), t::unlock_step_3()].map(|step| view! { <li>{step}</li> });
    view! {
        <Page title=t::unlock_title() back="/" errors banner=banner().into_any()>
            <p class="nhsuk-lede-text">{t::unlock_lead()}</p>
            <Suspense fallback=|| ()>
                {move || Suspend::new(async move {
                    running.await.ok().flatten().map(|place| view! { <Running place /> })
                })}
            </Suspense>
            <p class="nhsuk-body">{t::unlock_steps()}</p>
            <ol class="nhsuk-list nhsuk-list--number">{steps.collect_view()}</ol>
            <p class="nhsuk-body">{t::unlock_time()}</p>
            <p class="nhsuk-body">{t::unlock_begin()}</p>
            <ReaderPanel on_found=OnFound::GoOn button=t::unlock_start() on_retry=begin />
            <NoJavaScript />
            <Button kind=ButtonKind::Primary label=t::unlock_start() on_press=begin />
            <p class="nhsuk-body">{t::unlock_bookmark()}</p>
        </Page>
    }
}

/// Why one is here again.
fn banner() -> impl IntoView {
    let query = use_query_map();
    move || {
        let query = query.get();
        [
            ("stopped", t::unlock_stopped()),
            ("over", t::unlock_over()),
            ("superseded", t::unlock_superseded()),
            ("tries", t::unlock_code_tries_used_up()),
        ]
        .into_iter()
        .find(|(name, _)| query.get_str(name).is_some())
        .map(|(_, text)| view! { <NotificationBanner kind=Banner::Important text /> })
    }
}

/// An unlock is under way already.
#[component]
fn Running(
    /// Where it is.
    place: Place,
) -> impl IntoView {
    (place != Place::Done).then(|| {
        view! {
            <InsetText text=t::unlock_running() />
            <p>
                <a class="nhsuk-button" href=place.path()>
                    {t::continue_()}
                </a>
            </p>
            <StopForm />
        }
    })
}

/// What is done with bridge and card comes in a bundle of its own, when Start is pressed: the page is there sooner. Where
/// it does not come, pressing again tries again.
#[wasm_split(begin_unlock, wasm_split_path = leptos::wasm_split, fallible)]
fn begin(
    bridge: Bridge,
    way: Way,
    errors: Errors,
    dead_end: RwSignal<Option<DeadEnd>>,
) -> Result<Task, SplitLoaderError> {
    // It fails where its bundle does not come, and then nothing of it runs.
    Ok(()).map(|()| Box::pin(begin_with_card(bridge, way, errors, dead_end)) as Task)
}

/// Connects first, so that the browser's question does not use up the time of the challenge.
async fn begin_with_card(bridge: Bridge, way: Way, errors: Errors, dead_end: RwSignal<Option<DeadEnd>>) {
    if bridge.connect().await.is_err() {
        return;
    }
    let challenge = match start_unlock().await {
        Ok(challenge) => challenge,
        Err(fault) => return show(&fault, errors),
    };
    let Ok(proof) = bridge.prove_card(Purpose::Unlock, challenge).await else {
        return;
    };
    match identify(proof).await {
        Ok(Begun::Flow) => way.go(Place::Questions.path()),
        Ok(Begun::DeadEnd(end)) => dead_end.set(Some(end)),
        Err(UnlockFault::Refused(reference)) => {
            let reference = Some(reference.as_str().to_owned());
            dead_end.set(Some(DeadEnd { reason: DeadEndReason::UnknownCard, reference }));
        }
        Err(fault) => show(&fault, errors),
    }
}

fn show(fault: &UnlockFault, errors: Errors) {
    match fault {
        UnlockFault::TooOften { seconds } => errors.show_general(t::fault_too_often(seconds.div_ceil(60))),
        UnlockFault::Stale => errors.show_general(t::fault_proof_stale()),
        UnlockFault::Unreachable => errors.show_general(t::fault_unreachable()),
        fault => errors.show_general(fault.unavailable()),
    }
}
