//! The entry point of the wasm bundle, and nothing else: a crate that is also an rlib gets no link-time optimisation.

/// Takes over the page that the server rendered.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    app::hydrate();
}
