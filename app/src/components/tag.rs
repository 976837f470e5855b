//! Tag: a state in a word.

use leptos::prelude::*;

/// The colour of a tag. It never says more than its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagColour {
    /// Nothing yet.
    Grey,
    /// All is well.
    Green,
    /// Something is wrong.
    Red,
}

/// A state in a word.
#[component]
pub fn Tag(
    /// Its colour.
    colour: TagColour,
    /// The word.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    let class = match colour {
        TagColour::Grey => "nhsuk-tag nhsuk-tag--grey",
        TagColour::Green => "nhsuk-tag nhsuk-tag--green",
        TagColour::Red => "nhsuk-tag nhsuk-tag--red",
    };
    view! { <strong class=class>{text}</strong> }
}
