//! The language of the page, and every word that a person reads.

/// The parameter of an address by which a language is chosen.
pub const LANGUAGE_PARAMETER: &str = "lang";

/// The id of the link to the page in the other language.
pub const LANGUAGE_LINK: &str = "language";

/// A language that the pages speak. Each has a file in `locales/`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Welsh.
    Welsh,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::Welsh];

    /// The language of the page that is being rendered, or that was taken over.
    #[cfg(not(feature = "hydrate"))]
    pub fn current() -> Self {
        leptos::prelude::use_context().unwrap_or_default()
    }

    /// The language of the page that is being rendered, or that was taken over.
    #[cfg(feature = "hydrate")]
    pub fn current() -> Self {
        thread_local! {
            static OF_DOCUMENT: Language = of_document();
        }
        OF_DOCUMENT.with(|language| *language)
    }

    /// Its tag (RFC 5646), as in `<html lang>`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Welsh => "cy",
        }
    }

    /// Its own name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Welsh => "Cymraeg",
        }
    }

    /// The address of a page in this language.
    pub fn page(self, path: &str, query: &str) -> String {
        [&own_path(path), "?", &without_language(query), LANGUAGE_PARAMETER, "=", self.tag()].concat()
    }

    /// The language of a tag, whatever its region: `cy-GB` is Welsh.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| primary.eq_ignore_ascii_case(language.tag()))
    }

    /// The one that a browser wants most, by its `Accept-Language` (RFC 9110, 12.5.4), of those that there are.
    pub fn from_accept_language(header: &str) -> Option<Self> {
        let ranges = header.split(',').filter_map(|range| {
            let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
            let weight: f32 = weight.trim().strip_prefix("q=")?.trim().parse().ok()?;
            (weight > 0.0).then_some((Self::from_tag(tag.trim())?, weight))
        });
        // Of several that are wanted as much, the first.
        ranges.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(language, _)| language)
    }
}

#[cfg(feature = "ssr")]
impl From<Language> for domain::language::Language {
    fn from(language: Language) -> Self {
        match language {
            Language::English => Self::English,
            Language::Welsh => Self::Welsh,
        }
    }
}

/// A path as it can stand in a link. With two slashes at its beginning, of either kind, it is the address of another website
/// to a browser.
pub fn own_path(path: &str) -> String {
    ["/", path.trim_start_matches(['/', '\\'])].concat()
}

/// What else stands in a query, each with `&` behind it.
fn without_language(query: &str) -> String {
    let others = query.split('&').filter(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        !name.is_empty() && name != LANGUAGE_PARAMETER
    });
    others.flat_map(|pair| [pair, "&"]).collect()
}

#[cfg(feature = "hydrate")]
fn of_document() -> Language {
    let root = leptos::prelude::document().document_element();
    root.and_then(|root| root.get_attribute("lang")).and_then(|tag| Language::from_tag(&tag)).unwrap_or_default()
}

/// The words: a function for each key of `locales/`, made by the build script.
pub mod t {
    use super::Language;

    include!(concat!(env!("OUT_DIR"), "/t.rs"));
}

#[cfg(test)]
mod tests {
    use super::{Language, t};

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
        let words = include_str!("../locales/cy.toml").to_lowercase();
        assert!(!words.contains("cyfrinair"));
    }

    #[test]
    fn the_same_page_in_another_language_keeps_what_else_is_asked_for() {
        let page = |query| Language::Welsh.page("/not-me", query);
        assert_eq!(page(""), "/not-me?lang=cy");
        assert_eq!(page("token=a%26b&lang=en&x"), "/not-me?token=a%26b&x&lang=cy");
        for path in ["//elsewhere.test", "/\\elsewhere.test", "\\\\elsewhere.test"] {
            assert_eq!(Language::Welsh.page(path, ""), "/elsewhere.test?lang=cy");
        }
    }

    #[test]
    fn the_language_that_a_browser_wants_most_is_spoken() {
        let chosen = Language::from_accept_language;
        assert_eq!(chosen("cy-GB,cy;q=0.9,en-GB;q=0.8,en;q=0.7"), Some(Language::Welsh));
        assert_eq!(chosen("en-GB,en;q=0.9,cy;q=0.8"), Some(Language::English));
        assert_eq!(chosen("fr, cy;q=0.3, en;q=0.4"), Some(Language::English));
        assert_eq!(chosen("fr, CY;q=0.3"), Some(Language::Welsh));
        assert_eq!(chosen("cy;q=0, fr"), None);
        for other in ["", "*", "fr", "cymru", "cy;q=high", ";;,,"] {
            assert_eq!(chosen(other), None, "{other}");
        }
    }
}
