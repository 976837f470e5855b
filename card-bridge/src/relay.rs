//! The helper window: a page of the bridge itself that passes messages between a page of a listed origin and the bridge,
//! for browsers that keep that page from it. What the two windows say is in [`card_protocol::relay`].
//!
//! Its origin is the bridge's own, so the browser no longer says whose page is behind it. Instead of the browser the
//! person is asked: the window names the listed origin and serves it only once they have allowed it, here, in a page that
//! no other can frame, post from or read. The script in it then speaks to windows of that origin and no others. A
//! websocket from it needs a token, which works once and stands for the origin that was allowed.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Extension, Form, Query, State, WebSocketUpgrade};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;

mod consent;

pub use consent::Consents;
use consent::Token;

use crate::config::AllowedOrigin;
use crate::connections::Caller;
use crate::peer::Peer;
use crate::websocket::{self, Shared};

const SCRIPT: &str = include_str!("relay/relay.js");
const STYLE: &str = include_str!("relay/relay.css");

#[derive(Clone)]
struct Relay {
    shared: Arc<Shared>,
    consents: Arc<Consents>,
}

/// The routes of the window.
pub fn router(shared: Arc<Shared>, consents: Arc<Consents>) -> Router {
    let relay = Relay { shared, consents };
    Router::new()
        .route(card_protocol::relay::PATH, get(show))
        .route("/relay/answer", post(answer))
        .route("/relay/token", post(token))
        .route("/relay/socket", get(socket))
        .route("/relay/relay.js", get(([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT)))
        .route("/relay/relay.css", get(([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)))
        .route_layer(middleware::from_fn_with_state(relay.clone(), guard))
        .with_state(relay)
}

/// The bridge's own name and its own user only; whatever is more than looking at the page, from the page only.
async fn guard(
    State(relay): State<Relay>,
    Extension(caller): Extension<Caller>,
    request: axum::extract::Request,
    next: Next,
) -> Response {
    let gatekeeper = &relay.shared.gatekeeper;
    let headers = request.headers();
    let is_upgrade = headers.contains_key(header::UPGRADE);
    let is_own = if request.method().is_safe() && !is_upgrade {
        gatekeeper.is_own_host(headers)
    } else {
        gatekeeper.is_own_page(headers)
    };
    let mut response = if is_own && caller.peer != Peer::Stranger {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "This page is used on its own machine, by its own user and from itself only.")
            .into_response()
    };
    let port = gatekeeper.port();
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'; connect-src 'self' ws://127.0.0.1:{port} ws://localhost:{port}"
    );
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// For which page the window is.
#[derive(Deserialize)]
struct For {
    #[serde(default)]
    origin: String,
}

#[derive(Template)]
#[template(path = "relay.html")]
struct Page<'a> {
    origin: &'a str,
    state: PageState,
}

enum PageState {
    /// The person is asked; their answer has this token.
    Asks { token: String },
    /// They have allowed it.
    Allowed,
    /// They have not.
    Denied,
    /// It is not listed.
    NotListed,
}

fn page(origin: &str, state: PageState) -> Response {
    let status = match state {
        PageState::NotListed => StatusCode::FORBIDDEN,
        PageState::Asks { .. } | PageState::Allowed | PageState::Denied => StatusCode::OK,
    };
    match (Page { origin, state }).render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(fault) => {
            tracing::error!(fault = &fault as &dyn std::error::Error, "a page can't be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

impl Relay {
    fn listed(&self, origin: &str) -> Option<Arc<AllowedOrigin>> {
        self.shared.gatekeeper.listed(origin)
    }
}

async fn show(State(relay): State<Relay>, Query(For { origin }): Query<For>) -> Response {
    let Some(listed) = relay.listed(&origin) else {
        tracing::warn!("the helper window was opened for a website that is not listed");
        return page(&origin, PageState::NotListed);
    };
    if relay.consents.is_allowed(&listed.url) {
        return page(&origin, PageState::Allowed);
    }
    match relay.consents.ask(&listed) {
        Some(token) => page(&origin, PageState::Asks { token: token.to_string() }),
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// What the person answers.
#[derive(Deserialize)]
struct Answer {
    token: Token,
    #[serde(rename = "answer")]
    choice: Choice,
    #[serde(default)]
    remember: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Choice {
    Allow,
    Deny,
}

async fn answer(State(relay): State<Relay>, Form(given): Form<Answer>) -> Response {
    let Some(listed) = relay.consents.answered(&given.token) else {
        return (StatusCode::FORBIDDEN, "This question is too old. Close this window and open it again.")
            .into_response();
    };
    let origin = listed.url.as_str();
    match given.choice {
        Choice::Deny => page(origin, PageState::Denied),
        Choice::Allow => {
            tracing::info!(origin, "a website was allowed in the helper window");
            relay.consents.allow(&listed.url, given.remember.is_some());
            // The letters of an origin stand for themselves in an address.
            Redirect::to(&format!("{}?origin={origin}", card_protocol::relay::PATH)).into_response()
        }
    }
}

/// Gives the page a token for one websocket.
async fn token(State(relay): State<Relay>, Query(asked): Query<For>) -> Response {
    let listed = relay.listed(&asked.origin).filter(|listed| relay.consents.is_allowed(&listed.url));
    match listed.and_then(|listed| relay.consents.ask(&listed)) {
        Some(token) => token.to_string().into_response(),
        None => StatusCode::FORBIDDEN.into_response(),
    }
}

#[derive(Deserialize)]
struct With {
    token: Token,
}

/// A websocket of the window, for the origin that its token stands for.
async fn socket(
    State(relay): State<Relay>,
    Extension(caller): Extension<Caller>,
    Query(with): Query<With>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let origin = relay.consents.answered(&with.token);
    websocket::accept_for(relay.shared, caller, &headers, origin, upgrade)
}

#[cfg(test)]
mod tests {
    use card_protocol::relay::{ASKING, CLOSE, CONNECT, HERE, READY};

    use super::SCRIPT;

    #[test]
    fn the_script_says_the_words_of_the_protocol() {
        for word in [ASKING, READY, HERE, CONNECT, CLOSE, card_protocol::SUBPROTOCOL] {
            assert!(SCRIPT.contains(&format!("'{word}'")), "{word}");
        }
        for beginning in ["'opened'", "`said ${", "'said '", "`closed ${"] {
            assert!(SCRIPT.contains(beginning), "{beginning}");
        }
    }
}
