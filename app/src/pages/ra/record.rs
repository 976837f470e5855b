//! `/ra/people/…`: a person's record, and what can be done for them.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{action::ActionPage, address, card_watch::CardWatch, instead};
use crate::{
    components::{Page, SummaryList, SummaryRow, Table, Tag, TagColour},
    moment::{Shown, Time},
    pages::{
        more_time::{Idle, MoreTime},
        profile::{SignOutForm, YourActivity},
    },
    server_fns::ra::{CardLine, CardState, MailLine, MailState, Record, RegistrationLine, Role, Standing, open_record},
    t,
};

/// The record.
#[component]
pub fn RaRecord() -> impl IntoView {
    let parameters = use_params_map();
    let number = move || parameters.read().get("number").unwrap_or_default();
    let record = Resource::new(number, open_record);
    view! {
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                match record.await {
                    Ok(record) => view! { <Shows record /> }.into_any(),
                    Err(fault) => instead(&fault),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Shows(
    /// What is known.
    record: Record,
) -> impl IntoView {
    let Record { person, role, cards, waiting, registration, mails, recent, may_appoint } = record;
    let number = person.user_number.clone();
    let row = |key, value: String| SummaryRow { key, value: value.into_any() };
    let rows = vec![
        row(t::profile_number(), person.user_number),
        row(t::ra_person_email(), person.email.unwrap_or_else(|| t::profile_none().to_owned())),
        row(t::ra_organisation(), person.organisation.unwrap_or_else(|| t::profile_none().to_owned())),
        row(t::ra_role(), role_word(role).to_owned()),
    ];
    let mut actions = vec![ActionPage::SetEmail];
    if let Some(registration) = &registration {
        if registration.codes_elsewhere_until.is_some() {
            actions.push(ActionPage::ConfirmEmail);
        }
        match registration.standing {
            Standing::Open => actions.push(ActionPage::Freeze),
            Standing::LockedOut(_) => actions.extend([ActionPage::ClearLockOut, ActionPage::Freeze]),
            Standing::Frozen(_) => actions.push(ActionPage::ClearLockOut),
        }
        actions.push(ActionPage::EndRegistration);
    }
    if may_appoint {
        actions.push(ActionPage::Appoint);
    }
    let links = actions
        .into_iter()
        .map(|action| {
            let href = ["/ra/people/", &number, "/", action.slug()].concat();
            view! { <li><a href=href>{action.title()}</a></li> }
        })
        .collect_view();
    view! {
        <CardWatch />
        <Page title=person.name back="/ra">
            <SummaryList rows />
            <h2 class="nhsuk-heading-m">{t::profile_self_service()}</h2>
            <Registered registration />
            <h2 class="nhsuk-heading-m">{t::ra_cards()}</h2>
            <Cards cards number=number.clone() />
            <Waiting cards=waiting number=number.clone() />
            <p class="nhsuk-body">
                <a href=["/ra/cards/prepare?person=", &number].concat()>{t::ra_issue_card()}</a>
            </p>
            <h2 class="nhsuk-heading-m">{t::ra_actions()}</h2>
            <ul class="nhsuk-list nhsuk-list--bullet">{links}</ul>
            <Mails mails />
            <h2 class="nhsuk-heading-m">{t::ra_activity()}</h2>
            <YourActivity caption=t::ra_activity_caption() activity=recent />
        </Page>
        <MoreTime of=Idle::Session>
            <SignOutForm />
        </MoreTime>
    }
}

/// What a role is called.
pub(super) fn role_word(role: Role) -> &'static str {
    match role {
        Role::Cardholder => t::ra_role_cardholder(),
        Role::RaAgent => t::ra_role_agent(),
        Role::RaManager => t::ra_role_manager(),
    }
}

#[component]
fn Registered(
    /// What is registered.
    registration: Option<RegistrationLine>,
) -> impl IntoView {
    let state =
        |colour, word| SummaryRow { key: t::profile_state(), value: view! { <Tag colour text=word /> }.into_any() };
    let Some(RegistrationLine { since, email, codes_elsewhere_until, standing, attempts_left }) = registration else {
        return view! { <SummaryList rows=vec![state(TagColour::Grey, t::profile_not_registered())] /> };
    };
    let when = |key, at| SummaryRow { key, value: view! { <Time at shown=Shown::DateTime /> }.into_any() };
    let mut rows = match standing {
        Standing::Open => vec![state(TagColour::Green, t::profile_registered())],
        Standing::LockedOut(since) => {
            vec![state(TagColour::Red, t::ra_locked_out()), when(t::ra_closed_since(), since)]
        }
        Standing::Frozen(since) => vec![state(TagColour::Red, t::ra_frozen()), when(t::ra_closed_since(), since)],
    };
    rows.push(when(t::profile_since(), since));
    rows.push(SummaryRow { key: t::profile_email(), value: email.into_any() });
    rows.extend(codes_elsewhere_until.map(|until| when(t::ra_codes_elsewhere(), until)));
    rows.push(SummaryRow { key: t::ra_attempts_left(), value: attempts_left.into_any() });
    view! { <SummaryList rows /> }
}

/// How far the mails of the last day are. What stands in them is nobody's but the person's.
#[component]
fn Mails(
    /// The mails, the newest first.
    mails: Vec<MailLine>,
) -> impl IntoView {
    let rows: Vec<_> = mails
        .into_iter()
        .map(|mail| {
            let (colour, word) = match mail.state {
                MailState::Waiting => (TagColour::Grey, t::ra_mail_waiting()),
                MailState::Sent => (TagColour::Green, t::ra_mail_sent()),
                MailState::Refused => (TagColour::Red, t::ra_mail_refused()),
                MailState::GivenUp => (TagColour::Red, t::ra_mail_given_up()),
            };
            vec![
                view! { <Time at=mail.at shown=Shown::DateTime /> }.into_any(),
                view! { <Tag colour text=word /> }.into_any(),
            ]
        })
        .collect();
    let table = if rows.is_empty() {
        view! { <p class="nhsuk-body">{t::ra_mails_none()}</p> }.into_any()
    } else {
        let heads = vec![t::ra_mail_since(), t::ra_mail_state()];
        view! { <Table caption=t::ra_mails_caption() heads rows /> }.into_any()
    };
    view! {
        <h2 class="nhsuk-heading-m">{t::ra_mails()}</h2>
        {table}
    }
}

#[component]
fn Cards(
    /// The cards.
    cards: Vec<CardLine>,
    /// Whose.
    number: String,
) -> impl IntoView {
    let rows = cards
        .into_iter()
        .map(|card| {
            let (colour, word) = match card.state {
                CardState::Active => (TagColour::Green, t::ra_card_active()),
                CardState::Cancelled => (TagColour::Grey, t::ra_card_cancelled()),
                CardState::UnlockKeyUnknown => (TagColour::Red, t::ra_card_key_unknown()),
            };
            let to_act =
                |action: ActionPage| ["/ra/people/", &number, "/", action.slug(), "?card=", &card.guid].concat();
            let actions = (card.state != CardState::Cancelled).then(|| {
                let replace = ["/ra/cards/prepare?person=", &number, "&replaces=", &card.guid].concat();
                let links = [
                    (to_act(ActionPage::UnlockCard), t::ra_unlock_card()),
                    (replace, t::ra_replace_card()),
                    (to_act(ActionPage::CancelCard), t::ra_cancel_card()),
                ];
                links.map(|(href, word)| link(href, word, &card.guid, None)).collect_view()
            });
            vec![card.guid.clone().into_any(), view! { <Tag colour text=word /> }.into_any(), actions.into_any()]
        })
        .collect();
    let heads = vec![t::ra_card_number(), t::ra_card_state(), t::ra_actions()];
    view! { <Table caption=t::ra_cards_caption() heads rows /> }
}

/// The cards that wait for the certificates of another authority.
#[component]
fn Waiting(
    /// The cards.
    cards: Vec<String>,
    /// Whose.
    number: String,
) -> impl IntoView {
    let rows: Vec<_> = cards
        .into_iter()
        .map(|card| {
            let requests =
                [("authentication", t::load_authentication()), ("card-authentication", t::load_card_authentication())]
                    .map(|(key, word)| {
                        let href = address("/ra/cards/request.pem", &[("card", &card), ("key", key)]);
                        link(href, word, &card, Some("external"))
                    });
            let load = address("/ra/cards/load", &[("person", &number), ("card", &card)]);
            let load = link(load, t::ra_load_card(), &card, None).into_any();
            vec![card.into_any(), requests.collect_view().into_any(), load]
        })
        .collect();
    let heads = vec![t::ra_card_number(), t::ra_requests(), t::ra_actions()];
    (!rows.is_empty()).then(|| view! { <Table caption=t::ra_waiting() heads rows /> })
}

/// A link that is about a card.
fn link(href: String, word: &'static str, card: &str, rel: Option<&'static str>) -> impl IntoView + use<> {
    let card = card.to_owned();
    view! {
        <a class="app-word" href=href rel=rel>
            {word}
            <span class="nhsuk-u-visually-hidden">" " {card}</span>
        </a>
    }
}
