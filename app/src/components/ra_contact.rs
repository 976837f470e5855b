//! Whom to ask when self-service cannot help.

use leptos::prelude::*;

use crate::{
    config::{OpeningState, facts},
    t,
};

/// The Registration Authority's contact, and the reference to quote.
#[component]
pub fn RaContact(
    /// What finds the person's entry on the trail.
    #[prop(optional_no_strip)]
    reference: Option<String>,
) -> impl IntoView {
    let ra = facts().ra;
    let line = |label: &'static str, value: AnyView| view! { <p class="nhsuk-body">{label} " " {value}</p> }.into_any();
    let number = |label: &'static str, number: String| {
        let href = ["tel:", &dialled(&number)].concat();
        line(label, view! { <a href=href>{number}</a> }.into_any())
    };
    let telephone = (!ra.telephone.is_empty()).then(|| number(t::ra_telephone(), ra.telephone));
    let out_of_hours = ra.out_of_hours_telephone.map(|telephone| number(t::ra_out_of_hours(), telephone));
    let now = state_now(ra.now).map(|text| {
        view! {
            <p class="nhsuk-body">
                <strong>{text}</strong>
            </p>
        }
    });
    let email = (!ra.email.is_empty()).then(|| {
        let href = format!("mailto:{}", ra.email);
        line(t::ra_email(), view! { <a href=href>{ra.email}</a> }.into_any())
    });
    let hours = (!ra.hours.is_empty()).then(|| line(t::ra_hours(), ra.hours.into_any()));
    let reference = reference.map(|reference| {
        line(t::ra_reference(), view! { <span class="app-ra-contact__reference">{reference}</span> }.into_any())
    });
    view! {
        <section class="app-ra-contact" id="ra">
            <h2 class="nhsuk-heading-m">{t::ra_title()}</h2>
            <p class="nhsuk-body">{ra.name}</p>
            {now}
            {telephone}
            {email}
            {hours}
            {out_of_hours}
            {reference}
        </section>
    }
}

/// What is true now: on the server the first, in the browser that of its own time, as a page can be open for long.
fn state_now(states: Vec<OpeningState>) -> Option<String> {
    #[cfg(feature = "hydrate")]
    let now = js_sys::Date::now();
    #[cfg(not(feature = "hydrate"))]
    let now = 0.0;
    states.into_iter().find(|state| state.until > now).map(|state| state.text)
}

/// A telephone number as it is dialled: digits, and a plus at the start.
fn dialled(number: &str) -> String {
    number.chars().filter(|character| character.is_ascii_digit() || *character == '+').collect()
}

#[cfg(test)]
mod tests {
    use super::dialled;

    #[test]
    fn a_number_is_dialled_without_its_spaces_and_brackets() {
        assert_eq!(dialled("+44 (0)1632 960 123"), "+4401632960123");
    }
}
