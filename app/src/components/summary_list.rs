//! Summary list: what is known.

use leptos::prelude::*;

/// One thing that is known.
pub struct SummaryRow {
    /// What.
    pub key: &'static str,
    /// How it is.
    pub value: AnyView,
}

/// A list of what is known.
#[component]
pub fn SummaryList(
    /// The rows.
    rows: Vec<SummaryRow>,
) -> impl IntoView {
    let rows = rows.into_iter().map(|row| {
        view! {
            <div class="nhsuk-summary-list__row">
                <dt class="nhsuk-summary-list__key">{row.key}</dt>
                <dd class="nhsuk-summary-list__value">{row.value}</dd>
            </div>
        }
    });
    view! { <dl class="nhsuk-summary-list">{rows.collect_view()}</dl> }
}
