//! `/ra/cards/load`: the certificates that another authority has made are loaded onto the card that has asked for them. The
//! officer's own card stays in its reader meanwhile, and that one is in another.

use card_protocol::Slot;
use leptos::{html, prelude::*, task::spawn_local};
use leptos_router::{components::Redirect, hooks::use_query_map};

use super::{card_watch::CardWatch, grounds::Grounds, instead, issuing::Issuing};
use crate::{
    bridge::Bridge,
    components::{Errors, FieldError, FileInput, Page, Textarea},
    pages::{
        holder::{Aim, HolderForm},
        more_time::{Idle, MoreTime},
        profile::SignOutForm,
    },
    server_fns::ra::{Action, DeskFault, OrderText, PersonLine, Record, open_record},
    t,
    upload::text_of,
};

/// The longest text of a certificate, in bytes: more than any card holds.
const LONGEST: u32 = 16 * 1024;

/// The field of a key's certificate.
pub fn field(slot: Slot) -> &'static str {
    match slot {
        Slot::Authentication => "authentication",
        Slot::CardAuthentication => "card-authentication",
    }
}

/// The page.
#[component]
pub fn RaLoadCard() -> impl IntoView {
    let query = use_query_map();
    let number = move || query.read().get("person").unwrap_or_default();
    let card = query.read_untracked().get("card").unwrap_or_default();
    let record = Resource::new(number, open_record);
    view! {
        <Suspense fallback=|| ()>
            {move || {
                let card = card.clone();
                Suspend::new(async move {
                    match record.await {
                        _ if number().is_empty() => view! { <Redirect path="/ra" /> }.into_any(),
                        Ok(Record { person, waiting, .. }) if waiting.contains(&card) => {
                            view! { <Form person card /> }.into_any()
                        }
                        Ok(_) => instead(&DeskFault::NothingToDo),
                        Err(fault) => instead(&fault),
                    }
                })
            }}
        </Suspense>
    }
}

#[component]
fn Form(
    /// Whose the card will be.
    person: PersonLine,
    /// The card.
    card: String,
) -> impl IntoView {
    let errors = Errors::new(Vec::new());
    let (issuing, grounds) = (Issuing::new(), Grounds::new());
    let order = RwSignal::new(None::<OrderText>);
    let there = issuing.watch_card(Bridge::of_page());
    let authentication = Pem::new(Slot::Authentication);
    let card_authentication = Pem::new(Slot::CardAuthentication);
    let (number, guid) = (person.user_number.clone(), card.clone());
    let prepare = Callback::new(move |()| {
        let missing = [authentication, card_authentication].into_iter().filter_map(Pem::missing);
        let missing: Vec<_> = missing.chain(grounds.missing()).collect();
        let Some((reason, check)) = grounds.given().filter(|_| missing.is_empty()) else {
            errors.show(missing);
            return false;
        };
        if there.get_untracked().as_ref() != Some(&guid) {
            errors.show_general(where_it_is(there.get_untracked().as_deref(), &guid));
            return false;
        }
        let action = Action::LoadCertificates {
            card: guid.clone(),
            authentication: authentication.text.get_untracked(),
            card_authentication: card_authentication.text.get_untracked(),
        };
        order.set(Some(OrderText { person: number.clone(), action, reason, check }));
        true
    });
    let back = ["/ra/people/", &person.user_number].concat();
    view! {
        <CardWatch />
        <Page title=t::load_title() errors>
            <p class="nhsuk-body">
                <a href=back>{person.name} ", " {person.user_number}</a>
            </p>
            <p class="nhsuk-body">{t::load_text(&card)}</p>
            <p class="nhsuk-body">{move || where_it_is(there.get().as_deref(), &card)}</p>
            {authentication.fields(errors)}
            {card_authentication.fields(errors)}
            {grounds.fields(errors)}
            <HolderForm aim=Aim::Order(order) errors prepare issuing />
            {move || issuing.progress().map(|words| view! { <p class="nhsuk-body">{words}</p> })}
        </Page>
        <MoreTime of=Idle::Session>
            <SignOutForm />
        </MoreTime>
    }
}

/// Whether the card in the other reader is the one.
fn where_it_is(there: Option<&str>, card: &str) -> &'static str {
    match there {
        None => t::load_insert(),
        Some(found) if found == card => t::load_there(),
        Some(_) => t::load_other(),
    }
}

/// A certificate as it is pasted, or comes out of a file.
#[derive(Clone, Copy)]
struct Pem {
    slot: Slot,
    text: RwSignal<String>,
    file: NodeRef<html::Input>,
}

impl Pem {
    fn new(slot: Slot) -> Self {
        Self { slot, text: RwSignal::new(String::new()), file: NodeRef::new() }
    }

    fn missing(self) -> Option<FieldError> {
        let text = match self.slot {
            Slot::Authentication => t::load_authentication_missing(),
            Slot::CardAuthentication => t::load_card_authentication_missing(),
        };
        let error = || FieldError { field: Some(field(self.slot).to_owned()), text: text.to_owned() };
        self.text.with_untracked(|text| text.trim().is_empty()).then(error)
    }

    fn fields(self, errors: Errors) -> impl IntoView {
        let Self { slot, text, file } = self;
        let (label, of_file, file_id) = match slot {
            Slot::Authentication => (t::load_authentication(), t::load_authentication_file(), "authentication-file"),
            Slot::CardAuthentication => {
                (t::load_card_authentication(), t::load_card_authentication_file(), "card-authentication-file")
            }
        };
        let read = move |_| {
            spawn_local(async move {
                match text_of(file, LONGEST).await {
                    Some(read) => text.set(read),
                    None => super::show(&DeskFault::NotACertificate(slot), errors),
                }
            });
        };
        view! {
            <Textarea id=field(slot) label hint=t::load_hint() error=errors.of(field(slot)) text />
            <FileInput
                id=file_id
                label=of_file
                hint=""
                accept=".pem,.crt,.cer"
                error=Signal::derive(|| None)
                node_ref=file
                on:change=read
            />
        }
    }
}
