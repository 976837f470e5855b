//! The pages of the Registration Authority's desk. Each watches the officer's card: when it leaves the reader, the session
//! ends.

pub mod act;
mod action;
mod card_watch;
pub mod find;
pub mod grounds;
pub mod import;
pub mod imports;
mod issuing;
pub mod load_card;
pub mod prepare_card;
pub mod record;
pub mod reports;
pub mod trail;

use card_protocol::Slot;
use leptos::prelude::*;
use leptos_router::components::Redirect;

use crate::{
    app::Way,
    bridge::Bridge,
    components::{Errors, Page},
    server_fns::ra::{Action, DeskFault, OrderText},
    t,
};

pub(super) use issuing::Issuing;

/// Goes where the person chooses a passcode, with the reader that holds their card. It may be put into the officer's too.
pub(super) async fn to_unlock(bridge: Bridge, way: Way, order: Option<OrderText>) {
    let others = untrack(|| bridge.other_readers());
    bridge.forget_reader();
    if let Some(OrderText { action: Action::UnlockCard(card), .. }) = order {
        for reader in others {
            if bridge.card_in(&reader).await.is_ok_and(|guid| guid.is_some_and(|guid| guid.to_string() == card)) {
                bridge.choose_reader(reader);
            }
        }
    }
    way.go("/unlock/passcode");
}

/// What is shown in place of a page of the desk.
fn instead(fault: &DeskFault) -> AnyView {
    match fault {
        DeskFault::SignedOut => view! { <Redirect path="/sign-in?over" /> }.into_any(),
        fault => {
            let words = words(fault);
            view! {
                <Page title=t::ra_desk_title() back="/ra">
                    <p class="nhsuk-body">{words}</p>
                </Page>
            }
            .into_any()
        }
    }
}

/// An address with what is asked for there; what is empty is left out.
fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let encode = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
                _ => format!("%{byte:02X}"),
            })
            .collect()
    };
    let asked = parameters.iter().filter(|(_, value)| !value.is_empty());
    let asked: Vec<String> = asked.map(|(name, value)| [name, "=", &encode(value)].concat()).collect();
    if asked.is_empty() { path.to_owned() } else { [path, "?", &asked.join("&")].concat() }
}

/// Shows a fault: at its field, where it is one's.
pub(super) fn show(fault: &DeskFault, errors: Errors) {
    match fault {
        DeskFault::NotACertificate(slot) | DeskFault::ForeignCertificate(slot) => {
            errors.show_field(load_card::field(*slot), words(fault));
        }
        fault => errors.show_general(words(fault)),
    }
}

/// What a fault is to an officer.
pub(crate) fn words(fault: &DeskFault) -> String {
    let words = match fault {
        DeskFault::SignedOut => t::sign_in_over(),
        DeskFault::NoOfficer => t::ra_fault_no_officer(),
        DeskFault::OwnRecord => t::ra_fault_own_record(),
        DeskFault::Role => t::ra_fault_role(),
        DeskFault::Stale => t::fault_proof_stale(),
        DeskFault::Refused => t::ra_fault_refused(),
        DeskFault::Unknown => t::ra_fault_unknown(),
        DeskFault::NothingToDo => t::ra_fault_nothing(),
        DeskFault::NotAnEmail => t::register_email_format(),
        DeskFault::DomainNotApproved => t::ra_fault_domain(),
        DeskFault::SameOfficer => t::ra_fault_same_officer(),
        DeskFault::CardTaken => t::reader_not_blank(),
        DeskFault::UnfitKeys => t::ra_fault_unfit_keys(),
        DeskFault::NoRequests => t::ra_fault_no_requests(),
        DeskFault::NotACertificate(Slot::Authentication) => t::load_authentication_format(),
        DeskFault::NotACertificate(Slot::CardAuthentication) => t::load_card_authentication_format(),
        DeskFault::ForeignCertificate(Slot::Authentication) => t::load_authentication_foreign(),
        DeskFault::ForeignCertificate(Slot::CardAuthentication) => t::load_card_authentication_foreign(),
        DeskFault::ImportUnderWay => t::ra_fault_import_under_way(),
        DeskFault::NoImportKey => t::ra_fault_no_import_key(),
        DeskFault::NotReceived => t::ra_fault_not_received(),
        DeskFault::NotDays => t::ra_fault_not_days(),
        DeskFault::Unreachable => t::fault_unreachable(),
        DeskFault::Unavailable(reference) => return reference.quoted(t::fault_unavailable()),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_whatever_is_typed() {
        assert_eq!(address("/ra/trail", &[("event", ""), ("card", "")]), "/ra/trail");
        let asked = address("/ra/reports", &[("from", "2026-11-28"), ("organisation", "Zoë & Co=1")]);
        assert_eq!(asked, "/ra/reports?from=2026-11-28&organisation=Zo%C3%AB%20%26%20Co%3D1");
    }
}
