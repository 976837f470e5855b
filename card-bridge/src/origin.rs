//! Who may speak to the bridge: the Origin header against the list, the Host header against the loopback names.
//!
//! Both are compared as whole texts. Whoever the browser says is not on the list is not let in, whatever it looks like.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, header};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::AllowedOrigin;

/// An origin exactly as browsers write it in the Origin header (RFC 6454, 6.2): scheme, host, and the port unless it
/// is the scheme's own.
#[derive(Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Origin(String);

/// A text that no browser would send for a page that may use the bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadOrigin {
    /// Not `https://` or `http://`.
    #[error("an origin begins with https:// (or http:// for a page on this machine)")]
    Scheme,
    /// Anybody on the network could be a page without TLS.
    #[error("an http:// origin is allowed for localhost, 127.0.0.1 and [::1] only")]
    PlainHttp,
    /// Something else than a lower-case host and a port follows.
    #[error("an origin ends with a host in small letters and perhaps a port, without a slash")]
    HostAndPort,
    /// Browsers leave the scheme's own port out.
    #[error("an origin does not name the port that its scheme has anyway")]
    DefaultPort,
}

impl Origin {
    /// The origin as browsers write it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host alone, as in a URL: an IPv6 address in its brackets.
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or(&self.0[..], |(_, rest)| rest);
        match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => host,
            _ => rest,
        }
    }

    /// Whether browsers ask before a page of it may reach this machine: not where it is of this machine itself.
    pub fn needs_policy(&self) -> bool {
        !LOOPBACK_NAMES.contains(&self.host())
    }
}

impl TryFrom<String> for Origin {
    type Error = BadOrigin;

    fn try_from(text: String) -> Result<Self, BadOrigin> {
        let (rest, default_port) = match text.split_once("://") {
            Some(("https", rest)) => (rest, 443),
            Some(("http", rest)) => (rest, 80),
            _ => return Err(BadOrigin::Scheme),
        };
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (rest, None),
        };
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
        if host != "[::1]" && (host.is_empty() || !host.bytes().all(is_name)) {
            return Err(BadOrigin::HostAndPort);
        }
        if let Some(port) = port {
            let number: u16 = port.parse().map_err(|_| BadOrigin::HostAndPort)?;
            if number.to_string() != port {
                return Err(BadOrigin::HostAndPort);
            }
            if number == default_port {
                return Err(BadOrigin::DefaultPort);
            }
        }
        if default_port == 80 && !LOOPBACK_NAMES.contains(&host) {
            return Err(BadOrigin::PlainHttp);
        }
        Ok(Self(text))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({self})")
    }
}

/// The names under which a browser reaches a loopback listener.
const LOOPBACK_NAMES: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// How many pages of one origin may be connected at once. No person has so many open; a page that opens more keeps none
/// of another origin out.
const MOST_PAGES: usize = 16;

/// Decides by the headers of a request.
#[derive(Debug)]
pub struct Gatekeeper {
    origins: Vec<(Arc<AllowedOrigin>, Arc<Semaphore>)>,
    port: u16,
}

impl Gatekeeper {
    /// For a bridge that listens at `address`.
    pub fn new(origins: Vec<AllowedOrigin>, address: SocketAddr) -> Self {
        let with_places = |origin| (Arc::new(origin), Arc::new(Semaphore::new(MOST_PAGES)));
        Self { origins: origins.into_iter().map(with_places).collect(), port: address.port() }
    }

    /// Whether the request names the bridge by a loopback name and its port. Any other name is a foreign site's that
    /// was made to point here.
    pub fn is_own_host(&self, headers: &HeaderMap) -> bool {
        only(headers, &header::HOST).is_some_and(|host| {
            LOOPBACK_NAMES.iter().any(|name| host.strip_prefix(name) == Some(&format!(":{}", self.port)))
        })
    }

    /// The port that the bridge listens at.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The listed origin that the request comes from. No header, `null` and two headers are nobody's.
    pub fn allowed_origin(&self, headers: &HeaderMap) -> Option<Arc<AllowedOrigin>> {
        self.listed(only(headers, &header::ORIGIN)?)
    }

    /// The origin of this text, if it is listed.
    pub fn listed(&self, origin: &str) -> Option<Arc<AllowedOrigin>> {
        self.origins.iter().find(|(allowed, _)| allowed.url.as_str() == origin).map(|(allowed, _)| Arc::clone(allowed))
    }

