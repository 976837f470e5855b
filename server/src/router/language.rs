//! In which language a page is: that which was chosen, else that which the browser wants most, else English.

use app::{LANGUAGE_PARAMETER, Language};
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use url::form_urlencoded;

/// A choice is no secret and belongs to the browser, so it outlives every session.
const COOKIE: &str = "language";

/// The language of a request.
pub fn wanted(parts: &Parts) -> Language {
    chosen(&parts.headers).or_else(|| by_browser(&parts.headers)).unwrap_or_default()
}

/// Remembers the language that an address chooses, and leads to the same page in it.
pub async fn choose(request: Request, next: Next) -> Response {
    let Some((language, rest)) = choice(&request) else { return next.run(request).await };
    let cookie = format!("{COOKIE}={}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax", language.tag());
    let page = match rest.as_str() {
        "" => request.uri().path().to_owned(),
        query => [request.uri().path(), "?", query].concat(),
    };
    // A path that begins with two slashes would be the address of another website.
    let page = ["/", page.trim_start_matches('/')].concat();
    let (Ok(cookie), Ok(page)) = (HeaderValue::try_from(cookie), HeaderValue::try_from(page)) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    (StatusCode::SEE_OTHER, [(header::SET_COOKIE, cookie), (header::LOCATION, page)]).into_response()
}

/// The language that an address chooses, and what else stands in its query.
fn choice(request: &Request) -> Option<(Language, String)> {
    let query = request.uri().query().filter(|_| request.method() == Method::GET)?;
    let tag = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == LANGUAGE_PARAMETER)?.1;
    let rest = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != LANGUAGE_PARAMETER);
    Some((Language::from_tag(&tag)?, form_urlencoded::Serializer::new(String::new()).extend_pairs(rest).finish()))
}

fn chosen(headers: &HeaderMap) -> Option<Language> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|header| header.to_str().ok());
    let pairs = cookies.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(name, _)| *name == COOKIE).find_map(|(_, tag)| Language::from_tag(tag))
}

fn by_browser(headers: &HeaderMap) -> Option<Language> {
    Language::from_accept_language(headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?)
}
