//! `/not-me`: the page of the link that mails hold for whoever did not do what they tell. To open it changes nothing.

use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_query_map;

use crate::{
    components::{ButtonKind, Errors, FieldError, Page, RaContact, SubmitButton},
    moment::{Shown, Time},
    resubmitted,
    server_fns::freezing::{FREEZE_PARAMETER, Freezable, Freeze, FreezingFault, look_at_link},
    t,
};

/// What the address asks for.
#[derive(Clone, PartialEq, Eq)]
enum Asked {
    /// To say what became of it.
    Frozen,
    /// To freeze by this link; empty where the address holds none.
    Link(String),
}

/// The page.
#[component]
pub fn NotMe() -> impl IntoView {
    let query = use_query_map();
    let failed = resubmitted::failed::<FreezingFault>(<Freeze as leptos::server_fn::ServerFn>::PATH);
    let posted = failed.as_ref().map(|failed| failed.typed("token"));
    let asked = Memo::new(move |_| {
        let query = query.read();
        match &posted {
            _ if query.get_str("frozen").is_some() => Asked::Frozen,
            Some(token) => Asked::Link(token.clone()),
            None => Asked::Link(query.get(FREEZE_PARAMETER).unwrap_or_default()),
        }
    });
    let look = Resource::new(
        move || asked.get(),
        async |asked| match asked {
            Asked::Frozen => None,
            Asked::Link(token) => Some((look_at_link(token.clone()).await, token)),
        },
    );
    view! {
        <Suspense fallback=|| ()>
            {move || Suspend::new(async move {
                match look.await {
                    None => view! { <Frozen /> }.into_any(),
                    Some((Ok(Freezable::Frozen(at)), _)) => {
                        view! {
                            <Frozen>
                                {t::not_me_since()} " " <Time at shown=Shown::DateTime /> "."
                            </Frozen>
                        }
                            .into_any()
                    }
                    Some((Ok(Freezable::Yes), token)) => view! { <Question token /> }.into_any(),
                    Some((Ok(Freezable::NotRegistered), _)) => ends(t::not_me_nothing()),
                    Some((Err(FreezingFault::NoLink), _)) => ends(t::not_me_no_link()),
                    Some((Err(FreezingFault::Unreachable), _)) => ends(t::fault_unreachable()),
                    Some((Err(FreezingFault::Unavailable(reference)), _)) => ends(reference.quoted(t::fault_unavailable())),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Question(
    /// Of the link.
    token: String,
) -> impl IntoView {
    let action = ServerAction::<Freeze>::new();
    let errors = Errors::new(failed_words());
    Effect::new(move |_| {
        if let Some(Some(Err(fault))) = action.value().try_get() {
            errors.show(vec![words(&fault)]);
        }
    });
    view! {
        <Page title=t::not_me_title() back="/" errors>
            <p class="nhsuk-body">{t::not_me_text()}</p>
            <p class="nhsuk-body">{t::not_me_then()}</p>
            <ActionForm action>
                <input type="hidden" name="token" value=token />
                <SubmitButton kind=ButtonKind::Primary label=t::not_me_freeze() />
            </ActionForm>
            <RaContact reference=None />
        </Page>
    }
}

/// Self-service is frozen.
#[component]
fn Frozen(
    /// What else is known of it.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <Page title=t::not_me_frozen_title() back="/">
            {children.map(|children| view! { <p class="nhsuk-body">{children()}</p> })}
            <p class="nhsuk-body">{t::not_me_frozen_text()}</p>
            <RaContact reference=None />
        </Page>
    }
}

/// A link that can do nothing: the RA can.
fn ends(text: impl Into<String>) -> AnyView {
    let text = text.into();
    view! {
        <Page title=t::not_me_title() back="/">
            <p class="nhsuk-body">{text}</p>
            <RaContact reference=None />
        </Page>
    }
    .into_any()
}

/// What is wrong where this page is the answer to a form that failed.
fn failed_words() -> Vec<FieldError> {
    let failed = resubmitted::failed::<FreezingFault>(<Freeze as leptos::server_fn::ServerFn>::PATH);
    failed.iter().map(|failed| words(&failed.error)).collect()
}

fn words(fault: &FreezingFault) -> FieldError {
    let text = match fault {
        FreezingFault::NoLink => t::not_me_no_link().to_owned(),
        FreezingFault::Unreachable => t::fault_unreachable().to_owned(),
        FreezingFault::Unavailable(reference) => reference.quoted(t::fault_unavailable()),
    };
    FieldError { field: None, text }
}
