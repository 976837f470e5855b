//! Pages are compressed on their way; files were when they were built, and the rest is too short.

use axum::http::{Extensions, HeaderMap, StatusCode, Version, header::CONTENT_TYPE};
use tower_http::compression::{CompressionLayer, Predicate, predicate::SizeAbove};

/// Compresses pages.
pub fn layer() -> CompressionLayer<impl Predicate> {
    let is_page = |_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions| {
        headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
    };
    CompressionLayer::new().compress_when(SizeAbove::default().and(is_page))
}
