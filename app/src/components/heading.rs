//! The heading of a page with its caption, and the title of the document.

use leptos::{html, oco::Oco, prelude::*};

use super::focus::focus_when_there;
use crate::{announcer::Announcer, app::Way, t};

/// Which of several steps a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which, from 1.
    pub number: u32,
    /// Of how many.
    pub of: u32,
}

/// The h1. It takes the focus when a page comes after another; not on the first, where the browser decides.
#[component]
pub fn Heading(
    /// What it says.
    title: Oco<'static, str>,
    /// Which step the page is.
    step: Option<Step>,
) -> impl IntoView {
    let heading = NodeRef::<html::H1>::new();
    let comes_after_another = Way::of_page().arrive();
    if comes_after_another {
        expect_context::<Announcer>().begin_page();
    }
    Effect::new(move |_| {
        if comes_after_another && let Some(heading) = heading.get() {
            focus_when_there(heading);
        }
    });
    view! {
        <h1 class="nhsuk-heading-l" tabindex="-1" node_ref=heading>
            {step
                .map(|step| view! { <span class="nhsuk-caption-l">{t::step(step.number, step.of)}</span> })}
            {title}
        </h1>
    }
}

/// An h2 that comes in place of what was pressed, and takes the focus.
#[component]
pub fn NextHeading(
    /// What it says.
    #[prop(into)]
    title: Oco<'static, str>,
) -> impl IntoView {
    let heading = NodeRef::<html::H2>::new();
    Effect::new(move |_| {
        if let Some(heading) = heading.get() {
            focus_when_there(heading);
        }
    });
    view! {
        <h2 class="nhsuk-heading-m" tabindex="-1" node_ref=heading>
            {title}
        </h2>
    }
}

/// The document's title: `Error: h1 – Step 1 of 3 – service name`.
pub fn document_title(title: &str, step: Option<Step>, service_name: &str, has_errors: HasErrors) -> String {
    let title = match has_errors {
        HasErrors::Yes => t::title_error(title),
        HasErrors::No => title.to_owned(),
    };
    let step = step.map(|step| t::step(step.number, step.of));
    let service_name = (service_name != title).then(|| service_name.to_owned());
    [Some(title), step, service_name].into_iter().flatten().collect::<Vec<_>>().join(" – ")
}

/// Whether a page shows errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HasErrors {
    /// It does.
    Yes,
    /// It does not.
    No,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: &str = "Smartcard Service Centre";

    #[test]
    fn a_title_names_page_step_and_service_in_this_order() {
        let step = Some(Step { number: 2, of: 3 });
        let title = document_title("Enter your Unlock Code", step, SERVICE, HasErrors::No);
        assert_eq!(title, "Enter your Unlock Code – Step 2 of 3 – Smartcard Service Centre");
    }

    #[test]
    fn a_title_says_first_that_there_are_errors() {
        let title = document_title("My Profile", None, SERVICE, HasErrors::Yes);
        assert_eq!(title, "Error: My Profile – Smartcard Service Centre");
    }

    #[test]
    fn a_title_does_not_say_the_name_of_the_service_twice() {
        assert_eq!(document_title(SERVICE, None, SERVICE, HasErrors::No), SERVICE);
    }
}
