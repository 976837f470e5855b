//! `/register/email`: the address that codes are sent to.

use leptos::{form::ActionForm, prelude::*};

use super::{Here, Place, StopForm, at_step, step::failed};
use crate::{
    components::{ButtonKind, FieldError, Input, InputKind, Page, SubmitButton},
    config::facts,
    server_fns::registration::{BackTo, ConfirmEmail, FlowAim, RegistrationFault, RegistrationPage},
    t,
};

use super::code::BackButton;

/// The field.
const EMAIL: &str = "email";

/// The third step.
#[component]
pub fn RegisterEmail() -> impl IntoView {
    at_step(Place::Email, |page, here| match page {
        RegistrationPage::Email { form, aim, on_file } => view! { <Form form aim on_file here /> }.into_any(),
        _ => ().into_any(),
    })
}

#[component]
fn Form(
    /// Names this rendering of the form.
    form: String,
    /// For which registration.
    aim: FlowAim,
    /// The address on file.
    on_file: String,
    /// The step.
    here: Here,
) -> impl IntoView {
    let domains = StoredValue::new(one_of(&facts().approved_domains));
    let action = ServerAction::<ConfirmEmail>::new();
    let failed = failed::<ConfirmEmail>();
    let errors = here.errors_of(action, failed.as_ref(), move |fault| words(fault, &domains.get_value()));
    let (title, now, value) = match aim {
        FlowAim::Registration => (t::register_email_title(), None, on_file),
        FlowAim::Change => (t::change_email_title(), Some(t::change_email_now(&on_file)), String::new()),
    };
    let value = failed.map_or(value, |failed| failed.typed(EMAIL));
    view! {
        <Page title nostrip:step=aim.step(3) back="/profile" errors>
            {now.map(|now| view! { <p class="nhsuk-body">{now}</p> })}
            <p class="nhsuk-body">{t::register_email_text()}</p>
            <ActionForm action attr:novalidate=true>
                <input type="hidden" name="form" value=form />
                <Input
                    kind=InputKind::Email
                    id=EMAIL
                    name=EMAIL
                    label=t::register_email_label()
                    hint=t::register_email_hint(&domains.get_value())
                    error=errors.of(EMAIL)
                    value
                />
                <SubmitButton kind=ButtonKind::Primary label=t::register_email_submit() />
            </ActionForm>
            {(aim == FlowAim::Registration)
                .then(|| view! { <BackButton step=BackTo::Questions label=t::register_change_questions() /> })}
            <StopForm />
        </Page>
    }
}

/// What is said of the faults of this form.
fn words(fault: &RegistrationFault, domains: &str) -> Vec<FieldError> {
    let text = match fault {
        RegistrationFault::NoEmail => t::register_email_missing().to_owned(),
        RegistrationFault::NotAnEmail => t::register_email_format().to_owned(),
        RegistrationFault::DomainNotApproved => t::register_email_domain(domains),
        RegistrationFault::SameEmail => t::change_email_same().to_owned(),
        RegistrationFault::TooEarly => t::register_email_too_early().to_owned(),
        _ => return Vec::new(),
    };
    vec![FieldError { field: Some(EMAIL.to_owned()), text }]
}

/// `a, b, c or d`.
fn one_of(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [all @ .., last] => [&all.join(", "), " ", t::or(), " ", last].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domains_are_listed_as_people_say_them() {
        let domains = ["nhs.net", "nhs.uk", "gov.uk", "mod.uk"].map(str::to_owned);
        assert_eq!(one_of(&domains), "nhs.net, nhs.uk, gov.uk or mod.uk");
        assert_eq!(one_of(&domains[..1]), "nhs.net");
    }

    #[test]
    fn a_wrong_domain_is_told_which_are_right() {
        let said = words(&RegistrationFault::DomainNotApproved, "nhs.net or nhs.uk");
        assert_eq!(said[0].text, "Enter an email address that ends in nhs.net or nhs.uk");
    }
}
