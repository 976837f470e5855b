//! E-mail addresses and the domains that are approved for codes.

use serde::{Deserialize, Serialize};

/// A well-formed e-mail address with a domain name; the domain is kept in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Reads an address; surrounding white space is dropped.
    ///
    /// # Errors
    ///
    /// [`NotAnEmailAddress`] when it is not of the form `name@domain.tld` (RFC 5321, 4.1.2; no quoted names, no
    /// address literals, ASCII only).
    pub fn parse(text: &str) -> Result<Self, NotAnEmailAddress> {
        let options =
            email_address::Options::default().without_display_text().without_domain_literal().with_required_tld();
        let address =
            email_address::EmailAddress::parse_with_options(text.trim(), options).map_err(|_| NotAnEmailAddress)?;
        if !text.is_ascii() || address.local_part().contains('"') {
            return Err(NotAnEmailAddress);
        }
        Ok(Self(format!("{}@{}", address.local_part(), address.domain().to_ascii_lowercase())))
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part behind the @.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// What may be shown to somebody who has proved the card but not the answers: the first two letters, of a name
    /// longer than two, and the domain.
    pub fn masked(&self) -> MaskedAddress {
        let name = self.0.rsplit_once('@').map_or("", |(name, _)| name);
        let shown = if name.len() > 2 { 2 } else { 1 };
        MaskedAddress { start: name.chars().take(shown).collect(), end: format!("@{}", self.domain()) }
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = NotAnEmailAddress;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

/// The start and the end of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaskedAddress {
    /// Its first letters.
    pub start: String,
    /// The @ and the domain.
    pub end: String,
}

/// The text is no e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct NotAnEmailAddress;

/// The domains whose addresses may receive codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovedDomains(Vec<String>);

impl ApprovedDomains {
    /// Takes the list; each stands for itself and everything below it.
    pub fn new(domains: impl IntoIterator<Item = String>) -> Self {
        Self(domains.into_iter().map(|domain| domain.to_ascii_lowercase()).collect())
    }

    /// Whether codes may be sent to this address.
    pub fn approve(&self, address: &EmailAddress) -> bool {
        let domain = address.domain();
        self.0.iter().any(|approved| {
            domain.strip_suffix(approved.as_str()).is_some_and(|below| below.is_empty() || below.ends_with('.'))
        })
    }

    /// The list.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn approved(address: &str) -> bool {
        ApprovedDomains::new(["nhs.net".to_owned(), "gov.uk".to_owned()])
            .approve(&EmailAddress::parse(address).unwrap())
    }

    #[test]
    fn an_approved_domain_and_those_below_it_are_approved() {
        assert!(approved("jane@nhs.net"));
        assert!(approved("jane@NHS.net"));
        assert!(approved("jane@digital.cabinet-office.gov.uk"));
    }

    #[test]
    fn a_domain_that_only_ends_alike_is_not_approved() {
        assert!(!approved("jane@evilnhs.net"));
        assert!(!approved("jane@nhs.net.example.com"));
        assert!(!approved("jane@net".replace("net", "example.net").as_str()));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "jane",
            "jane@",
            "@nhs.net",
            "jane@nhs",
            "jane smith@nhs.net",
            "Jane <jane@nhs.net>",
            "jane@[127.0.0.1]",
            "\"jane smith\"@nhs.net",
            "jane@nhs.net\r\nBcc: x@example.com",
            "jäne@nhs.net",
        ] {
            assert!(EmailAddress::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_masked_address_shows_two_letters_and_the_domain() {
        let masked = EmailAddress::parse("jane.smith@nhs.net").unwrap().masked();
        assert_eq!((masked.start.as_str(), masked.end.as_str()), ("ja", "@nhs.net"));
        let short = EmailAddress::parse("jo@nhs.net").unwrap().masked();
        assert_eq!(short.start, "j");
    }
}
