//! The cardholder.

use serde::{Deserialize, Serialize};

use crate::{
    answer::Answer,
    email::EmailAddress,
    language::Language,
    organisation::Organisation,
    role::Role,
    trail::{TrailName, TrailSalt},
};

/// The number by which the organisation knows a person: 1 to 32 letters, digits or hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserNumber(String);

impl UserNumber {
    /// Reads a user number; surrounding white space is dropped.
    ///
    /// # Errors
    ///
    /// [`NotAUserNumber`] when it is empty, too long or holds another character.
    pub fn parse(text: &str) -> Result<Self, NotAUserNumber> {
        let text = text.trim();
        let fits =
            (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if fits { Ok(Self(text.to_owned())) } else { Err(NotAUserNumber) }
    }

    /// The number as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for UserNumber {
    type Error = NotAUserNumber;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<UserNumber> for String {
    fn from(number: UserNumber) -> Self {
        number.0
    }
}

impl std::fmt::Display for UserNumber {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The text is no user number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a user number is 1 to 32 letters, digits or hyphens")]
pub struct NotAUserNumber;

/// A person to whom cards are issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The number by which the organisation knows them.
    pub user_number: UserNumber,
    /// Their name as it is to be addressed.
    pub name: String,
    /// The address that the Registration Authority holds, where it holds one.
    pub email: Option<EmailAddress>,
    /// Where they work, where that is known.
    pub organisation: Option<Organisation>,
    /// What they may do at the RA's desk.
    pub role: Role,
    /// In which language they are addressed: that of the pages when they signed in last.
    pub language: Language,
    /// What their names on the trail are made with.
    pub trail_salt: TrailSalt,
}

impl Person {
    /// What a search for their name compares: all of it, folded, and the same with the last name first.
    pub fn search_names(&self) -> [String; 2] {
        Self::search_names_of(&self.name)
    }

    /// The same of a name.
    pub fn search_names_of(name: &str) -> [String; 2] {
        let name = fold_name(name);
        let last_first = match name.rsplit_once(' ') {
            Some((first, last)) => format!("{last} {first}"),
            None => name.clone(),
        };
        [name, last_first]
    }

    /// Their name as certificates take it (X.520, ub-common-name).
    pub fn common_name(&self) -> String {
        self.name.chars().take(64).collect()
    }

    /// The name under which they stand on the trail.
    pub fn trail_name(&self) -> TrailName {
        self.trail_salt.name_person(&self.user_number)
    }
}

/// A name word by word as answers are folded, so that case, accents and punctuation do not matter in a search.
pub fn fold_name(name: &str) -> String {
    let words = name.replace(',', " ");
    let words: Vec<_> = words.split_whitespace().map(|word| Answer::fold(word).expose_secret().to_owned()).collect();
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
