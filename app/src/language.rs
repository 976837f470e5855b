//! The language of the page, and every word that a person reads.

/// A language that the pages speak. Each has a file in `locales/`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
}

impl Language {
    /// The language of the page that is being rendered.
    pub const fn current() -> Self {
        Self::English
    }

    /// Its tag (RFC 5646), as in `<html lang>`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
        }
    }
}

/// The words: a function for each key of `locales/`, made by the build script.
pub mod t {
    use super::Language;

    include!(concat!(env!("OUT_DIR"), "/t.rs"));
}

#[cfg(test)]
mod tests {
    use super::t;

    #[test]
    fn one_and_many_are_told_apart() {
        assert_eq!(t::passcode_wrong(1), "Your passcode is not correct. You have 1 try left");
        assert_eq!(t::passcode_wrong(2), "Your passcode is not correct. You have 2 tries left");
    }

    #[test]
    fn arguments_stand_where_the_text_wants_them() {
        assert_eq!(t::step(1, 3), "Step 1 of 3");
        assert!(t::code_sent("ja", "@nhs.net").contains("starting ‘ja’ and ending ‘@nhs.net’"));
    }

    #[test]
    fn no_word_of_ours_is_password() {
        let words = include_str!("../locales/en.toml").to_lowercase();
        assert!(!words.contains("password"));
    }
}
