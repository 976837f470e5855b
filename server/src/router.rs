//! The router: pages and server functions behind everything that holds for all requests.
//!
//! From the outside in: the counting of requests, the reference, the security headers, the Host header, the origin of a POST, how often an address asks, the
//! time of an answer, the size of a body, the choice of a language, forms without JavaScript, and then the routes, each
//! traced by its pattern and never by what was typed.

mod body_limit;
mod client;
mod compression;
mod content_security;
mod copies;
mod demo_mail;
mod even_refusals;
mod language;
mod opening;
mod origin;
mod request_reference;
mod resubmission;
mod security_headers;
mod shares;
mod time_limit;
mod upload;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use app::{App, config::PageConfig, demo::DemoMailbox, resubmitted::Resubmitted};
use axum::{
    Router,
    extract::{MatchedPath, Request},
    http::request::Parts,
    middleware,
};
use domain::{Services, ports::Randomness};
use leptos::prelude::*;
use leptos_axum::{
    AxumRouteListing, LeptosRoutes, ResponseOptions, generate_route_list_with_exclusions_and_ssg_and_context,
};
use tower_http::trace::TraceLayer;
use tracing::Span;

use crate::{
    config::PublicUrl,
    import::upload::Uploads,
    metrics::{self, Metrics},
    site,
};
use client::ClientAddress;
pub use client::Clients;
use content_security::ContentSecurity;
pub use opening::Opening;
use shares::Shares;
pub use upload::UPLOAD_LIMIT;
use upload::UploadState;

/// The longest body of a request, in bytes. The longest form is four answers of 200 characters.
const BODY_LIMIT: usize = 64 * 1024;

/// How long an answer may take, the arrival of the body included. The queue of the hasher is shorter.
pub const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

/// The routes of the pages, which are the same for all services of a process. They are listed once: meanwhile Leptos keeps the
/// resources of all pages of the process from loading (`SuppressResourceLoad`), and one that is first asked for then never loads.
static ROUTES: OnceLock<Vec<AxumRouteListing>> = OnceLock::new();

/// What the pages are made of.
pub struct Pages {
    /// The use cases.
    pub services: Services,
    /// The same for the desk, whose work does not wait for everybody's.
    pub at_desk: Services,
    /// What they are told of this installation, in each language, in the order of [`Language::ALL`].
    pub configs: [PageConfig; 2],
    /// When the Registration Authority is open.
    pub opening: Opening,
    /// The mails of a demonstration.
    pub mailbox: Option<DemoMailbox>,
    /// How Leptos finds their files.
    pub options: LeptosOptions,
    /// The dice.
    pub randomness: Arc<dyn Randomness>,
    /// The address at which they are served.
    pub public_url: PublicUrl,
    /// How often an address may ask.
    pub clients: Arc<Clients>,
    /// How long an answer may take.
    pub answered_within: Duration,
    /// What imports at the desk need.
    pub uploads: Uploads,
    /// Who counts the requests.
    pub metrics: Metrics,
}

/// Makes the router.
pub fn router(pages: Pages) -> Router {
    let Pages {
        services,
        at_desk,
        configs,
        opening,
        mailbox,
        options,
        randomness,
        public_url,
        clients,
        answered_within,
        uploads,
        metrics,
    } = pages;
    let [english, welsh] = configs;
    let cookies = english.cookies;
    let shares = Shares { everybody: services, officers: at_desk, cookies };
    let copies = copies::routes(shares.clone());
    let uploads = upload::routes(UploadState { uploads, shares: shares.clone() });
    let content_security = ContentSecurity::new(&english, &options);
    let demo_mails = mailbox.clone().map(demo_mail::routes).unwrap_or_default();
    let contexts = move || {
        let parts = use_context::<Parts>();
        let services = parts.as_ref().map_or(&shares.everybody, |parts| shares.of(parts.uri.path(), &parts.headers));
        provide_context(services.clone());
        let language = parts.map(|parts| language::wanted(&parts)).unwrap_or_default();
        provide_context(language);
        let mut config = match language {
            app::Language::English => english.clone(),
            app::Language::Welsh => welsh.clone(),
        };
        config.ra.now = opening.told(language.into());
        provide_context(config);
        if let Some(mailbox) = &mailbox {
            provide_context(mailbox.clone());
        }
        let resubmitted = use_context::<Parts>().and_then(|parts| parts.extensions.get::<Resubmitted>().cloned());
        if let Some(resubmitted) = resubmitted {
            provide_context(resubmitted);
        }
        if let Some(response) = use_context::<ResponseOptions>() {
            content_security.set(&response);
        }
    };
    let list = || generate_route_list_with_exclusions_and_ssg_and_context(App, None, contexts.clone()).0;
    let routes = ROUTES.get_or_init(list).clone();
    let no_page = leptos_axum::ErrorHandler::new_with_context(contexts.clone(), app::shell, options.clone());
    let files = Router::new().fallback_service(no_page).layer(middleware::from_fn(site::answer_with_file));
    let answering = Router::new()
        .leptos_routes_with_context(&options, routes, contexts, {
            let options = options.clone();
            move || app::shell(options.clone())
        })
        .fallback_service(files)
        .merge(demo_mails)
        .merge(copies)
        .merge(uploads)
        .layer(TraceLayer::new_for_http().make_span_with(span).on_request(()).on_response(log_answer).on_failure(()))
        .layer(middleware::from_fn(metrics::note_route))
        .with_state(options);
    Router::new()
        .fallback_service(answering)
        .layer(compression::layer())
        .layer(middleware::from_fn(resubmission::answer_forms))
        .layer(middleware::from_fn_with_state(cookies, language::choose))
        .layer(middleware::from_fn(even_refusals::answer_evenly))
        .layer(middleware::from_fn(body_limit::refuse_large))
        .layer(middleware::from_fn_with_state(answered_within, time_limit::answer_in_time))
        .layer(middleware::from_fn_with_state(clients, client::limit))
        .layer(middleware::from_fn_with_state(public_url.clone(), origin::require_own_origin))
        .layer(middleware::from_fn_with_state(public_url.clone(), origin::require_own_host))
        .layer(middleware::from_fn_with_state(public_url, security_headers::add))
        .layer(middleware::from_fn_with_state(randomness, request_reference::give))
        .layer(middleware::from_fn_with_state(metrics, metrics::count))
}

fn span(request: &Request) -> Span {
    let path = request.extensions().get::<MatchedPath>().map_or("(file or unknown)", MatchedPath::as_str);
    let client =
        request.extensions().get::<ClientAddress>().map(|ClientAddress(address)| tracing::field::display(*address));
    tracing::info_span!("http.request.answer", http.method = %request.method(), http.route = path, client)
}

fn log_answer<B>(response: &axum::http::Response<B>, latency: Duration, _: &Span) {
    let status = response.status().as_u16();
    let milliseconds = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(http.status = status, milliseconds, "answered");
}
