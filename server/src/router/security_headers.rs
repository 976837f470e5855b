//! The headers that every answer has: pages, server functions, files and refusals.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};

use super::content_security;
use crate::config::PublicUrl;

/// Two years, and for hosts below ours too, as browsers' preload lists ask (RFC 6797, 6.1).
const HSTS: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");

/// When to ask again where the service cannot do it now, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("10");

const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// Adds them, in place of any that stand there, but for a policy and a lifetime that the answer chose itself.
pub async fn add(State(public_url): State<PublicUrl>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let status = response.status();
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    // The relay window of a later browser must keep its opener.
    headers.insert(CROSS_ORIGIN_OPENER_POLICY, HeaderValue::from_static("same-origin-allow-popups"));
    if public_url.is_https() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    name_charset(headers);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.entry(header::RETRY_AFTER).or_insert(RETRY_AFTER);
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(content_security::NOTHING);
    // Files say for themselves how long they are kept; nothing else ever is.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// All our text is UTF-8, and no browser has to guess it. JSON is so by its definition (RFC 8259, 8.1).
fn name_charset(headers: &mut HeaderMap) {
    let Some(named) = headers.get(header::CONTENT_TYPE).and_then(|named| named.to_str().ok()) else { return };
    let is_text = named.starts_with("text/") || named == "image/svg+xml";
    if is_text
        && !named.contains("charset")
        && let Ok(full) = HeaderValue::try_from(format!("{named}; charset=utf-8"))
    {
        headers.insert(header::CONTENT_TYPE, full);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_says_its_charset() {
        for (named, full) in [
            ("text/css", "text/css; charset=utf-8"),
            ("text/javascript", "text/javascript; charset=utf-8"),
            ("image/svg+xml", "image/svg+xml; charset=utf-8"),
            ("text/html; charset=utf-8", "text/html; charset=utf-8"),
            ("application/wasm", "application/wasm"),
            ("application/json", "application/json"),
        ] {
            let mut headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(named))]);
            name_charset(&mut headers);
            assert_eq!(headers[header::CONTENT_TYPE], full);
        }
    }
}
