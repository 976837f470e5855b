//! The browser's clipboard.

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Puts a text on it; whether the browser did.
pub async fn copy(text: &str) -> bool {
    write_text(text).await.is_ok()
}

/// `navigator.clipboard.writeText(text)`. Not there in a page that is not secure.
async fn write_text(text: &str) -> Result<(), JsValue> {
    let navigator = leptos::prelude::window().navigator();
    let clipboard = Reflect::get(&navigator, &"clipboard".into())?;
    let write: Function = Reflect::get(&clipboard, &"writeText".into())?.dyn_into()?;
    let promise: Promise = write.call1(&clipboard, &text.into())?.dyn_into()?;
    JsFuture::from(promise).await.map(drop)
}
