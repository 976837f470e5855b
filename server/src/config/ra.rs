//! Section `ra`: whom people are told to contact when self-service cannot help.

use domain::email::EmailAddress;
use serde::Deserialize;

use super::FieldError;

/// The Registration Authority.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RaSection {
    /// Its name.
    pub name: String,
    /// Its telephone number.
    pub telephone: String,
    /// Its address.
    pub email: String,
    /// When it is there.
    pub hours: String,
}

impl Default for RaSection {
    fn default() -> Self {
        Self {
            name: "Registration Authority (RA)".to_owned(),
            telephone: "020 7946 0000".to_owned(),
            email: "ra@example.org".to_owned(),
            hours: "Monday to Friday, 8am to 6pm".to_owned(),
        }
    }
}

/// Whether people would really call there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    /// Whoever uses this machine.
    ThisMachine,
    /// Everybody who can reach the service.
    Everybody,
}

impl RaSection {
    pub(super) fn validate(&self, audience: Audience) -> Result<(), FieldError> {
        let sample = Self::default();
        if audience == Audience::Everybody && (self.telephone == sample.telephone || self.email == sample.email) {
            return Err(FieldError::new(
                "ra",
                "has telephone and email of your Registration Authority, not the sample's",
            ));
        }
        let digits = self.telephone.chars().filter(char::is_ascii_digit).count();
        if digits < 3
            || self.telephone.chars().any(|character| !matches!(character, '0'..='9' | ' ' | '+' | '(' | ')' | '-'))
        {
            return Err(FieldError::new("ra.telephone", "is a telephone number"));
        }
        if EmailAddress::parse(&self.email).is_err() {
            return Err(FieldError::new("ra.email", "is an e-mail address"));
        }
        for (field, text) in [("ra.name", &self.name), ("ra.hours", &self.hours)] {
            if text.trim().is_empty() || text.contains(char::is_control) {
                return Err(FieldError::new(field, "is one line that is not empty"));
            }
        }
        Ok(())
    }
}
