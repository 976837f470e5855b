//! Table: a wide one is moved within its box, which the keyboard reaches.

use leptos::prelude::*;

/// A table with a caption.
#[component]
pub fn Table(
    /// What it shows.
    caption: &'static str,
    /// The heads of its columns.
    heads: Vec<&'static str>,
    /// The cells of its rows.
    rows: Vec<Vec<AnyView>>,
) -> impl IntoView {
    let heads = heads.into_iter().map(|head| {
        view! {
            <th class="nhsuk-table__header" scope="col">
                {head}
            </th>
        }
    });
    let rows = rows.into_iter().map(|cells| {
        let cells = cells.into_iter().map(|cell| view! { <td class="nhsuk-table__cell">{cell}</td> });
        view! { <tr class="nhsuk-table__row">{cells.collect_view()}</tr> }
    });
    view! {
        <div class="app-scroll" role="group" aria-label=caption tabindex="0">
            <table class="nhsuk-table">
                <caption class="nhsuk-table__caption">{caption}</caption>
                <thead class="nhsuk-table__head">
                    <tr class="nhsuk-table__row">{heads.collect_view()}</tr>
                </thead>
                <tbody class="nhsuk-table__body">{rows.collect_view()}</tbody>
            </table>
        </div>
    }
}
