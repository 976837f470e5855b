//! The pages by their addresses, and the way from one to the next.

use leptos::{oco::Oco, prelude::*};
use leptos_meta::provide_meta_context;
use leptos_router::{
    Lazy, SsrMode,
    components::{FlatRoutes, Route, Router},
    hooks::{use_location, use_navigate},
    path,
};

use crate::{
    Language,
    announcer::Announcer,
    bridge::Bridge,
    config::{facts, provide_facts},
    language::LANGUAGE_LINK,
    pages::{home::Home, lazy, not_found::NotFound, unlock::start::UnlockStart},
};

/// All pages. Those that the start of an unlock does not need come in bundles of their own, when they are opened.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_facts();
    Way::provide();
    Bridge::provide(facts().bridge_port);
    let announcer = Announcer::provide();
    view! {
        <Router>
            <Guide />
            // A page that reads the session or the flow is rendered whole before its head is sent: it may redirect.
            <FlatRoutes fallback=NotFound>
                <Route path=path!("/") view=Home />
                <Route path=path!("/unlock") view=UnlockStart ssr=SsrMode::Async />
                <Route path=path!("/selfservicewebapp/unlockCardStart") view=UnlockStart ssr=SsrMode::Async />
                <Route path=path!("/unlock/:step") view={Lazy::<lazy::UnlockSteps>::new()} ssr=SsrMode::Async />
                <Route path=path!("/sign-in") view={Lazy::<lazy::SignIn>::new()} ssr=SsrMode::Async />
                <Route path=path!("/profile") view={Lazy::<lazy::ProfilePage>::new()} ssr=SsrMode::Async />
                <Route
                    path=path!("/profile/passcode")
                    view={Lazy::<lazy::ProfilePasscode>::new()}
                    ssr=SsrMode::Async
                />
                <Route path=path!("/profile/end") view={Lazy::<lazy::ProfileEnd>::new()} ssr=SsrMode::Async />
                <Route path=path!("/register/:step") view={Lazy::<lazy::RegisterSteps>::new()} ssr=SsrMode::Async />
                <Route path=path!("/not-me") view={Lazy::<lazy::NotMe>::new()} ssr=SsrMode::Async />
                <Route path=path!("/ra") view={Lazy::<lazy::RaFind>::new()} ssr=SsrMode::Async />
                <Route path=path!("/ra/cards/load") view={Lazy::<lazy::RaLoadCard>::new()} ssr=SsrMode::Async />
                <Route path=path!("/ra/cards/prepare") view={Lazy::<lazy::RaPrepareCard>::new()} ssr=SsrMode::Async />
                <Route path=path!("/ra/reports") view={Lazy::<lazy::RaReports>::new()} ssr=SsrMode::Async />
                <Route path=path!("/ra/trail") view={Lazy::<lazy::RaTrail>::new()} ssr=SsrMode::Async />
                <Route path=path!("/ra/import") view={Lazy::<lazy::RaImport>::new()} ssr=SsrMode::Async />
                <Route path=path!("/ra/imports") view={Lazy::<lazy::RaImports>::new()} ssr=SsrMode::Async />
                <Route path=path!("/ra/people/:number") view={Lazy::<lazy::RaRecord>::new()} ssr=SsrMode::Async />
                <Route path=path!("/ra/people/:number/:action") view={Lazy::<lazy::RaAct>::new()} ssr=SsrMode::Async />
                <Route path=path!("/help") view={Lazy::<lazy::Help>::new()} />
                <Route path=path!("/accessibility") view={Lazy::<lazy::Accessibility>::new()} />
                <Route path=path!("/help/reader") view={Lazy::<lazy::CheckReader>::new()} />
                <Route path=path!("/demo/mailbox") view={Lazy::<lazy::DemoMailbox>::new()} ssr=SsrMode::Async />
                <Route path=path!("/demo/cards") view={Lazy::<lazy::DemoCards>::new()} />
            </FlatRoutes>
        </Router>
        {announcer.region()}
    }
}

/// The way from one page to the next.
#[derive(Clone, Copy)]
pub struct Way {
    destination: RwSignal<Option<Oco<'static, str>>>,
    notice: StoredValue<Option<&'static str>>,
    arrived: StoredValue<bool>,
}

impl Way {
    fn provide() {
        provide_context(Self {
            destination: RwSignal::new(None),
            notice: StoredValue::new(None),
            arrived: StoredValue::new(false),
        });
    }

    /// The way that was provided.
    pub fn of_page() -> Self {
        expect_context()
    }

    /// Goes to another page.
    pub fn go(self, path: impl Into<Oco<'static, str>>) {
        self.destination.set(Some(path.into()));
    }

    /// Has the next page say something.
    pub fn leave_notice(self, text: &'static str) {
        self.notice.set_value(Some(text));
    }

    /// What the page before wanted to be said here.
    pub fn take_notice(self) -> Option<&'static str> {
        self.notice.try_update_value(Option::take).flatten()
    }

    /// Whether a page was reached: until then there is the one that the server has made.
    pub fn has_arrived(self) -> bool {
        self.arrived.get_value()
    }

    /// Notes that a page was reached, and says whether it comes after another. None does on the server; and what it notes
    /// there, while one thread makes the frame and another the page (and makes it twice), is missing where it is read then.
    pub fn arrive(self) -> bool {
        cfg!(not(feature = "ssr"))
            && self.arrived.try_update_value(|arrived| std::mem::replace(arrived, true)).unwrap_or_default()
    }
}

/// Goes where the pages want to go: only inside the router can a navigation begin.
#[component]
fn Guide() -> impl IntoView {
    let way = Way::of_page();
    let navigate = use_navigate();
    Effect::new(move |_| {
        if let Some(path) = way.destination.get() {
            way.destination.set(None);
            navigate(&path, leptos_router::NavigateOptions::default());
        }
    });
    let location = use_location();
    Effect::new(move |_| {
        let (path, query) = (location.pathname.get(), location.query.get().to_query_string());
        lead_to_other_language(&path, query.strip_prefix('?').unwrap_or_default());
    });
}

/// The link to the page in the other language stands in the footer, which is not taken over.
fn lead_to_other_language(path: &str, query: &str) {
    let Some(link) = document().get_element_by_id(LANGUAGE_LINK) else { return };
    if let Some(language) = link.get_attribute("lang").and_then(|tag| Language::from_tag(&tag)) {
        let _ = link.set_attribute("href", &language.page(path, query));
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn on_the_server_a_page_that_is_made_twice_comes_after_none() {
        Owner::new().with(|| {
            Way::provide();
            for _ in 0..2 {
                assert!(!Way::of_page().arrive());
            }
        });
    }
}
