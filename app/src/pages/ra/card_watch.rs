//! The officer's card: while a page of the desk is open it stays in the reader, or the session ends.

use leptos::{prelude::*, task::spawn_local};

use crate::{app::Way, bridge::Bridge, server_fns::session::card_removed};

/// Watches the card, and signs out when it leaves, or when nobody can tell whether it is there.
#[component]
pub fn CardWatch() -> impl IntoView {
    let (bridge, way) = (Bridge::of_page(), Way::of_page());
    let own = StoredValue::new(None::<String>);
    let gone = move || {
        bridge.forget_reader();
        spawn_local(async move {
            // Where this does not arrive, the session ends by itself soon.
            if card_removed().await.is_err() {
                way.go("/sign-in?removed");
            }
        });
    };
    Effect::new(move |_| {
        spawn_local(async move {
            if bridge.connect().await.is_err() {
                gone();
            }
        });
    });
    Effect::new(move |held_before: Option<usize>| {
        let held_before = held_before.unwrap_or_default();
        let Some(holding) = bridge.readers_with_card() else {
            // Not connected yet, or not any more.
            if held_before > 0 {
                gone();
            }
            return 0;
        };
        if own.get_value().is_none() && held_before <= holding.len() {
            let found = bridge.own_reader(&holding);
            if let Some(reader) = &found {
                // Another card may come into another reader: this one stays the officer's.
                bridge.choose_reader(reader.clone());
            }
            own.set_value(found);
        }
        let is_there = own.with_value(|own| match own {
            Some(own) => holding.contains(own),
            // Of several nobody knows which is theirs: whichever leaves may be it.
            None => !holding.is_empty() && held_before <= holding.len(),
        });
        if !is_there {
            gone();
            return 0;
        }
        holding.len()
    });
}
