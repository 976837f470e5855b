//! The focus, for what comes onto a page.

use leptos::prelude::*;
use web_sys::HtmlElement;

/// How long is waited for an element to be in the document, in frames.
const FRAMES: u8 = 120;

/// Gives an element the focus as soon as it is in the document: a page that waits for its bundle or for the server is made
/// before that.
pub fn focus_when_there(element: impl Into<HtmlElement>) {
    within(element.into(), FRAMES);
}

fn within(element: HtmlElement, frames: u8) {
    if element.is_connected() {
        let _ = element.focus();
    } else if let Some(frames) = frames.checked_sub(1) {
        request_animation_frame(move || within(element, frames));
    }
}
