//! The frame of every page: title, back link, errors, heading, content.

use leptos::{oco::Oco, prelude::*, text_prop::TextProp};
use leptos_meta::Title;

use super::{
    BackLink, ErrorSummary, Errors, Heading, InsetText, Step,
    heading::{HasErrors, document_title},
};
use crate::{app::Way, config::facts};

/// How wide the content of a page is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Width {
    /// As wide as text is read well.
    #[default]
    Text,
    /// All of the page: for tables of many columns.
    Full,
}

/// A page.
#[component]
pub fn Page(
    /// The h1.
    #[prop(into)]
    title: Oco<'static, str>,
    /// Which step it is.
    #[prop(optional)]
    step: Option<Step>,
    /// The page before.
    #[prop(optional)]
    back: Option<&'static str>,
    /// What is wrong on it.
    #[prop(optional)]
    errors: Option<Errors>,
    /// How wide it is.
    #[prop(optional)]
    width: Width,
    /// What stands before the heading.
    #[prop(optional)]
    banner: Option<AnyView>,
    /// All below the heading.
    children: Children,
) -> impl IntoView {
    let service_name = facts().service_name;
    let has_errors = move || match errors {
        Some(errors) if errors.any().get() => HasErrors::Yes,
        _ => HasErrors::No,
    };
    let document_title = {
        let title = title.clone();
        move || document_title(&title, step, &service_name, has_errors())
    };
    // A page that the server writes has it at once: what is asked for once the page is there may be asked for by another
    // thread, where nothing of this page is known.
    let document_title =
        if cfg!(feature = "ssr") { TextProp::from(document_title()) } else { TextProp::from(document_title) };
    let column = match width {
        Width::Text => "nhsuk-grid-column-two-thirds",
        Width::Full => "nhsuk-grid-column-full",
    };
    let notice = Way::of_page().take_notice();
    view! {
        <Title text=document_title />
        <div class="nhsuk-width-container">
            {back.map(|href| view! { <BackLink href /> })}
            <main class="nhsuk-main-wrapper" id="maincontent" tabindex="-1">
                <div class="nhsuk-grid-row">
                    <div class=column>
                        {errors.map(|errors| view! { <ErrorSummary errors /> })} {banner}
                        <Heading title step /> {notice.map(|text| view! { <InsetText text /> })} {children()}
                    </div>
                </div>
            </main>
        </div>
    }
}
