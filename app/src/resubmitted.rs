//! Forms that were posted without JavaScript and failed: the page of the form is rendered again in the answer to that
//! POST, with what was typed. Nothing of it stands in an address.

use leptos::{
    prelude::*,
    server_fn::{Bytes, error::FromServerFnError},
};

use crate::server_fns::freezing::FREEZE_PAGE;

/// A form that was posted and failed: provided as a context when its page is rendered again.
#[derive(Clone, Debug)]
pub struct Resubmitted {
    /// The path of the server function, like `/api/register/questions`.
    pub path: String,
    /// The form's fields as they were posted.
    pub fields: Vec<(String, String)>,
    /// The server function's error, as it encodes it.
    pub error: String,
}

/// The server functions that a form without JavaScript may call, and the pages that have these forms.
const FORMS: [(&str, &str); 9] = [
    ("/api/register/questions", "/register/questions"),
    ("/api/register/email", "/register/email"),
    ("/api/register/code", "/register/code"),
    ("/api/register/resend", "/register/code"),
    ("/api/register/back", "/register/questions"),
    ("/api/register/stop", "/profile"),
    ("/api/session/sign-out", "/profile"),
    ("/api/unlock/stop", "/unlock"),
    ("/api/freezing/freeze", FREEZE_PAGE),
];

/// The page to render again when a form that posts to this path fails; nothing where no form does.
pub fn page_of(path: &str) -> Option<&'static str> {
    FORMS.iter().find(|(form, _)| *form == path).map(|(_, page)| *page)
}

/// What a failed form of this page was posted with, and why it failed.
#[derive(Clone, Debug)]
pub(crate) struct Failed<E> {
    /// Why.
    pub error: E,
    fields: Vec<(String, String)>,
}

impl<E> Failed<E> {
    /// What was typed into a field.
    pub fn typed(&self, name: &str) -> String {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }
}

/// The failed form that this page answers, if it is the form of this server function.
pub(crate) fn failed<E: FromServerFnError>(path: &str) -> Option<Failed<E>> {
    let Resubmitted { path: posted, fields, error } = use_context()?;
    (posted == path).then(|| Failed { error: E::de(Bytes::from(error)), fields })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_back_to_its_page_and_other_functions_to_none() {
        assert_eq!(page_of("/api/register/email"), Some("/register/email"));
        assert_eq!(page_of("/api/unlock/release"), None);
    }
}
