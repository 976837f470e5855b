//! `/ra/people/…/…`: doing something for a person: what, why, how they were recognised, and the officer's own passcode.

use leptos::{html, prelude::*};
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{action::ActionPage, card_watch::CardWatch, instead, record::role_word};
use crate::{
    components::{Errors, FieldError, Fieldset, Input, InputKind, InsetText, Page, RadioItems},
    pages::{
        holder::{Aim, HolderForm},
        more_time::{Idle, MoreTime},
        not_found::NotFound,
        profile::SignOutForm,
    },
    server_fns::ra::{IdentityCheck, OrderText, PersonLine, Reason, Record, Role, open_record},
    t,
};

/// The fields.
const REASON: &str = "reason";
const CHECK: &str = "check";
const EMAIL: &str = "email";
const ROLE: &str = "role";

const REASONS: [Reason; 5] =
    [Reason::PersonAsked, Reason::CardLost, Reason::Misuse, Reason::WrongRecord, Reason::ChangeOfPost];
const CHECKS: [IdentityCheck; 4] =
    [IdentityCheck::PhotoId, IdentityCheck::CalledBack, IdentityCheck::VideoCall, IdentityCheck::SponsorConfirmed];
const ROLES: [Role; 3] = [Role::Cardholder, Role::RaAgent, Role::RaManager];

/// The page of an action.
#[component]
pub fn RaAct() -> impl IntoView {
    let parameters = use_params_map();
    let number = move || parameters.read().get("number").unwrap_or_default();
    let slug = parameters.read_untracked().get("action").unwrap_or_default();
    let card = use_query_map().read_untracked().get("card").unwrap_or_default();
    let record = Resource::new(number, open_record);
    let Some(page) = ActionPage::of_slug(&slug) else { return view! { <NotFound /> }.into_any() };
    view! {
        <Suspense fallback=|| ()>
            {move || {
                let card = card.clone();
                Suspend::new(async move {
                    match record.await {
                        Ok(Record { person, .. }) => view! { <Form person page card /> }.into_any(),
                        Err(fault) => instead(&fault),
                    }
                })
            }}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Form(
    /// For whom.
    person: PersonLine,
    /// What.
    page: ActionPage,
    /// To which card, where it is about one.
    card: String,
) -> impl IntoView {
    let errors = Errors::new(Vec::new());
    let (reason, check) = (RwSignal::new(None::<Reason>), RwSignal::new(None::<IdentityCheck>));
    let role = RwSignal::new(None::<Role>);
    let email = NodeRef::<html::Input>::new();
    let order = RwSignal::new(None::<OrderText>);
    let number = person.user_number.clone();
    let prepare = Callback::new(move |()| {
        let typed = email.get_untracked().map(|input| input.value()).unwrap_or_default();
        let action = page.action(typed, card.clone(), role.get_untracked());
        let missing: Vec<_> = [
            action.is_none().then_some(match page {
                ActionPage::SetEmail => (EMAIL, t::register_email_missing()),
                _ => (ROLE, t::ra_role_missing()),
            }),
            reason.get_untracked().is_none().then_some((REASON, t::ra_reason_missing())),
            check.get_untracked().is_none().then_some((CHECK, t::ra_check_missing())),
        ]
        .into_iter()
        .flatten()
        .map(|(field, text)| FieldError { field: Some(field.to_owned()), text: text.to_owned() })
        .collect();
        let (Some(action), Some(reason), Some(check)) = (action, reason.get_untracked(), check.get_untracked()) else {
            errors.show(missing);
            return false;
        };
        order.set(Some(OrderText { person: number.clone(), action, reason, check }));
        true
    });
    let details = match page {
        ActionPage::SetEmail => view! {
            <Input
                kind=InputKind::Email
                id=EMAIL
                label=t::register_email_label()
                hint=""
                error=errors.of(EMAIL)
                node_ref=email
            />
        }
        .into_any(),
        ActionPage::Appoint => view! {
            <Fieldset id=ROLE legend=t::ra_role() error=errors.of(ROLE)>
                <RadioItems
                    name=ROLE
                    items=ROLES.map(role_word).map(str::to_owned).to_vec()
                    on_choose=move |position: usize| role.set(Some(ROLES[position]))
                />
            </Fieldset>
        }
        .into_any(),
        _ => ().into_any(),
    };
    let back = ["/ra/people/", &person.user_number].concat();
    view! {
        <CardWatch />
        <Page title=page.title() errors>
            <p class="nhsuk-body">
                <a href=back>{person.name} ", " {person.user_number}</a>
            </p>
            <p class="nhsuk-body">{page.text()}</p>
            {details}
            <Fieldset id=REASON legend=t::ra_reason() error=errors.of(REASON)>
                <RadioItems
                    name=REASON
                    items=REASONS.map(reason_word).map(str::to_owned).to_vec()
                    on_choose=move |position: usize| reason.set(Some(REASONS[position]))
                />
            </Fieldset>
            <Fieldset id=CHECK legend=t::ra_check() error=errors.of(CHECK)>
                <RadioItems
                    name=CHECK
                    items=CHECKS.map(check_word).map(str::to_owned).to_vec()
                    on_choose=move |position: usize| check.set(Some(CHECKS[position]))
                />
            </Fieldset>
            <InsetText text=t::ra_emailed() />
            <HolderForm aim=Aim::Order(order) errors prepare />
        </Page>
        <MoreTime of=Idle::Session>
            <SignOutForm />
        </MoreTime>
    }
}

/// What a reason is called.
pub fn reason_word(reason: Reason) -> &'static str {
    match reason {
        Reason::PersonAsked => t::ra_reason_person_asked(),
        Reason::CardLost => t::ra_reason_card_lost(),
        Reason::Misuse => t::ra_reason_misuse(),
        Reason::WrongRecord => t::ra_reason_wrong_record(),
        Reason::ChangeOfPost => t::ra_reason_change_of_post(),
    }
}

/// What a check is called.
pub fn check_word(check: IdentityCheck) -> &'static str {
    match check {
        IdentityCheck::PhotoId => t::ra_check_photo_id(),
        IdentityCheck::CalledBack => t::ra_check_called_back(),
        IdentityCheck::VideoCall => t::ra_check_video_call(),
        IdentityCheck::SponsorConfirmed => t::ra_check_sponsor_confirmed(),
    }
}
