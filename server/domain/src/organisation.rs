//! The part of the health service in which a person works.

use serde::{Deserialize, Serialize};

/// The most characters of a name.
const LIMIT: usize = 100;

/// An organisation, as the file of people names it: 1 to 100 characters, none of which is a control character. Two
/// names that differ in a letter are two organisations.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Organisation(String);

impl Organisation {
    /// Reads a name; surrounding white space is dropped.
    ///
    /// # Errors
    ///
    /// [`NotAnOrganisation`] when it is empty, too long or holds a control character.
    pub fn parse(text: &str) -> Result<Self, NotAnOrganisation> {
        let text = text.trim();
        let fits = (1..=LIMIT).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        if fits { Ok(Self(text.to_owned())) } else { Err(NotAnOrganisation) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Organisation {
    type Error = NotAnOrganisation;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Organisation> for String {
    fn from(organisation: Organisation) -> Self {
        organisation.0
    }
}

/// The text names no organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an organisation is 1 to 100 characters, none of which is a control character")]
pub struct NotAnOrganisation;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_bounded() {
        assert_eq!(Organisation::parse(" St Mary's ").unwrap().as_str(), "St Mary's");
        for text in ["", "  ", "a\nb", &"z".repeat(101)] {
            assert_eq!(Organisation::parse(text), Err(NotAnOrganisation), "{text:?}");
        }
    }
}
