//! `/unlock`: what will happen, and Start.

use card_protocol::Purpose;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{DeadEndPage, Place, StopForm};
use crate::{
    app::Way,
    bridge::Bridge,
    components::{
        Banner, Button, ButtonKind, Errors, InsetText, NoJavaScript, NotificationBanner, OnFound, Page, ReaderPanel,
    },
    server_fns::unlock::{
        Begun, DeadEnd, DeadEndReason, StopUnlock, UnlockFault, identify, look_at_unlock, start_unlock,
    },
    t,
    work::Work,
};

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
        work.start(begin(bridge, way, errors, dead_end));
    });
    let stop = ServerAction::<StopUnlock>::new();
    let running = Resource::new(move || stop.version().get(), |_| look_at_unlock());
    let steps = [t::unlock_step_1(), t::unlock_step_2(), t::unlock_step_3()].map(|step| view! { <li>{step}</li> });
    view! {
        <Page title=t::unlock_title() back="/" errors banner=banner().into_any()>
            <p class="nhsuk-lede-text">{t::unlock_lead()}</p>
            <Suspense fallback=|| ()>
                {move || Suspend::new(async move {
                    running.await.ok().as_ref().and_then(Place::of).map(|place| view! { <Running place stop /> })
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
    /// Stops it.
    stop: ServerAction<StopUnlock>,
) -> impl IntoView {
    (place != Place::Done).then(|| {
        view! {
            <InsetText text=t::unlock_running() />
            <p>
                <a class="nhsuk-button" href=place.path()>
                    {t::continue_()}
                </a>
            </p>
            <StopForm action=stop />
        }
    })
}

/// Connects first, so that the browser's question does not use up the time of the challenge.
async fn begin(bridge: Bridge, way: Way, errors: Errors, dead_end: RwSignal<Option<DeadEnd>>) {
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
        fault => errors.show_general(fault.reference().quoted(t::fault_unavailable())),
    }
}
