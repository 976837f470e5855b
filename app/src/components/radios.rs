//! Radios: one of several.

use leptos::prelude::*;

/// A choice of one.
#[component]
pub fn Radios(
    /// The name of the group.
    name: &'static str,
    /// What is chosen.
    legend: &'static str,
    /// What can be chosen.
    items: Vec<String>,
    /// What to do with the position of what is chosen.
    #[prop(into)]
    on_choose: Callback<usize>,
) -> impl IntoView {
    view! {
        <fieldset class="nhsuk-fieldset">
            <legend class="nhsuk-fieldset__legend nhsuk-fieldset__legend--s">{legend}</legend>
            <RadioItems name items on_choose />
        </fieldset>
    }
}

/// The same without its legend: in a fieldset of the page's own.
#[component]
pub fn RadioItems(
    /// The name of the group.
    name: &'static str,
    /// What can be chosen.
    items: Vec<String>,
    /// What to do with the position of what is chosen.
    #[prop(into)]
    on_choose: Callback<usize>,
) -> impl IntoView {
    let items = items.into_iter().enumerate().map(|(position, item)| {
        let id = format!("{name}-{position}");
        view! {
            <div class="nhsuk-radios__item">
                <input
                    class="nhsuk-radios__input"
                    type="radio"
                    id=id.clone()
                    name=name
                    on:change=move |_| on_choose.run(position)
                />
                <label class="nhsuk-label nhsuk-radios__label" for=id>
                    {item}
                </label>
            </div>
        }
    });
    view! { <div class="nhsuk-radios">{items.collect_view()}</div> }
}
