//! What the browser says about reaching this machine's own services (Local Network Access).

use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::diagnosis::Permission;

/// Asks the browser. A page that is on loopback itself is never asked about.
pub async fn permission() -> Permission {
    let host = leptos::prelude::window().location().hostname().unwrap_or_default();
    if matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]") {
        return Permission::Granted;
    }
    match query().await.ok().flatten().as_deref() {
        Some("granted") => Permission::Granted,
        Some("denied") => Permission::Denied,
        Some(_) => Permission::Prompt,
        None => Permission::Unknown,
    }
}

/// `navigator.permissions.query({ name: "loopback-network" }).state`. Throws in browsers that don't know the name.
async fn query() -> Result<Option<String>, JsValue> {
    let navigator = leptos::prelude::window().navigator();
    let permissions = Reflect::get(&navigator, &"permissions".into())?;
    let query: Function = Reflect::get(&permissions, &"query".into())?.dyn_into()?;
    let descriptor = Object::new();
    Reflect::set(&descriptor, &"name".into(), &"loopback-network".into())?;
    let promise: Promise = query.call1(&permissions, &descriptor)?.dyn_into()?;
    let status = JsFuture::from(promise).await?;
    Ok(Reflect::get(&status, &"state".into())?.as_string())
}