    /// A place for one more page of a listed origin; nothing when all are taken.
    pub fn place(&self, origin: &AllowedOrigin) -> Option<OwnedSemaphorePermit> {
        let (_, places) = self.origins.iter().find(|(allowed, _)| allowed.url == origin.url)?;
        Arc::clone(places).try_acquire_owned().ok()
    }

    /// Whether the request comes from a page of the bridge itself, under the name that it was called by.
    pub fn is_own_page(&self, headers: &HeaderMap) -> bool {
        let (Some(host), Some(origin)) = (only(headers, &header::HOST), only(headers, &header::ORIGIN)) else {
            return false;
        };
        self.is_own_host(headers) && origin.strip_prefix("http://") == Some(host)
    }
}

/// The header's value, if it is there exactly once and is text.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then(|| value.to_str().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use card_protocol::ServiceKey;

    use super::*;

    fn gatekeeper() -> Gatekeeper {
        let allowed = |url: &str| AllowedOrigin {
            url: url.to_owned().try_into().unwrap(),
            service_keys: vec![ServiceKey([5; 32])],
        };
        let origins = vec![allowed("https://service.test"), allowed("http://localhost:3000")];
        Gatekeeper::new(origins, "127.0.0.1:24787".parse().unwrap())
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn only_a_listed_origin_is_let_in() {
        let allowed = |origin| gatekeeper().allowed_origin(&headers(&[("origin", origin)])).is_some();
        assert!(allowed("https://service.test"));
        assert!(allowed("http://localhost:3000"));
        for other in [
            "null",
            "",
            "http://service.test",
            "https://service.test:8443",
            "https://service.test.evil.test",
            "https://evil-service.test",
            "https://service.test/",
            "https://SERVICE.test",
            "http://localhost:3001",
            "http://127.0.0.1:3000",
            "https://service.test https://evil.test",
        ] {
            assert!(!allowed(other), "{other}");
        }
    }

    #[test]
    fn no_origin_and_two_origins_are_nobodys() {
        assert!(gatekeeper().allowed_origin(&headers(&[])).is_none());
        let twice = headers(&[("origin", "https://service.test"), ("origin", "https://service.test")]);
        assert!(gatekeeper().allowed_origin(&twice).is_none());
    }

    #[test]
    fn only_loopback_names_with_the_right_port_are_the_bridge() {
        let own = |host| gatekeeper().is_own_host(&headers(&[("host", host)]));
        for host in ["127.0.0.1:24787", "localhost:24787", "[::1]:24787"] {
            assert!(own(host), "{host}");
        }
        for host in [
            "127.0.0.1",
            "localhost:80",
            "evil.test:24787",
            "localhost.evil.test:24787",
            "localhost:24787.evil.test",
            "127.0.0.1:247870",
            "",
        ] {
            assert!(!own(host), "{host}");
        }
        assert!(!gatekeeper().is_own_host(&headers(&[])));
    }

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        let parse = |text: &str| Origin::try_from(text.to_owned());
        for good in [
            "https://service.test",
            "https://a-b.service.test:8443",
            "http://localhost:3000",
            "http://127.0.0.1",
            "http://[::1]:3000",
        ] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("null", BadOrigin::Scheme),
            ("service.test", BadOrigin::Scheme),
            ("ftp://service.test", BadOrigin::Scheme),
            ("http://service.test", BadOrigin::PlainHttp),
            ("https://service.test/", BadOrigin::HostAndPort),
            ("https://Service.test", BadOrigin::HostAndPort),
            ("https://*.service.test", BadOrigin::HostAndPort),
            ("https://user@service.test", BadOrigin::HostAndPort),
            ("https://service.test:08443", BadOrigin::HostAndPort),
            ("https://", BadOrigin::HostAndPort),
            ("https://service.test:443", BadOrigin::DefaultPort),
            ("http://localhost:80", BadOrigin::DefaultPort),
        ] {
            assert_eq!(parse(bad), Err(why), "{bad}");
        }
    }

    #[test]
    fn the_host_is_what_is_left_without_scheme_and_port() {
        for (origin, host) in [
            ("https://service.test", "service.test"),
            ("https://service.test:8443", "service.test"),
            ("http://localhost:3000", "localhost"),
            ("http://[::1]:3000", "[::1]"),
            ("http://[::1]", "[::1]"),
        ] {
            assert_eq!(Origin::try_from(origin.to_owned()).unwrap().host(), host);
        }
    }
}
