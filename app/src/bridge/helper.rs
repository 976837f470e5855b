//! The helper window: a page of the bridge itself, which may reach it in every browser. The person opens it where the
//! browser keeps this page from the bridge, allows this website there, and it passes messages on.
//!
//! What the two windows say to each other is in [`card_protocol::relay`]. Both ends name the other's origin: no other
//! page can listen or put a word in.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use card_protocol::relay;
use futures::channel::mpsc;
use js_sys::{Array, Date};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{MessageChannel, MessageEvent, MessagePort, Window};

use super::{
    connection::{Happened, Happenings, Line},
    diagnosis::{self, Diagnosis},
    timer::sleep,
};

/// The name of the window: opened again, it is the same one.
const NAME: &str = "card-bridge-helper";

/// Beside the page, and not larger than it needs to be.
const FEATURES: &str = "popup,width=520,height=560";

/// Where it is noted that this tab uses the helper window, so that a reload goes on with it.
const NOTE: &str = "card-bridge-helper";

/// A helper window that has not spoken for this long (milliseconds) is gone: it speaks every second.
const SPEAKS_WITHIN: f64 = 3_000.0;

/// How often to look whether it has spoken.
const LOOK_EVERY: u32 = 100;

/// The helper window of this page, open or not.
pub struct Helper {
    origin: String,
    opened: RefCell<Option<Window>>,
    opened_at: Cell<f64>,
    heard: Rc<Heard>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
}

/// The window that spoke last, and when.
#[derive(Default)]
struct Heard {
    window: RefCell<Option<Window>>,
    /// When it last said that it is ready.
    ready_at: Cell<f64>,
    /// When it last said anything.
    at: Cell<f64>,
}

impl Helper {
    /// Listens for the helper window of the bridge at this port.
    pub fn listen(port: u16) -> Self {
        let origin = ["http://127.0.0.1:", &port.to_string()].concat();
        let heard = Rc::new(Heard::default());
        let (expected, latest) = (origin.clone(), Rc::clone(&heard));
        let on_message = Closure::new(move |event: MessageEvent| {
            if event.origin() != expected {
                return;
            }
            let said = event.data().as_string();
            if said.as_deref() == Some(relay::ASKING) {
                latest.at.set(Date::now());
            }
            let is_ready = said.as_deref() == Some(relay::READY);
            if let Some(window) = event.source().filter(|_| is_ready) {
                let window: Window = window.unchecked_into();
                let _ = window.post_message(&relay::HERE.into(), &expected);
                *latest.window.borrow_mut() = Some(window);
                latest.at.set(Date::now());
                latest.ready_at.set(Date::now());
            }
        });
        let listener = on_message.as_ref().unchecked_ref();
        let _ = leptos::prelude::window().add_event_listener_with_callback("message", listener);
        Self { origin, opened: RefCell::new(None), opened_at: Cell::new(0.0), heard, _on_message: on_message }
    }

    /// Opens the window; only in answer to a click, or the browser stops it. Whether it did.
    pub fn open(&self) -> bool {
        let page = leptos::prelude::window();
        let own = page.location().origin().unwrap_or_default();
        let url = [&self.origin, relay::PATH, "?origin=", &String::from(js_sys::encode_uri_component(&own))].concat();
        let opened = page.open_with_url_and_target_and_features(&url, NAME, FEATURES);
        let Ok(Some(window)) = opened else { return false };
        *self.opened.borrow_mut() = Some(window);
        self.opened_at.set(Date::now());
        note(Some("open"));
        true
    }

    /// Whether this tab has used the window before.
    pub fn was_used() -> bool {
        storage().and_then(|storage| storage.get_item(NOTE).ok().flatten()).is_some()
    }

    /// Goes without the window from now on.
    pub fn forget() {
        note(None);
    }

    /// Waits until the window is there and its person has allowed this website.
    ///
    /// # Errors
    ///
    /// When it was closed, nothing comes from it, or nobody allows the website in time.
    pub async fn ready(&self, milliseconds: u32) -> Result<(), Diagnosis> {
        for _ in 0..milliseconds / LOOK_EVERY {
            let now = Date::now();
            if now - self.heard.ready_at.get() < SPEAKS_WITHIN {
                return Ok(());
            }
            if self.opened.borrow().as_ref().is_some_and(|window| window.closed().unwrap_or(true)) {
                return Err(Diagnosis::HelperClosed);
            }
            let last_sign = self.heard.at.get().max(self.opened_at.get());
            if self.opened.borrow().is_some() && now - last_sign > f64::from(diagnosis::HELPER_THERE_WITHIN) {
                return Err(Diagnosis::HelperSilent);
            }
            sleep(LOOK_EVERY).await;
        }
        Err(Diagnosis::HelperClosed)
    }

    /// Has the window connect to the bridge for this page.
    pub fn connect(&self) -> Option<(HelperLine, Happenings)> {
        let window = self.heard.window.borrow().clone()?;
        let channel = MessageChannel::new().ok()?;
        let ours = channel.port1();
        let (sender, happenings) = mpsc::unbounded();
        let is_open = Rc::new(Cell::new(false));
        let opened = Rc::clone(&is_open);
        let on_message = Closure::new(move |event: MessageEvent| {
            let Some(said) = event.data().as_string() else { return };
            let happened = match relay::FromRelay::read(&said) {
                Some(relay::FromRelay::Opened) => {
                    opened.set(true);
                    Happened::Opened
                }
                Some(relay::FromRelay::Said(text)) => Happened::Said(text.to_owned()),
                Some(relay::FromRelay::Closed(code)) => {
                    opened.set(false);
                    Happened::Closed(code)
                }
                None => return,
            };
            let _ = sender.unbounded_send(happened);
        });
        ours.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        let transferred = Array::of1(&channel.port2());
        window.post_message_with_transfer(&relay::CONNECT.into(), &self.origin, &transferred).ok()?;
        Some((HelperLine { port: ours, is_open, _on_message: on_message }, happenings))
    }
}

fn storage() -> Option<web_sys::Storage> {
    leptos::prelude::window().session_storage().ok().flatten()
}

fn note(value: Option<&str>) {
    let Some(storage) = storage() else { return };
    let _ = match value {
        Some(value) => storage.set_item(NOTE, value),
        None => storage.remove_item(NOTE),
    };
}

/// A connection through the window. It is closed when dropped.
pub struct HelperLine {
    port: MessagePort,
    is_open: Rc<Cell<bool>>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
}

impl Line for HelperLine {
    fn is_open(&self) -> bool {
        self.is_open.get()
    }

    fn speaks_ours(&self) -> bool {
        // The window connects to the bridge that it came from.
        true
    }

    fn send(&self, text: &str) -> Result<(), JsValue> {
        self.port.post_message(&relay::said(text).into())
    }

    fn close(&self) {
        self.is_open.set(false);
        let _ = self.port.post_message(&relay::CLOSE.into());
    }
}

impl Drop for HelperLine {
    fn drop(&mut self) {
        self.close();
        self.port.set_onmessage(None);
        self.port.close();
    }
}
