//! In which language a page is: that which was chosen, else that which the browser wants most, else English.

use app::{LANGUAGE_PARAMETER, Language, config::CookieKind, own_path};
use axum::{
    extract::{Request, State},
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
pub async fn choose(State(cookies): State<CookieKind>, request: Request, next: Next) -> Response {
    let Some((language, rest)) = choice(&request) else { return next.run(request).await };
    let secure = match cookies {
        CookieKind::Secure => "; Secure",
        CookieKind::Loopback => "",
    };
    let cookie = format!("{COOKIE}={}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax{secure}", language.tag());
    let path = own_path(request.uri().path());
    let page = if rest.is_empty() { path } else { [path, "?".to_owned(), rest].concat() };
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
