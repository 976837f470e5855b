//! How large a body may be. It is read here as a whole, so that one whose length was not told gets the same answer. That a
//! body was too large stands in the log, and nothing of what was in it.

use std::error::Error;

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::LengthLimitError;

use super::{BODY_LIMIT, upload::is_upload};

/// Refuses a body that is too large. The files of an import are read while they arrive, under a limit of their own.
pub async fn refuse_large(request: Request, next: Next) -> Response {
    if is_upload(&request) {
        return next.run(request).await;
    }
    let told: Option<usize> =
        request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if let Some(length) = told.filter(|length| *length > BODY_LIMIT) {
        tracing::warn!(length, "a body over the limit was refused");
        return too_large();
    }
    let (parts, body) = request.into_parts();
    match to_bytes(body, BODY_LIMIT).await {
        Ok(body) => next.run(Request::from_parts(parts, Body::from(body))).await,
        Err(fault) if fault.source().is_some_and(<dyn Error>::is::<LengthLimitError>) => {
            tracing::warn!("a body over the limit was refused");
            too_large()
        }
        // The client broke off, and hears nothing.
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

fn too_large() -> Response {
    (StatusCode::PAYLOAD_TOO_LARGE, "This is too much for one request").into_response()
}
