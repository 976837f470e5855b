//! Forms without JavaScript: a POST that fails is answered with the page of its form, and what was typed in it.
//!
//! Left alone, Leptos would redirect to the page with the error in its address. Addresses are kept in histories and
//! logs, so nothing of a form stands in one: the page is rendered in the answer to the POST itself, with the
//! status of the failure.

use app::resubmitted::{Resubmitted, page_of};
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use url::form_urlencoded;

use super::BODY_LIMIT;

/// Answers the POST of a form by a browser without JavaScript; lets everything else through.
pub async fn answer_forms(request: Request, next: Next) -> Response {
    let page = page_of(request.uri().path()).filter(|_| is_form(&request));
    let Some(page) = page else { return next.run(request).await };
    let (mut parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let path = parts.uri.path().to_owned();
    let page_headers = headers_for_page(&parts.headers);
    // From where, and the reference: the page is the answer to the same request.
    let extensions = parts.extensions.clone();
    // Without HTML among what is accepted, a server function answers by itself instead of by a redirect.
    parts.headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let answer = next.clone().run(Request::from_parts(parts, Body::from(body.clone()))).await;
    if answer.status().is_success() || answer.status().is_redirection() {
        return see_other(answer.headers(), page);
    }
    let (failed, error) = answer.into_parts();
    let Ok(error) = to_bytes(error, BODY_LIMIT).await else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let mut page_request = Request::new(Body::empty());
    *page_request.method_mut() = Method::GET;
    *page_request.uri_mut() = Uri::from_static(page);
    *page_request.headers_mut() = page_headers;
    *page_request.extensions_mut() = extensions;
    page_request.extensions_mut().insert(resubmitted(path, &body, &error));
    let mut rendered = next.run(page_request).await;
    if rendered.status() == StatusCode::OK {
        *rendered.status_mut() = failed.status;
    }
    copy_cookies(&failed.headers, rendered.headers_mut());
    rendered
}

fn is_form(request: &Request) -> bool {
    let has = |name, value: &str| {
        request.headers().get(name).and_then(|header| header.to_str().ok()).is_some_and(|header| header.contains(value))
    };
    request.method() == Method::POST
        && has(header::ACCEPT, "text/html")
        && has(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
}

/// Who asks, and in which language; nothing that belongs to the POST alone.
fn headers_for_page(headers: &HeaderMap) -> HeaderMap {
    let kept = [header::COOKIE, header::HOST, header::ACCEPT, header::ACCEPT_LANGUAGE, header::ACCEPT_ENCODING];
    kept.into_iter().filter_map(|name| headers.get(&name).map(|value| (name, value.clone()))).collect()
}

fn resubmitted(path: String, body: &Bytes, error: &Bytes) -> Resubmitted {
    let fields = form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    Resubmitted { path, fields, error: String::from_utf8_lossy(error).into_owned() }
}

/// To where the server function says, or back to the page of the form.
fn see_other(answer: &HeaderMap, page: &'static str) -> Response {
    let location = answer.get(header::LOCATION).cloned().unwrap_or(HeaderValue::from_static(page));
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response();
    copy_cookies(answer, response.headers_mut());
    response
}

fn copy_cookies(from: &HeaderMap, to: &mut HeaderMap) {
    for cookie in from.get_all(header::SET_COOKIE) {
        to.append(header::SET_COOKIE, cookie.clone());
    }
}
