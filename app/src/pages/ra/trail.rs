//! `/ra/trail`: the whole trail, for managers. Works without JavaScript.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{address, card_watch::CardWatch, instead, words};
use crate::{
    components::{
        ButtonKind, DateInput, Errors, FieldError, Input, InputKind, Page, Select, SubmitButton, Table, Width,
    },
    moment::{Shown, Time},
    pages::{
        more_time::{Idle, MoreTime},
        profile::SignOutForm,
    },
    server_fns::{
        ra::DeskFault,
        trail::{Somebody, TrailLine, TrailParameters, TrailView, search_trail},
    },
    t,
};

/// The trail.
#[component]
pub fn RaTrail() -> impl IntoView {
    let query = use_query_map();
    let parameters = move || {
        let query = query.read();
        let field = |name| query.get(name).unwrap_or_default();
        TrailParameters {
            from: field("from"),
            until: field("until"),
            event: field("event"),
            officer: field("officer"),
            person: field("person"),
            card: field("card"),
            after: field("after"),
        }
    };
    let found = Resource::new(parameters, search_trail);
    view! {
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                match found.await {
                    Ok(found) => view! { <Shows found /> }.into_any(),
                    Err(fault) => instead(&fault),
                }
            })}
        </Suspense>
    }
}

fn pairs(parameters: &TrailParameters) -> [(&'static str, &str); 7] {
    [
        ("from", &parameters.from),
        ("until", &parameters.until),
        ("event", &parameters.event),
        ("officer", &parameters.officer),
        ("person", &parameters.person),
        ("card", &parameters.card),
        ("after", &parameters.after),
    ]
}

#[component]
fn Shows(
    /// What was found.
    found: TrailView,
) -> impl IntoView {
    let TrailView { parameters, fault, events, lines, next } = found;
    let field = if fault == Some(DeskFault::NotDays) { "from" } else { "person" };
    let errors = fault.iter().map(|fault| FieldError { field: Some(field.to_owned()), text: words(fault) });
    let errors = Errors::new(errors.collect());
    let of_first = TrailParameters { after: String::new(), ..parameters.clone() };
    let copy = address("/ra/trail.csv", &pairs(&of_first));
    let next = next.map(|after| {
        let href = address("/ra/trail", &pairs(&TrailParameters { after, ..parameters.clone() }));
        view! {
            <p class="nhsuk-body">
                <a href=href>{t::trail_next()}</a>
            </p>
        }
    });
    let result = match (fault.is_some(), lines.is_empty()) {
        (true, _) => ().into_any(),
        (false, true) => view! { <p class="nhsuk-body">{t::trail_nothing()}</p> }.into_any(),
        (false, false) => view! {
            <Records lines />
            {next}
            <p class="nhsuk-body">
                <a href=copy rel="external">
                    {t::trail_download()}
                </a>
            </p>
        }
        .into_any(),
    };
    view! {
        <CardWatch />
        <Page title=t::trail_title() back="/ra" errors width=Width::Full>
            <p class="nhsuk-body">{t::trail_lead()}</p>
            <Filters parameters events errors />
            {result}
        </Page>
        <MoreTime of=Idle::Session>
            <SignOutForm />
        </MoreTime>
    }
}

#[component]
fn Filters(
    /// What was looked for.
    parameters: TrailParameters,
    /// What can have happened.
    events: Vec<(String, String)>,
    /// What is wrong.
    errors: Errors,
) -> impl IntoView {
    let TrailParameters { from, until, event, officer, person, card, .. } = parameters;
    let number = move |id: &'static str, label: &'static str, value: String| {
        view! { <Input kind=InputKind::Search id=id name=id label=label hint="" error=errors.of(id) value=value /> }
    };
    view! {
        <form method="get" action="/ra/trail" novalidate>
            <DateInput id="from" label=t::reports_from() error=errors.of("from") value=from />
            <DateInput id="until" label=t::reports_until() error=errors.of("until") value=until />
            <Select
                id="event"
                name="event"
                label=t::trail_event()
                nothing=t::trail_anything()
                options=events
                chosen=event
                error=errors.of("event")
            />
            {number("person", t::trail_person(), person)}
            {number("card", t::trail_card(), card)}
            {number("officer", t::trail_officer(), officer)}
            <SubmitButton kind=ButtonKind::Primary label=t::trail_submit() />
        </form>
    }
}

#[component]
fn Records(
    /// The records.
    lines: Vec<TrailLine>,
) -> impl IntoView {
    let rows = lines
        .into_iter()
        .map(|line| {
            let outcome = if line.is_done { t::outcome_done() } else { t::outcome_refused() };
            let why = line.why.into_iter().chain(line.reference);
            vec![
                line.number.into_any(),
                view! { <Time at=line.at shown=Shown::DateTime /> }.into_any(),
                line.event.into_any(),
                outcome.into_any(),
                line.person.map(somebody).into_any(),
                line.card.into_any(),
                line.officer.map(somebody).into_any(),
                why.map(|word| view! { <span class="app-word">{word}</span> }).collect_view().into_any(),
            ]
        })
        .collect();
    let heads = vec![
        t::trail_number(),
        t::profile_activity_when(),
        t::profile_activity_what(),
        t::profile_activity_outcome(),
        t::trail_to_whom(),
        t::profile_card(),
        t::trail_by_whom(),
        t::trail_why(),
    ];
    view! { <Table caption=t::trail_caption() heads rows /> }
}

fn somebody(somebody: Somebody) -> AnyView {
    match somebody {
        Somebody::Known { user_number, name } => {
            let href = ["/ra/people/", &user_number].concat();
            view! { <a href=href>{name} ", " {user_number}</a> }.into_any()
        }
        Somebody::Erased => t::trail_erased().into_any(),
    }
}
