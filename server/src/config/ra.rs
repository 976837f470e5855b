//! Section `ra`: whom people are told to contact when self-service cannot help.

use domain::email::EmailAddress;
use serde::Deserialize;

use super::{FieldError, OpeningHours};

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
    /// When it is open.
    pub hours: OpeningHours,
    /// The telephone number to call while it is closed, where there is one.
    pub out_of_hours_telephone: Option<String>,
}

/// What people are told of it, in a language.
#[derive(Clone, Debug)]
pub struct RaContact {
    /// Its name.
    pub name: String,
    /// Its telephone number.
    pub telephone: String,
    /// Its address.
    pub email: String,
    /// When it is open.
    pub hours: String,
    /// The telephone number to call while it is closed, where there is one.
    pub out_of_hours_telephone: Option<String>,
}

impl Default for RaSection {
    fn default() -> Self {
        Self {
            name: "Registration Authority (RA)".to_owned(),
            telephone: "020 7946 0000".to_owned(),
            email: "ra@example.org".to_owned(),
            hours: OpeningHours::of_an_office(),
            out_of_hours_telephone: None,
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
        let numbers = [
            ("ra.telephone", Some(&self.telephone)),
            ("ra.out_of_hours_telephone", self.out_of_hours_telephone.as_ref()),
        ];
        for (field, number) in numbers {
            if number.is_some_and(|number| !is_telephone_number(number)) {
                return Err(FieldError::new(field, "is a telephone number"));
            }
        }
        if EmailAddress::parse(&self.email).is_err() {
            return Err(FieldError::new("ra.email", "is an e-mail address"));
        }
        if self.name.trim().is_empty() || self.name.contains(char::is_control) {
            return Err(FieldError::new("ra.name", "is one line that is not empty"));
        }
        self.hours.validate()
    }
}

fn is_telephone_number(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    digits >= 3 && text.chars().all(|character| matches!(character, '0'..='9' | ' ' | '+' | '(' | ')' | '-'))
}
