//! `/ra/imports`: the latest imports, and what came of them. While one goes on the page looks again by itself.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};

use super::{card_watch::CardWatch, instead};
use crate::{
    announcer::Announcer,
    components::{Page, SummaryList, SummaryRow, Table, Tag, TagColour},
    moment::{Shown, Time},
    pages::{
        more_time::{Idle, MoreTime},
        profile::SignOutForm,
    },
    server_fns::importing::{FaultyLine, RowCounts, RunLine, imports},
    t,
};

/// How often to look while one goes on.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The imports.
#[component]
pub fn RaImports() -> impl IntoView {
    let runs = Resource::new(|| (), |()| imports());
    view! {
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                match runs.await {
                    Ok(runs) => view! { <Shows runs /> }.into_any(),
                    Err(fault) => instead(&fault),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Shows(
    /// The imports, the newest first.
    runs: Vec<RunLine>,
) -> impl IntoView {
    let goes_on = |runs: &[RunLine]| runs.iter().any(|run| run.is_under_way);
    let runs = RwSignal::new(runs);
    let announcer = expect_context::<Announcer>();
    let look = move || {
        if !runs.try_with_untracked(|runs| goes_on(runs)).unwrap_or_default() {
            return;
        }
        spawn_local(async move {
            let Ok(found) = imports().await else { return };
            if !goes_on(&found)
                && let Some(latest) = found.first()
            {
                announcer.say(latest.state.clone());
            }
            runs.try_set(found);
        });
    };
    Effect::new(move |_| {
        if let Ok(interval) = set_interval_with_handle(look, LOOK_EVERY) {
            on_cleanup(move || interval.clear());
        }
    });
    let empty = move || runs.read().is_empty().then(|| view! { <p class="nhsuk-body">{t::imports_none()}</p> });
    view! {
        <CardWatch />
        <Page title=t::imports_title() back="/ra/import">
            {empty} {move || runs.get().into_iter().map(run).collect_view()}
        </Page>
        <MoreTime of=Idle::Session>
            <SignOutForm />
        </MoreTime>
    }
}

fn run(run: RunLine) -> AnyView {
    let colour = match (run.is_under_way, run.is_kept) {
        (true, _) => TagColour::Grey,
        (false, true) => TagColour::Green,
        (false, false) => TagColour::Red,
    };
    let row = |key, value: AnyView| SummaryRow { key, value };
    let extent = if run.is_all_or_nothing { t::import_all_or_nothing() } else { t::import_each_row() };
    let rows = vec![
        row(
            t::imports_state(),
            view! { <Tag colour text=tag(run.is_under_way, run.is_kept) /> " " {run.state} }.into_any(),
        ),
        row(t::trail_by_whom(), run.officer.unwrap_or_else(|| t::trail_erased().to_owned()).into_any()),
        row(t::import_extent(), extent.into_any()),
        row(t::import_people(), counts(run.people).into_any()),
        row(t::import_cards(), counts(run.cards).into_any()),
    ];
    let refused = run.people.refused + run.cards.refused;
    let more = refused.saturating_sub(run.faults.len() as u64);
    view! {
        <section class="app-run">
            <h2 class="nhsuk-heading-m">
                <Time at=run.began_at shown=Shown::DateTime />
            </h2>
            <SummaryList rows />
            {(!run.faults.is_empty()).then(|| view! { <Faults faults=run.faults /> })}
            {(more > 0).then(|| view! { <p class="nhsuk-body">{t::imports_more(&more.to_string())}</p> })}
        </section>
    }
    .into_any()
}

fn tag(is_under_way: bool, is_kept: bool) -> &'static str {
    match (is_under_way, is_kept) {
        (true, _) => t::imports_goes_on(),
        (false, true) => t::imports_done(),
        (false, false) => t::imports_not_done(),
    }
}

fn counts(counts: RowCounts) -> String {
    let [added, moved, unchanged, refused] =
        [counts.added, counts.moved, counts.unchanged, counts.refused].map(|count| count.to_string());
    t::imports_counts(&added, &moved, &unchanged, &refused)
}

#[component]
fn Faults(
    /// The rows that were refused.
    faults: Vec<FaultyLine>,
) -> impl IntoView {
    let rows = faults.into_iter().map(|fault| vec![fault.file.into_any(), fault.line.into_any(), fault.why.into_any()]);
    let heads = vec![t::imports_file(), t::imports_line(), t::trail_why()];
    view! { <Table caption=t::imports_refused() heads rows=rows.collect() /> }
}
