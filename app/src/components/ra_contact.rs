//! Whom to ask when self-service cannot help.

use leptos::prelude::*;

use crate::{config::facts, t};

/// The Registration Authority's contact, and the reference to quote.
#[component]
pub fn RaContact(
    /// What finds the person's entry on the trail.
    #[prop(optional_no_strip)]
    reference: Option<String>,
) -> impl IntoView {
    let ra = facts().ra;
    let line = |label: &'static str, value: AnyView| view! { <p class="nhsuk-body">{label} " " {value}</p> }.into_any();
    let telephone = (!ra.telephone.is_empty()).then(|| {
        let href = format!("tel:{}", dialled(&ra.telephone));
        line(t::ra_telephone(), view! { <a href=href>{ra.telephone}</a> }.into_any())
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
            {telephone}
            {email}
            {hours}
            {reference}
        </section>
    }
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
