//! By what a request is found in the log: whatever is logged while it is answered stands in a span with its reference,
//! and an error page shows the same.

use std::sync::Arc;

use app::LogReference;
use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use domain::ports::Randomness;
use tracing::Instrument;

/// In which every answer tells it.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Gives each request a reference of its own.
pub async fn give(State(randomness): State<Arc<dyn Randomness>>, mut request: Request, next: Next) -> Response {
    let reference = LogReference::generate(&*randomness);
    let span = tracing::info_span!("http.request", reference = reference.as_str());
    let header = HeaderValue::from_str(reference.as_str()).ok();
    request.extensions_mut().insert(reference);
    let mut response = next.run(request).instrument(span).await;
    if let Some(header) = header {
        response.headers_mut().insert(HEADER, header);
    }
    response
}
