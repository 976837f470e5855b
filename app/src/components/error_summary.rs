//! Error summary: all that is wrong, at the top of the page, focused when it appears.

use leptos::{html, prelude::*};

use crate::t;

/// Something that is wrong on a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The id of the field, where it is one's.
    pub field: Option<String>,
    /// What to do.
    pub text: String,
}

/// All that is wrong on a page.
#[derive(Clone, Copy)]
pub struct Errors(RwSignal<Vec<FieldError>>);

impl Errors {
    /// Starts with what is wrong already: nothing, or the faults of a form that was posted.
    pub fn new(errors: Vec<FieldError>) -> Self {
        Self(RwSignal::new(errors))
    }

    /// Shows these and no others.
    pub fn show(self, errors: Vec<FieldError>) {
        self.0.set(errors);
    }

    /// Shows one that is of no field.
    pub fn show_general(self, text: impl Into<String>) {
        self.show(vec![FieldError { field: None, text: text.into() }]);
    }

    /// Shows one of a field.
    pub fn show_field(self, field: &str, text: impl Into<String>) {
        self.show(vec![FieldError { field: Some(field.to_owned()), text: text.into() }]);
    }

    /// Shows none.
    pub fn clear(self) {
        self.show(Vec::new());
    }

    /// Whether there is any.
    pub fn any(self) -> Signal<bool> {
        Signal::derive(move || self.0.try_read().is_some_and(|errors| !errors.is_empty()))
    }

    /// What is wrong with a field.
    pub fn of(self, field: impl Into<String>) -> Signal<Option<String>> {
        let field = field.into();
        Signal::derive(move || {
            let errors = self.0.try_read()?;
            errors.iter().find(|error| error.field.as_deref() == Some(&field)).map(|error| error.text.clone())
        })
    }
}

/// All that is wrong, each with a link to its field.
#[component]
pub fn ErrorSummary(
    /// What is wrong.
    errors: Errors,
) -> impl IntoView {
    let summary = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        errors.0.track();
        if let Some(summary) = summary.get() {
            let _ = summary.focus();
        }
    });
    move || {
        let errors = errors.0.get();
        (!errors.is_empty()).then(|| {
            view! {
                <div class="nhsuk-error-summary" tabindex="-1" node_ref=summary>
                    <div role="alert">
                        <h2 class="nhsuk-error-summary__heading">{t::error_summary_title()}</h2>
                        <div class="nhsuk-error-summary__body">
                            <ul class="nhsuk-list nhsuk-error-summary__list">
                                {errors.into_iter().map(item).collect_view()}
                            </ul>
                        </div>
                    </div>
                </div>
            }
        })
    }
}

fn item(error: FieldError) -> impl IntoView {
    match error.field {
        None => view! { <li>{error.text}</li> }.into_any(),
        Some(field) => {
            let href = format!("#{field}");
            // A click on it would otherwise be a navigation of the router, which moves the view and not the focus.
            let focus = move |event: leptos::ev::MouseEvent| {
                event.prevent_default();
                focus_element(&field);
            };
            view! {
                <li>
                    <a href=href on:click=focus>
                        {error.text}
                    </a>
                </li>
            }
            .into_any()
        }
    }
}

/// Focuses a field by its id.
fn focus_element(id: &str) {
    use wasm_bindgen::JsCast;
    let Some(element) = document().get_element_by_id(id) else { return };
    // Of a group, its first choice: the group itself takes no answer.
    let first = element.query_selector("input[type=radio]").ok().flatten();
    if let Ok(element) = first.unwrap_or(element).dyn_into::<web_sys::HtmlElement>() {
        let _ = element.focus();
    }
}
