//! The frame of every page: title, back link, errors, heading, content.

use leptos::{oco::Oco, prelude::*};
use leptos_meta::Title;

use super::{
    BackLink, ErrorSummary, Errors, Heading, InsetText, Step,
    heading::{HasErrors, document_title},
};
use crate::{app::Way, config::facts};

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
    let notice = Way::of_page().take_notice();
    view! {
        <Title text=document_title />
        <div class="nhsuk-width-container">
            {back.map(|href| view! { <BackLink href /> })}
            <main class="nhsuk-main-wrapper" id="maincontent">
                <div class="nhsuk-grid-row">
                    <div class="nhsuk-grid-column-two-thirds">
                        {errors.map(|errors| view! { <ErrorSummary errors /> })} {banner}
                        <Heading title step /> {notice.map(|text| view! { <InsetText text /> })} {children()}
                    </div>
                </div>
            </main>
        </div>
    }
}
