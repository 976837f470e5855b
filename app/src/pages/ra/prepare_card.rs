//! `/ra/cards/prepare`: a blank card is issued to a person, also in place of another. The person chooses its passcode at the
//! officer's keyboard; the officer's own card stays in its reader meanwhile, and the blank one is in another.

use leptos::prelude::*;
use leptos_router::{components::Redirect, hooks::use_query_map};

use super::{card_watch::CardWatch, grounds::Grounds, instead, issuing::Issuing};
use crate::{
    bridge::Bridge,
    components::{Button, ButtonKind, Errors, InsetText, NextHeading, Page, SubmitButton},
    pages::{
        holder::{Aim, HolderForm},
        more_time::{Idle, MoreTime},
        new_passcode::NewPasscode,
        profile::SignOutForm,
    },
    server_fns::ra::{Action, OrderText, PersonLine, Record, open_record},
    t,
};

/// The page.
#[component]
pub fn RaPrepareCard() -> impl IntoView {
    let query = use_query_map();
    let number = move || query.read().get("person").unwrap_or_default();
    let replaces = query.read_untracked().get("replaces");
    let record = Resource::new(number, open_record);
    view! {
        <Suspense fallback=|| ()>
            {move || {
                let replaces = replaces.clone();
                Suspend::new(async move {
                    match record.await {
                        _ if number().is_empty() => view! { <Redirect path="/ra" /> }.into_any(),
                        Ok(Record { person, .. }) => view! { <Form person replaces /> }.into_any(),
                        Err(fault) => instead(&fault),
                    }
                })
            }}
        </Suspense>
    }
}

#[component]
fn Form(
    /// For whom.
    person: PersonLine,
    /// The card in whose place the new one comes, if in any's.
    replaces: Option<String>,
) -> impl IntoView {
    let errors = Errors::new(Vec::new());
    let bridge = Bridge::of_page();
    let issuing = Issuing::new();
    let (number, name) = (person.user_number.clone(), person.name.clone());
    let back = ["/ra/people/", &number].concat();
    // The first part comes with the page, whose heading has the focus then.
    let is_there = StoredValue::new(false);
    let replaced = replaces.clone().map(|card| view! { <InsetText text=t::prepare_replaces(&card) /> });
    view! {
        <CardWatch />
        <Page title=t::prepare_title() errors>
            <p class="nhsuk-body">
                <a href=back>{person.name} ", " {person.user_number}</a>
            </p>
            {replaced}
            <p class="nhsuk-body">{t::prepare_text()}</p>
            <p class="nhsuk-body">
                {move || match bridge.other_readers().as_slice() {
                    [] => t::prepare_no_blank().to_owned(),
                    [reader] => t::prepare_blank(reader),
                    _ => t::prepare_several().to_owned(),
                }}
            </p>
            {move || {
                if issuing.has_passcode() {
                    let (number, replaces) = (number.clone(), replaces.clone());
                    view! { <Officer issuing errors number replaces /> }.into_any()
                } else {
                    let title = t::prepare_hand_over(&name);
                    let was_there = is_there.try_update_value(|is_there| std::mem::replace(is_there, true));
                    let heading = match was_there {
                        Some(true) => view! { <NextHeading title /> }.into_any(),
                        _ => view! { <h2 class="nhsuk-heading-m">{title}</h2> }.into_any(),
                    };
                    view! { <Cardholder issuing errors heading /> }.into_any()
                }
            }}
            {move || issuing.progress().map(|words| view! { <p class="nhsuk-body">{words}</p> })}
        </Page>
        <MoreTime of=Idle::Session>
            <SignOutForm />
        </MoreTime>
    }
}

/// The person's part: the passcode.
#[component]
fn Cardholder(
    /// What is known.
    issuing: Issuing,
    /// What is wrong on the page.
    errors: Errors,
    /// The heading, with the person's name.
    heading: AnyView,
) -> impl IntoView {
    let passcode = NewPasscode::new(errors);
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        errors.clear();
        if let Some(chosen) = passcode.chosen() {
            issuing.choose_passcode(Some(chosen));
        }
    };
    view! {
        {heading}
        <form novalidate on:submit=submit>
            {passcode.fields()}
            <SubmitButton kind=ButtonKind::Primary label=t::continue_() />
        </form>
    }
}

/// The officer's part: why, how, and the order.
#[component]
fn Officer(
    /// What is known.
    issuing: Issuing,
    /// What is wrong on the page.
    errors: Errors,
    /// For whom.
    number: String,
    /// The card in whose place the new one comes, if in any's.
    replaces: Option<String>,
) -> impl IntoView {
    let grounds = Grounds::new();
    let order = RwSignal::new(None::<OrderText>);
    // What the card in the other reader says that it is: it may have been pulled on its way.
    let blank = issuing.watch_card(Bridge::of_page());
    let prepare = Callback::new(move |()| {
        let Some((reason, check)) = grounds.given() else {
            errors.show(grounds.missing().collect());
            return false;
        };
        let Some(card) = blank.get_untracked() else {
            errors.show_general(t::prepare_no_blank());
            return false;
        };
        let card = Some(card).filter(|card| !card.is_empty());
        let action = Action::IssueCard { card, replaces: replaces.clone() };
        order.set(Some(OrderText { person: number.clone(), action, reason, check }));
        true
    });
    let again = Callback::new(move |()| issuing.choose_passcode(None));
    view! {
        <NextHeading title=t::prepare_take_back() />
        <p class="nhsuk-body">{t::prepare_chosen()}</p>
        <Button kind=ButtonKind::Secondary label=t::prepare_other_passcode() on_press=again />
        {grounds.fields(errors)}
        <HolderForm aim=Aim::Order(order) errors prepare issuing />
    }
}
