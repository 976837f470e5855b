//! Who may ask: only browsers that typed this service's address, and for a POST only its own pages.
//!
//! The Host header protects against DNS rebinding, the origin against cross-site request forgery. Cookies are
//! `SameSite=Strict` besides.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::config::PublicUrl;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses a request that was sent to another name.
pub async fn require_own_host(State(public_url): State<PublicUrl>, request: Request, next: Next) -> Response {
    let named = request.uri().authority().map(axum::http::uri::Authority::as_str);
    let host = named.or_else(|| text(request.headers(), &header::HOST));
    if host.is_some_and(|host| host.eq_ignore_ascii_case(public_url.authority())) {
        return next.run(request).await;
    }
    tracing::warn!("a request for another host was refused");
    let words = format!("This service is at {}", public_url.origin());
    (StatusCode::MISDIRECTED_REQUEST, words).into_response()
}

/// Refuses a request that can change something and comes from elsewhere. What browsers say must agree, and at least
/// one of the two headers must be there: all browsers send `Origin` with a POST.
pub async fn require_own_origin(State(public_url): State<PublicUrl>, request: Request, next: Next) -> Response {
    if request.method().is_safe() || is_own(request.headers(), &public_url) {
        return next.run(request).await;
    }
    tracing::warn!("a request from another website was refused");
    (StatusCode::FORBIDDEN, "This request comes from another website").into_response()
}

fn is_own(headers: &HeaderMap, public_url: &PublicUrl) -> bool {
    let said = |name: &HeaderName, own: &str| headers.get(name).map(|value| value.as_bytes() == own.as_bytes());
    match (said(&header::ORIGIN, public_url.origin()), said(&SEC_FETCH_SITE, "same-origin")) {
        (Some(origin), Some(site)) => origin && site,
        (Some(own), None) | (None, Some(own)) => own,
        (None, None) => false,
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn own(pairs: &[(HeaderName, &'static str)]) -> bool {
        let headers = pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        is_own(&headers, &PublicUrl::default())
    }

    #[test]
    fn only_the_services_own_pages_may_post() {
        let own_origin = (header::ORIGIN, "http://localhost:3000");
        assert!(own(std::slice::from_ref(&own_origin)));
        assert!(own(&[(SEC_FETCH_SITE, "same-origin")]));
        assert!(own(&[own_origin.clone(), (SEC_FETCH_SITE, "same-origin")]));
        assert!(!own(&[]));
        assert!(!own(&[(header::ORIGIN, "null")]));
        assert!(!own(&[(header::ORIGIN, "http://localhost:3001")]));
        assert!(!own(&[(header::ORIGIN, "http://localhost:3000.example.com")]));
        for site in ["same-site", "cross-site", "none"] {
            assert!(!own(&[own_origin.clone(), (SEC_FETCH_SITE, site)]), "{site}");
        }
        assert!(!own(&[(header::ORIGIN, "https://example.com"), (SEC_FETCH_SITE, "same-origin")]));
    }
}
