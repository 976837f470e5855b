//! `/demo/mail/{number}`: the HTML part of a mail of the demonstration, in a page of its own. A mail has its styles in
//! itself, which the policy of our pages forbids; so it gets a policy that allows styles and nothing else, scripts least.

use app::demo::DemoMailbox;
use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header::CONTENT_SECURITY_POLICY},
    response::{Html, IntoResponse, Response},
    routing::get,
};

const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'self'; sandbox",
);

/// The route, on a mailbox.
pub fn routes<S: Clone + Send + Sync + 'static>(mailbox: DemoMailbox) -> Router<S> {
    Router::new().route("/demo/mail/{number}", get(html)).with_state(mailbox)
}

async fn html(State(mailbox): State<DemoMailbox>, Path(number): Path<u32>) -> Response {
    match mailbox.html(number) {
        Some(html) => ([(CONTENT_SECURITY_POLICY, POLICY)], Html(html)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
