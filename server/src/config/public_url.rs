//! The address that people type.

use serde::Deserialize;
use url::{Host, Url};

/// The service's origin: scheme, host and port. `https`, or `http` on `localhost`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PublicUrl {
    origin: String,
    authority: String,
    https: bool,
}

/// The text is no origin that the service may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPublicUrl {
    /// It is no URL.
    #[error("is a URL like https://unlock.example.org")]
    NoUrl,
    /// It has a path, a query, a user or a fragment.
    #[error("is scheme and host only: https://unlock.example.org")]
    MoreThanOrigin,
    /// Passcodes and cookies need https; browsers trust localhost without.
    #[error("begins with https:// (http:// is for localhost only)")]
    Insecure,
}

impl PublicUrl {
    /// Reads a URL.
    ///
    /// # Errors
    ///
    /// [`NotAPublicUrl`].
    pub fn parse(text: &str) -> Result<Self, NotAPublicUrl> {
        let url = Url::parse(text).map_err(|_| NotAPublicUrl::NoUrl)?;
        let host = url.host().ok_or(NotAPublicUrl::NoUrl)?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        if !bare || url.password().is_some() {
            return Err(NotAPublicUrl::MoreThanOrigin);
        }
        let https = match (url.scheme(), host) {
            ("https", _) => true,
            ("http", Host::Domain("localhost")) => false,
            _ => return Err(NotAPublicUrl::Insecure),
        };
        let origin = url.origin().ascii_serialization();
        let authority = origin.split_once("://").map_or_else(String::new, |(_, authority)| authority.to_owned());
        Ok(Self { origin, authority, https })
    }

    /// As browsers write it in `Origin`: `https://unlock.example.org`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// As browsers write it in `Host`: `unlock.example.org`, with a port where it is not the scheme's own.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Whether browsers reach the service by https.
    pub fn is_https(&self) -> bool {
        self.https
    }
}

impl Default for PublicUrl {
    fn default() -> Self {
        Self { origin: "http://localhost:3000".to_owned(), authority: "localhost:3000".to_owned(), https: false }
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = NotAPublicUrl;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_is_written_as_browsers_do() {
        let url = PublicUrl::parse("HTTPS://Unlock.Example.org:443/").unwrap();
        assert_eq!(
            (url.origin(), url.authority(), url.is_https()),
            ("https://unlock.example.org", "unlock.example.org", true)
        );
        let local = PublicUrl::parse("http://localhost:3100").unwrap();
        assert_eq!((local.authority(), local.is_https()), ("localhost:3100", false));
        assert_eq!(PublicUrl::parse("http://localhost:3000"), Ok(PublicUrl::default()));
    }

    #[test]
    fn http_is_for_localhost_only() {
        for text in ["http://unlock.example.org", "http://127.0.0.1:3000", "ftp://localhost"] {
            assert_eq!(PublicUrl::parse(text), Err(NotAPublicUrl::Insecure), "{text}");
        }
        assert_eq!(PublicUrl::parse("https://u:p@x.org"), Err(NotAPublicUrl::MoreThanOrigin));
        assert_eq!(PublicUrl::parse("https://x.org?q"), Err(NotAPublicUrl::MoreThanOrigin));
    }
}
