//! `/ra/import`: people and cards out of files, which the officer's card signs for before they are sent.

use leptos::prelude::*;

use super::{card_watch::CardWatch, instead};
use crate::{
    components::{Errors, FieldError, Fieldset, FileInput, Page, RadioItems, WarningCallout},
    pages::{
        holder::{Aim, HolderForm},
        more_time::{Idle, MoreTime},
        profile::SignOutForm,
    },
    server_fns::importing::{Extent, ImportFacts, read_import_facts},
    t,
    upload::ImportForm,
};

/// The fields.
const PEOPLE: &str = "people";
const CARDS: &str = "cards";
const EXTENT: &str = "extent";

/// What can be kept where a row is refused.
const EXTENTS: [Extent; 2] = [Extent::EachRow, Extent::AllOrNothing];

/// The import.
#[component]
pub fn RaImport() -> impl IntoView {
    let facts = Resource::new(|| (), |()| read_import_facts());
    view! {
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                match facts.await {
                    Ok(facts) => view! { <Form facts /> }.into_any(),
                    Err(fault) => instead(&fault),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Form(
    /// What there is to say.
    facts: ImportFacts,
) -> impl IntoView {
    let ImportFacts { recipient, limit } = facts;
    let Some(recipient) = recipient else {
        return view! {
            <CardWatch />
            <Page title=t::import_title() back="/ra">
                <p class="nhsuk-body">{t::ra_fault_no_import_key()}</p>
            </Page>
        }
        .into_any();
    };
    let errors = Errors::new(Vec::new());
    let form = ImportForm::new();
    let megabytes = limit / (1024 * 1024);
    let command = ["age -r ", &recipient, " -o cards.csv.age cards.csv"].concat();
    let prepare = Callback::new(move |()| {
        let is_missing = |field, id: &str, text: &str| {
            (!ImportForm::is_chosen(field)).then(|| FieldError { field: Some(id.to_owned()), text: text.to_owned() })
        };
        #[expect(clippy::cast_precision_loss, reason = "a limit is far below 2^53")]
        let is_too_large = form.size() > limit as f64;
        let too_large = is_too_large.then(|| {
            let text = t::import_too_large(&megabytes.to_string());
            FieldError { field: Some(CARDS.to_owned()), text }
        });
        let missing = [
            is_missing(form.people, PEOPLE, t::import_people_missing()),
            is_missing(form.cards, CARDS, t::import_cards_missing()),
            form.extent
                .get_untracked()
                .is_none()
                .then(|| FieldError { field: Some(EXTENT.to_owned()), text: t::import_extent_missing().to_owned() }),
            too_large,
        ];
        let missing: Vec<_> = missing.into_iter().flatten().collect();
        let is_ready = missing.is_empty();
        errors.show(missing);
        is_ready
    });
    view! {
        <CardWatch />
        <Page title=t::import_title() back="/ra" errors>
            <p class="nhsuk-body">{t::import_lead()}</p>
            <p class="nhsuk-body">{t::import_recipient()}</p>
            <pre class="app-command">{command}</pre>
            <p class="nhsuk-body">
                <a href="/ra/imports">{t::imports_title()}</a>
            </p>
            <FileInput
                id=PEOPLE
                label=t::import_people()
                hint=t::import_people_hint()
                accept=".csv,.age"
                error=errors.of(PEOPLE)
                node_ref=form.people
            />
            <FileInput
                id=CARDS
                label=t::import_cards()
                hint=t::import_cards_hint(&megabytes.to_string())
                accept=".age"
                error=errors.of(CARDS)
                node_ref=form.cards
            />
            <Fieldset id=EXTENT legend=t::import_extent() error=errors.of(EXTENT)>
                <RadioItems
                    name=EXTENT
                    items=EXTENTS.map(extent_word).map(str::to_owned).to_vec()
                    on_choose=move |position: usize| form.extent.set(Some(EXTENTS[position]))
                />
            </Fieldset>
            <WarningCallout text=t::import_warning() />
            <HolderForm aim=Aim::Import(form) errors prepare />
        </Page>
        <MoreTime of=Idle::Session>
            <SignOutForm />
        </MoreTime>
    }
    .into_any()
}

fn extent_word(extent: Extent) -> &'static str {
    match extent {
        Extent::EachRow => t::import_each_row(),
        Extent::AllOrNothing => t::import_all_or_nothing(),
    }
}
