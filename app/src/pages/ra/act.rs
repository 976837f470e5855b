//! `/ra/people/…/…`: doing something for a person: what, why, how they were recognised, and the officer's own passcode.

use leptos::{html, prelude::*};
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{action::ActionPage, card_watch::CardWatch, grounds::Grounds, instead, record::role_word};
use crate::{
    components::{Errors, FieldError, Fieldset, Input, InputKind, Page, RadioItems},
    pages::{
        holder::{Aim, HolderForm},
        more_time::{Idle, MoreTime},
        not_found::NotFound,
        profile::SignOutForm,
    },
    server_fns::ra::{OrderText, PersonLine, Record, Role, open_record},
    t,
};

/// The fields.
const EMAIL: &str = "email";
const ROLE: &str = "role";

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
    let grounds = Grounds::new();
    let role = RwSignal::new(None::<Role>);
    let email = NodeRef::<html::Input>::new();
    let order = RwSignal::new(None::<OrderText>);
    let number = person.user_number.clone();
    let prepare = Callback::new(move |()| {
        let typed = email.get_untracked().map(|input| input.value()).unwrap_or_default();
        let action = page.action(typed, card.clone(), role.get_untracked());
        let missing = action.is_none().then_some(match page {
            ActionPage::SetEmail => (EMAIL, t::register_email_missing()),
            _ => (ROLE, t::ra_role_missing()),
        });
        let missing = missing.map(|(field, text)| FieldError { field: Some(field.to_owned()), text: text.to_owned() });
        let (Some(action), Some((reason, check))) = (action, grounds.given()) else {
            errors.show(missing.into_iter().chain(grounds.missing()).collect());
            return false;
        };
        order.set(Some(OrderText { person: number.clone(), action, reason, check }));
        true
    });
    let details = match page {
        ActionPage::SetEmail => view! {
            <Input
                kind=InputKind::TheirEmail
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
            {grounds.fields(errors)}
            <HolderForm aim=Aim::Order(order) errors prepare />
        </Page>
        <MoreTime of=Idle::Session>
            <SignOutForm />
        </MoreTime>
    }
}
