//! `/ra`: finding a person.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{card_watch::CardWatch, instead};
use crate::{
    announcer::Announcer,
    app::Way,
    bridge::Bridge,
    components::{Button, ButtonKind, Errors, Input, InputKind, Page, SubmitButton, Table},
    pages::{
        more_time::{Idle, MoreTime},
        profile::SignOutForm,
    },
    server_fns::ra::{Found, PersonLine, find_people},
    t,
    work::Work,
};

/// The field, and its name in the address.
const FIELD: &str = "q";

/// The search.
#[component]
pub fn RaFind() -> impl IntoView {
    let query = use_query_map();
    let typed = move || query.read().get(FIELD).unwrap_or_default();
    let found = Resource::new(typed, find_people);
    view! {
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                match found.await {
                    Ok(found) => view! { <Search found /> }.into_any(),
                    Err(fault) => instead(&fault),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Search(
    /// What was looked for, and who was found.
    found: Found,
) -> impl IntoView {
    let Found { log_reference, text, people, may_be_more, is_manager } = found;
    let result = match (text.trim().is_empty(), people.is_empty()) {
        (true, _) => ().into_any(),
        (false, true) => {
            let words =
                log_reference.map_or_else(|| t::ra_find_nobody(text.trim()), |reference| t::ra_find_in_log(&reference));
            view! { <p class="nhsuk-body">{words}</p> }.into_any()
        }
        (false, false) => view! {
            <People people />
            {may_be_more.then(|| view! { <p class="nhsuk-body">{t::ra_find_more()}</p> })}
        }
        .into_any(),
    };
    view! {
        <CardWatch />
        <Page title=t::ra_find_title() back="/profile">
            <form method="get" action="/ra" role="search">
                <Input
                    kind=InputKind::Search
                    id=FIELD
                    name=FIELD
                    label=t::ra_find_label()
                    hint=t::ra_find_hint()
                    error=Errors::new(Vec::new()).of(FIELD)
                    value=text
                />
                <SubmitButton kind=ButtonKind::Primary label=t::ra_find_submit() />
            </form>
            <ReadCard />
            {result}
            <h2 class="nhsuk-heading-m">{t::ra_more()}</h2>
            <ul class="nhsuk-list nhsuk-list--bullet">
                <li>
                    <a href="/ra/reports">{t::reports_title()}</a>
                </li>
                {is_manager
                    .then(|| {
                        view! {
                            <li>
                                <a href="/ra/trail">{t::trail_title()}</a>
                            </li>
                            <li>
                                <a href="/ra/import">{t::import_title()}</a>
                            </li>
                        }
                    })}
            </ul>
        </Page>
        <MoreTime of=Idle::Session>
            <SignOutForm />
        </MoreTime>
    }
}

/// Finds whose the card in another reader is.
#[component]
fn ReadCard() -> impl IntoView {
    let (bridge, way) = (Bridge::of_page(), Way::of_page());
    let work = Work::new();
    let announcer = expect_context::<Announcer>();
    let problem = RwSignal::new("");
    let tell = move |words| {
        problem.set(words);
        announcer.say(words);
    };
    let read = Callback::new(move |()| {
        problem.set("");
        let readers = untrack(|| bridge.other_readers());
        let [reader] = readers.as_slice() else { return tell(t::ra_read_card_none()) };
        let reader = reader.clone();
        work.start(async move {
            match bridge.card_in(&reader).await {
                Ok(Some(guid)) => way.go(["/ra?q=", &guid.to_string()].concat()),
                Ok(None) => tell(t::reader_unsupported_card()),
                Err(_) => tell(t::ra_read_card_none()),
            }
        });
    });
    view! {
        <Button kind=ButtonKind::Secondary label=t::ra_read_card() on_press=read />
        <p class="nhsuk-body">{move || problem.get()}</p>
    }
}

#[component]
fn People(
    /// Who was found.
    people: Vec<PersonLine>,
) -> impl IntoView {
    let rows = people
        .into_iter()
        .map(|person| {
            let href = ["/ra/people/", &person.user_number].concat();
            vec![
                view! { <a href=href>{person.name}</a> }.into_any(),
                person.user_number.into_any(),
                person.email.unwrap_or_default().into_any(),
            ]
        })
        .collect();
    let heads = vec![t::profile_name(), t::profile_number(), t::ra_person_email()];
    view! { <Table caption=t::ra_find_caption() heads rows /> }
}
