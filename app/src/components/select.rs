//! Select.

use leptos::prelude::*;

use super::{FormGroup, described_by};

/// A choice of one from a list; none is chosen at first.
#[component]
pub fn Select(
    /// Its id.
    #[prop(into)]
    id: String,
    /// Its name in the form.
    #[prop(into)]
    name: String,
    /// The label.
    #[prop(into)]
    label: String,
    /// What is said while none is chosen.
    nothing: &'static str,
    /// What can be chosen: values and texts.
    options: Vec<(String, String)>,
    /// The value that is chosen at first; may be empty.
    chosen: String,
    /// What is wrong with it.
    error: Signal<Option<String>>,
) -> impl IntoView {
    let described_by = described_by(&id, "", error);
    let class = move || if error.get().is_some() { "nhsuk-select nhsuk-select--error" } else { "nhsuk-select" };
    let options = options.into_iter().map(move |(value, text)| {
        let selected = value == chosen;
        view! {
            <option value=value selected=selected>
                {text}
            </option>
        }
    });
    let group_id = id.clone();
    view! {
        <FormGroup id=group_id label hint=String::new() error>
            <select class=class id=id name=name aria-describedby=described_by>
                <option value="">{nothing}</option>
                {options.collect_view()}
            </select>
        </FormGroup>
    }
}
