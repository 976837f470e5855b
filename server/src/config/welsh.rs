//! Section `welsh`: what the service and the Registration Authority are called in Welsh.

use domain::language::Language;
use serde::Deserialize;

use super::{FieldError, RaContact, RaSection, Settings};

/// Names in Welsh. One that is missing is as in English, where that is not the sample's.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WelshSection {
    /// What the service is called.
    pub service_name: Option<String>,
    /// What the Registration Authority is called.
    pub ra_name: Option<String>,
}

/// What people are told of an installation in their language.
#[derive(Clone, Debug)]
pub struct Names {
    /// What the service is called.
    pub service_name: String,
    /// Whom to contact.
    pub ra: RaContact,
}

impl WelshSection {
    pub(super) fn validate(&self) -> Result<(), FieldError> {
        for (field, text) in [("welsh.service_name", &self.service_name), ("welsh.ra_name", &self.ra_name)] {
            if text.as_ref().is_some_and(|text| text.trim().is_empty() || text.contains(char::is_control)) {
                return Err(FieldError::new(field, "is one line that is not empty"));
            }
        }
        Ok(())
    }
}

impl Settings {
    /// What people are told in a language.
    pub fn names(&self, language: Language) -> Names {
        let sample = Self::default();
        let told = |english: &String, sample: &String, welsh: Option<&String>, translated: &str| match language {
            Language::English => english.clone(),
            Language::Welsh => {
                let otherwise = || if english == sample { translated.to_owned() } else { english.clone() };
                welsh.cloned().unwrap_or_else(otherwise)
            }
        };
        let RaSection { name, telephone, email, hours, out_of_hours_telephone } = &self.ra;
        Names {
            service_name: told(
                &self.service_name,
                &sample.service_name,
                self.welsh.service_name.as_ref(),
                "Canolfan Gwasanaethau Cardiau Clyfar",
            ),
            ra: RaContact {
                name: told(name, &sample.ra.name, self.welsh.ra_name.as_ref(), "Awdurdod Cofrestru (RA)"),
                telephone: telephone.clone(),
                email: email.clone(),
                hours: hours.in_words(language),
                out_of_hours_telephone: out_of_hours_telephone.clone(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_welsh_name_is_called_as_in_english() {
        let mut settings = Settings::default();
        assert_eq!(settings.names(Language::Welsh).ra.name, "Awdurdod Cofrestru (RA)");
        settings.service_name = "Unlock".to_owned();
        settings.ra.name = "Card office".to_owned();
        settings.ra.telephone = "029 2018 0000".to_owned();
        settings.welsh.ra_name = Some("Swyddfa gardiau".to_owned());
        let names = settings.names(Language::Welsh);
        assert_eq!((names.service_name.as_str(), names.ra.name.as_str()), ("Unlock", "Swyddfa gardiau"));
        assert_eq!(names.ra.telephone, "029 2018 0000");
        assert_eq!(settings.names(Language::English).ra.name, "Card office");
    }
}
