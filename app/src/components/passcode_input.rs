//! Passcode input: the design system's password input with our words.
//!
//! It has no name, and it is there only once the page is taken over, so that nothing can post it.

use leptos::{html, prelude::*};

use super::{FormGroup, described_by};
use crate::{announcer::Announcer, t};

/// Which passcode is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasscodeKind {
    /// The one that the card has.
    Current,
    /// The one that the card shall get.
    New,
}

/// A field for a passcode, in the browser only.
#[component]
pub fn PasscodeInput(
    /// Which passcode.
    kind: PasscodeKind,
    /// Its id.
    id: &'static str,
    /// The label.
    label: &'static str,
    /// The hint; may be empty.
    #[prop(into)]
    hint: String,
    /// What is wrong with it.
    error: Signal<Option<String>>,
    /// The element, to read it.
    node_ref: NodeRef<html::Input>,
) -> impl IntoView {
    let taken_over = RwSignal::new(false);
    Effect::new(move |_| taken_over.set(true));
    let shown = RwSignal::new(false);
    let announcer = expect_context::<Announcer>();
    let toggle = move |_| {
        shown.update(|shown| *shown = !*shown);
        announcer.say(if shown.get_untracked() { t::passcode_shown() } else { t::passcode_hidden() });
    };
    let autocomplete = match kind {
        PasscodeKind::Current => "current-password",
        PasscodeKind::New => "new-password",
    };
    let described_by = described_by(id, &hint, error);
    let class = move || {
        let error = if error.get().is_some() { " nhsuk-input--error" } else { "" };
        ["nhsuk-input nhsuk-password-input__input nhsuk-input--width-10", error].concat()
    };
    let label_of_toggle = move || if shown.get() { t::passcode_hide_label() } else { t::passcode_show_label() };
    let text_of_toggle = move || if shown.get() { t::passcode_hide() } else { t::passcode_show() };
    move || {
        taken_over.get().then(|| {
            view! {
                <FormGroup
                    id=id.to_owned()
                    label=label.to_owned()
                    hint=hint.clone()
                    error
                    class="nhsuk-password-input"
                >
                    <div class="nhsuk-input-wrapper nhsuk-password-input__wrapper">
                        <input
                            class=class
                            id=id
                            type=move || if shown.get() { "text" } else { "password" }
                            inputmode="numeric"
                            autocomplete=autocomplete
                            autocapitalize="none"
                            spellcheck="false"
                            aria-describedby=described_by
                            node_ref=node_ref
                        />
                        <button
                            type="button"
                            class="nhsuk-button nhsuk-button--secondary nhsuk-button--small nhsuk-password-input__toggle"
                            aria-controls=id
                            aria-label=label_of_toggle
                            on:click=toggle
                        >
                            {text_of_toggle}
                        </button>
                    </div>
                </FormGroup>
            }
        })
    }
}
