//! The document around the pages: head, skip link, header, demonstration strip and footer. Rendered on the server only.

use domain::question::QuestionId;
use http::request::Parts;
use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, MetaTags};

use crate::{
    App, Language, NOT_LOADED, ROOT,
    config::{Demonstration, PageConfig},
    language::LANGUAGE_LINK,
    resubmitted::Resubmitted,
    t,
};

/// Renders the document. A page that answers the POST of a form is rendered without scripts: it is complete without
/// them, and its address is that of the form, not its own.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let config = expect_context::<PageConfig>();
    let scripts = use_context::<Resubmitted>().is_none().then(|| {
        view! {
            <AutoReload options=options.clone() />
            <HydrationScripts options=options.clone() defer=true />
        }
    });
    view! {
        <!DOCTYPE html>
        <html lang=Language::current().tag()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
                <meta name="theme-color" content="#005eb8" />
                <meta name="description" content=t::home_lead() />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <HashedStylesheet options=options />
                <MetaTags />
                {scripts}
            </head>
            <body class="js-enabled">
                <a class="nhsuk-skip-link" href="#maincontent" rel="external">
                    {t::skip_link()}
                </a>
                <header class="nhsuk-header" role="banner">
                    <div class="nhsuk-header__container nhsuk-width-container">
                        <div class="nhsuk-header__service">
                            <a class="nhsuk-header__service-name" href="/">
                                {config.service_name}
                            </a>
                        </div>
                    </div>
                </header>
                {config.demonstration.map(|demonstration| view! { <DemonstrationStrip demonstration /> })}
                <NotLoaded />
                <div id=ROOT>
                    <App />
                </div>
                <footer class="nhsuk-footer" role="contentinfo">
                    <div class="nhsuk-width-container">
                        <div class="nhsuk-footer__meta">
                            <h2 class="nhsuk-u-visually-hidden">{t::footer_heading()}</h2>
                            <ul class="nhsuk-footer__list">
                                <li class="nhsuk-footer__list-item">
                                    <a class="nhsuk-footer__list-item-link" href="/help">
                                        {t::footer_help()}
                                    </a>
                                </li>
                                <li class="nhsuk-footer__list-item">
                                    <a class="nhsuk-footer__list-item-link" href="/help#ra">
                                        {t::footer_ra()}
                                    </a>
                                </li>
                                {Language::ALL
                                    .into_iter()
                                    .filter(|language| *language != Language::current())
                                    .map(|language| view! { <LanguageLink language /> })
                                    .collect_view()}
                                <li class="nhsuk-footer__list-item">
                                    <a class="nhsuk-footer__list-item-link" href="/accessibility">
                                        {t::footer_accessibility()}
                                    </a>
                                </li>
                            </ul>
                            {Some(t::translation_notice())
                                .filter(|notice| !notice.is_empty())
                                .map(|notice| view! { <p class="nhsuk-body-s">{notice}</p> })}
                        </div>
                    </div>
                </footer>
            </body>
        </html>
    }
}

/// That a part of this page did not arrive; shown where it did not.
#[component]
fn NotLoaded() -> impl IntoView {
    view! {
        <div class="nhsuk-width-container nhsuk-u-padding-top-4" id=NOT_LOADED hidden>
            <div class="nhsuk-warning-callout nhsuk-u-margin-bottom-0" role="alert">
                <h2 class="nhsuk-warning-callout__label">{t::not_loaded_title()}</h2>
                <p>{t::not_loaded_text()}</p>
                <a href="" rel="external">
                    {t::not_loaded_again()}
                </a>
            </div>
        </div>
    }
}

/// The way to this page in another language. The server remembers the choice, so the router leaves the link alone.
#[component]
fn LanguageLink(
    /// Which.
    language: Language,
) -> impl IntoView {
    let uri = use_context::<Parts>().map(|parts| parts.uri).unwrap_or_default();
    let href = language.page(uri.path(), uri.query().unwrap_or_default());
    view! {
        <li class="nhsuk-footer__list-item">
            <a
                class="nhsuk-footer__list-item-link"
                id=LANGUAGE_LINK
                rel="external"
                lang=language.tag()
                hreflang=language.tag()
                href=href
            >
                {language.name()}
            </a>
        </li>
    }
}

/// The strip that says on every page that this is a demonstration.
#[component]
fn DemonstrationStrip(
    /// What it shows.
    demonstration: Demonstration,
) -> impl IntoView {
    let cards = demonstration.cards.into_iter().map(|card| {
        let standing = if card.is_registered { t::demo_registered() } else { t::demo_not_registered() };
        let lock = if card.is_locked { t::demo_locked() } else { t::demo_not_locked() };
        let answers = card.answers.into_iter().map(|(question, answer)| {
            let question = QuestionId::try_from(question).ok();
            let question = question.map(|question| question.question().wording(Language::current().into()).text);
            view! {
                <br />
                {question}
                " "
                <strong>{answer}</strong>
            }
        });
        view! {
            <tr class="nhsuk-table__row">
                <td class="nhsuk-table__cell">{card.name}</td>
                <td class="nhsuk-table__cell">{card.holder}</td>
                <td class="nhsuk-table__cell">{card.passcode}</td>
                <td class="nhsuk-table__cell">{standing} ", " {lock} {answers.collect_view()}</td>
            </tr>
        }
    });
    view! {
        <section class="app-demonstration" aria-label=t::demo_tag()>
            <div class="nhsuk-width-container">
                <strong class="nhsuk-tag nhsuk-tag--purple">{t::demo_tag()}</strong>
                " "
                {t::demo_text()}
                <span class="app-demonstration__links">
                    // In a tab of their own: the step at which one needs them stays where it is.
                    <a class="app-demonstration__link" href="/demo/mailbox" target="_blank">
                        {t::demo_mailbox_link()}
                    </a>
                    <a class="app-demonstration__link" href="/demo/cards" target="_blank">
                        {t::demo_cards_link()}
                    </a>
                </span>
                <details class="nhsuk-details app-demonstration__cards">
                    <summary class="nhsuk-details__summary">
                        <span class="nhsuk-details__summary-text">{t::demo_cards_summary()}</span>
                    </summary>
                    <div class="nhsuk-details__text">
                        <table class="nhsuk-table">
                            <thead class="nhsuk-table__head">
                                <tr>
                                    <th scope="col">{t::demo_card()}</th>
                                    <th scope="col">{t::demo_holder()}</th>
                                    <th scope="col">{t::demo_passcode()}</th>
                                    <th scope="col">{t::demo_answers()}</th>
                                </tr>
                            </thead>
                            <tbody class="nhsuk-table__body">{cards.collect_view()}</tbody>
                        </table>
                    </div>
                </details>
            </div>
        </section>
    }
}
