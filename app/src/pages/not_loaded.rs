//! A page whose bundle did not come.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, closure::Closure};

use crate::{NOT_LOADED, components::Page, t};

/// What stands in place of it.
#[component]
pub fn NotLoaded() -> impl IntoView {
    view! {
        <Page title=t::not_loaded_title()>
            <p class="nhsuk-body">{t::not_loaded_text()}</p>
            // This address again, from the server.
            <a class="nhsuk-button" href="" rel="external">
                {t::not_loaded_again()}
            </a>
        </Page>
    }
}

/// Says so on the page that the server has made, which stays. Its links become the browser's own again: the router has taken
/// them already, and would wait for the page for ever.
pub fn say_on_page() {
    if let Some(words) = document().get_element_by_id(NOT_LOADED) {
        let _ = words.remove_attribute("hidden");
    }
    let leave = Closure::<dyn Fn(web_sys::Event)>::new(|clicked: web_sys::Event| clicked.stop_immediate_propagation());
    let listener = leave.as_ref().unchecked_ref();
    let _ = window().add_event_listener_with_callback_and_bool("click", listener, true);
    leave.forget();
}
