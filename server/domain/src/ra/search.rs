//! How a person is looked for.

use card_protocol::Guid;

use crate::{
    email::EmailAddress,
    person::{UserNumber, fold_name},
    trail::Reference,
};

/// How many people a search gives at most: more than these, and the officer has to say more.
pub const SEARCH_LIMIT: u64 = 20;

/// Fewer letters of a name are no search.
const FEWEST_LETTERS: usize = 2;

/// What an officer typed into the search field, by all that it may be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonQuery {
    /// A user number.
    pub user_number: Option<UserNumber>,
    /// An address, the RA's or the registered one.
    pub email: Option<EmailAddress>,
    /// A card.
    pub card: Option<Guid>,
    /// The reference of an error page.
    pub reference: Option<Reference>,
    /// The beginning of a name, folded: of all of it, or with the last name first.
    pub name: Option<String>,
}

impl PersonQuery {
    /// Reads what was typed; nothing where it can be none of these.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let letters: String = text.chars().filter(|char| !matches!(char, '-' | ' ' | ':')).collect();
        let name = fold_name(text);
        let query = Self {
            user_number: UserNumber::parse(text).ok(),
            email: EmailAddress::parse(text).ok(),
            card: letters.parse().ok(),
            reference: Reference::parse(text),
            name: (name.chars().count() >= FEWEST_LETTERS).then_some(name),
        };
        let is_none = query.user_number.is_none()
            && query.email.is_none()
            && query.card.is_none()
            && query.reference.is_none()
            && query.name.is_none();
        (!is_none).then_some(query)
    }
}
