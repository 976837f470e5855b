//! Button.

use leptos::prelude::*;

/// How a button looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ButtonKind {
    /// The main thing to do on a page.
    Primary,
    /// Anything else.
    Secondary,
}

impl ButtonKind {
    const fn class(self) -> &'static str {
        match self {
            Self::Primary => "nhsuk-button",
            Self::Secondary => "nhsuk-button nhsuk-button--secondary",
        }
    }
}

/// A button that does something in the page.
#[component]
pub fn Button(
    /// How it looks.
    kind: ButtonKind,
    /// What it says.
    label: &'static str,
    /// What it does.
    #[prop(into)]
    on_press: Callback<()>,
) -> impl IntoView {
    view! {
        <button type="button" class=kind.class() on:click=move |_| on_press.run(())>
            {label}
        </button>
    }
}

/// The button that sends a form.
#[component]
pub fn SubmitButton(
    /// How it looks.
    kind: ButtonKind,
    /// What it says.
    label: &'static str,
) -> impl IntoView {
    view! {
        <button type="submit" class=kind.class()>
            {label}
        </button>
    }
}
