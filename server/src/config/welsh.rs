//! Section `welsh`: what the service and the Registration Authority are called in Welsh.

use domain::language::Language;
use serde::Deserialize;

use super::{FieldError, RaSection, Settings};

/// Names in Welsh. One that is missing is as in English, where that is not the sample's.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WelshSection {
    /// What the service is called.
    pub service_name: Option<String>,
    /// What the Registration Authority is called.
    pub ra_name: Option<String>,
    /// When it is there.
    pub ra_hours: Option<String>,
}

/// What people are told of an installation in their language.
#[derive(Clone, Debug)]
pub struct Names {
    /// What the service is called.
    pub service_name: String,
    /// Whom to contact.
    pub ra: RaSection,
}

impl WelshSection {
    pub(super) fn validate(&self) -> Result<(), FieldError> {
        let fields = [
            ("welsh.service_name", &self.service_name),
            ("welsh.ra_name", &self.ra_name),
            ("welsh.ra_hours", &self.ra_hours),
        ];
        for (field, text) in fields {
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
        let english = Names { service_name: self.service_name.clone(), ra: self.ra.clone() };
        if language == Language::English {
            return english;
        }
        let sample = Self::default();
        let welsh = |given: &Option<String>, english: String, sample: &str, translated: &str| {
            let otherwise = || if english == sample { translated.to_owned() } else { english.clone() };
            given.clone().unwrap_or_else(otherwise)
        };
        let WelshSection { service_name, ra_name, ra_hours } = &self.welsh;
        let Names { service_name: english_name, ra } = english;
        Names {
            service_name: welsh(
                service_name,
                english_name,
                &sample.service_name,
                "Canolfan Gwasanaethau Cardiau Clyfar",
            ),
            ra: RaSection {
                name: welsh(ra_name, ra.name, &sample.ra.name, "Awdurdod Cofrestru (RA)"),
                hours: welsh(ra_hours, ra.hours, &sample.ra.hours, "Dydd Llun i ddydd Gwener, 8am i 6pm"),
                ..ra
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
