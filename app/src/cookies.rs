//! The cookies: read from the request, set on the answer of a server function.

use domain::token::Token;
use http::{HeaderMap, HeaderValue, header, request::Parts};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use crate::config::{CookieKind, PageConfig};

/// What a browser can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    /// What challenges are bound to before there is a session or a flow.
    Browser,
    /// The session.
    Session,
    /// The unlock that is under way.
    Unlock,
}

impl Cookie {
    /// The token that the browser holds.
    pub fn read(self) -> Option<Token> {
        value(&use_context::<Parts>()?.headers, self.name(kind()))
    }

    /// Gives the browser a token, until it is closed.
    pub fn set(self, token: &Token) {
        self.append(&token.expose_secret(), "");
    }

    /// Takes it away.
    pub fn clear(self) {
        self.append("", "; Max-Age=0");
    }

    const fn name(self, kind: CookieKind) -> &'static str {
        match (kind, self) {
            (CookieKind::Secure, Self::Browser) => "__Host-browser",
            (CookieKind::Secure, Self::Session) => "__Host-session",
            (CookieKind::Secure, Self::Unlock) => "__Host-unlock",
            (CookieKind::Loopback, Self::Browser) => "browser",
            (CookieKind::Loopback, Self::Session) => "session",
            (CookieKind::Loopback, Self::Unlock) => "unlock",
        }
    }

    fn append(self, value: &str, more: &str) {
        let header = set_cookie(self.name(kind()), value, kind(), more);
        if let (Some(response), Ok(header)) = (use_context::<ResponseOptions>(), HeaderValue::from_str(&header)) {
            response.append_header(header::SET_COOKIE, header);
        }
    }
}

/// The token of the session that a request has, where no page is rendered.
pub fn session_token(headers: &HeaderMap, kind: CookieKind) -> Option<Token> {
    value(headers, Cookie::Session.name(kind))
}

fn kind() -> CookieKind {
    use_context::<PageConfig>().map_or(CookieKind::Secure, |config| config.cookies)
}

fn set_cookie(name: &str, value: &str, kind: CookieKind, more: &str) -> String {
    let secure = match kind {
        CookieKind::Secure => "; Secure",
        CookieKind::Loopback => "",
    };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{more}")
}

fn value(headers: &HeaderMap, name: &str) -> Option<Token> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .and_then(|(_, value)| Token::parse(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    #[test]
    fn a_cookie_is_secure_and_host_only_unless_the_service_is_on_loopback() {
        let name = Cookie::Session.name(CookieKind::Secure);
        let secure = set_cookie(name, TOKEN, CookieKind::Secure, "");
        assert_eq!(secure, format!("__Host-session={TOKEN}; Path=/; HttpOnly; SameSite=Strict; Secure"));
        let name = Cookie::Session.name(CookieKind::Loopback);
        let loopback = set_cookie(name, TOKEN, CookieKind::Loopback, "");
        assert_eq!(loopback, format!("session={TOKEN}; Path=/; HttpOnly; SameSite=Strict"));
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, format!("a=b; unlock={TOKEN}; session=x").parse().unwrap());
        assert_eq!(value(&headers, "unlock").unwrap().expose_secret(), TOKEN);
        assert!(value(&headers, "session").is_none());
        assert!(value(&headers, "browser").is_none());
    }
}
