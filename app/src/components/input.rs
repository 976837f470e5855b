//! Text input.

use leptos::{html, prelude::*};

use super::{FormGroup, described_by};

/// What is typed into an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// An answer to a security question: visible, remembered by nobody.
    Answer,
    /// A code from an e-mail.
    Code,
    /// A code that the person keeps.
    RecoveryCode,
    /// The person's e-mail address.
    Email,
    /// Somebody else's: not one that the browser knows.
    TheirEmail,
    /// What to look for.
    Search,
}

/// A field for a line of text.
#[component]
pub fn Input(
    /// What is typed.
    kind: InputKind,
    /// Its id.
    #[prop(into)]
    id: String,
    /// Its name in the form; none where the form is not posted.
    #[prop(optional, into)]
    name: Option<String>,
    /// The label.
    #[prop(into)]
    label: String,
    /// The hint; may be empty.
    #[prop(into)]
    hint: String,
    /// What is wrong with it.
    error: Signal<Option<String>>,
    /// What stands in it at first.
    #[prop(optional)]
    value: String,
    /// The element, to read it.
    #[prop(optional)]
    node_ref: NodeRef<html::Input>,
) -> impl IntoView {
    let described_by = described_by(&id, &hint, error);
    let class = match kind {
        InputKind::Answer => "nhsuk-input nhsuk-input--width-20",
        InputKind::RecoveryCode => "nhsuk-input nhsuk-input--code nhsuk-input--width-20",
        InputKind::Code => "nhsuk-input nhsuk-input--code nhsuk-input--width-10",
        InputKind::Email | InputKind::TheirEmail | InputKind::Search => "nhsuk-input",
    };
    let class = move || if error.get().is_some() { [class, " nhsuk-input--error"].concat() } else { class.to_owned() };
    let (input_type, mode) = match kind {
        InputKind::Answer | InputKind::Code | InputKind::RecoveryCode => ("text", None),
        InputKind::Email | InputKind::TheirEmail => ("email", Some("email")),
        InputKind::Search => ("text", Some("search")),
    };
    let autocomplete = match kind {
        InputKind::Answer | InputKind::RecoveryCode | InputKind::TheirEmail | InputKind::Search => "off",
        InputKind::Code => "one-time-code",
        InputKind::Email => "email",
    };
    let capitals = match kind {
        InputKind::Code | InputKind::RecoveryCode => Some("characters"),
        InputKind::Email | InputKind::TheirEmail => Some("none"),
        InputKind::Answer | InputKind::Search => None,
    };
    let group_id = id.clone();
    view! {
        <FormGroup id=group_id label hint error>
            <input
                class=class
                id=id
                name=name
                type=input_type
                inputmode=mode
                autocomplete=autocomplete
                autocapitalize=capitals
                spellcheck="false"
                aria-describedby=described_by
                value=value
                node_ref=node_ref
            />
        </FormGroup>
    }
}
