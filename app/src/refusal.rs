//! Why a request was refused, for whoever counts that: the name of the variant of a server function's error, and nothing
//! of what stands in it.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use http::request::Parts;
use leptos::prelude::use_context;

/// Stands among the extensions of a request, where somebody wants to know. A clone is told the same.
#[derive(Clone, Debug, Default)]
pub struct Refusal(Arc<OnceLock<String>>);

impl Refusal {
    /// The reason, once the request was refused by a server function.
    pub fn reason(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }

    /// Notes why the request that is being answered is refused.
    pub(crate) fn note(fault: &impl fmt::Debug) {
        if let Some(Self(reason)) = use_context::<Parts>().and_then(|parts| parts.extensions.get().cloned()) {
            let _ = reason.set(variant(fault));
        }
    }
}

/// What stands before the fields of a variant.
fn variant(fault: &impl fmt::Debug) -> String {
    let text = format!("{fault:?}");
    let end = text.find(|char: char| !char.is_ascii_alphanumeric()).unwrap_or(text.len());
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_what_stands_in_an_error_is_told() {
        #[derive(Debug)]
        #[expect(dead_code, reason = "their fields are what is not told")]
        enum Fault {
            Plain,
            Named { text: &'static str },
            Tuple(&'static str),
        }
        let told = [variant(&Fault::Plain), variant(&Fault::Named { text: "typed" }), variant(&Fault::Tuple("typed"))];
        assert_eq!(told, ["Plain", "Named", "Tuple"]);
    }
}
