//! The pages and the server functions.
//!
//! Compiled twice: with the feature `ssr` into the server, which renders the pages and answers the server functions, and
//! with the feature `hydrate` into the wasm bundle, which takes over the rendered pages in the browser. Header and
//! footer stand in the `shell`, outside what is taken over, so the bundle carries nothing of them.

#![recursion_limit = "256"]

mod announcer;
mod app;
mod bridge;
mod clipboard;
mod components;
pub mod config;
#[cfg(feature = "ssr")]
mod cookies;
pub mod demo;
mod language;
mod moment;
mod pages;
#[cfg(feature = "ssr")]
pub mod refusal;
pub mod resubmitted;
mod server_fns;
#[cfg(feature = "ssr")]
mod shell;
mod upload;
mod work;

pub use app::App;
#[cfg(feature = "ssr")]
pub use cookies::session_token;
pub use language::{LANGUAGE_PARAMETER, Language, own_path, t};
pub use server_fns::{
    LogReference,
    freezing::{FREEZE_PAGE, FREEZE_PARAMETER},
    ra::DeskFault,
};
#[cfg(feature = "ssr")]
pub use shell::shell;

/// What stands in the addresses of the desk's pages, and of the files that show the same.
#[cfg(feature = "ssr")]
pub mod desk {
    pub use crate::server_fns::{
        issuing::RequestParameters,
        reports::{ReportParameters, ReportWanted},
        trail::TrailParameters,
    };
}

/// The id of the element in which [`App`] stands.
pub const ROOT: &str = "page";

/// The id of what says that a part of the page did not arrive.
pub const NOT_LOADED: &str = "not-loaded";

/// Takes over the page that the server rendered.
#[cfg(feature = "hydrate")]
pub fn hydrate() {
    use wasm_bindgen::JsCast;
    let root = leptos::prelude::document().get_element_by_id(ROOT).and_then(|root| root.dyn_into().ok());
    let Some(root) = root else {
        return;
    };
    // Waits for the bundle of the page that is open.
    wasm_bindgen_futures::spawn_local(
        async move { Box::pin(leptos::mount::hydrate_from_async(root, App)).await.forget() },
    );
}
