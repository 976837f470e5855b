//! What stands where a page works in a browser with JavaScript only.

use leptos::prelude::*;

use crate::t;

/// The sentence; browsers with JavaScript do not show it.
#[component]
pub fn NoJavaScript() -> impl IntoView {
    let sentence = ["<p class=\"nhsuk-body\">", t::no_javascript(), "</p>"].concat();
    view! { <noscript inner_html=sentence /> }
}
