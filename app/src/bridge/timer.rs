//! Waiting, and not for ever.

use std::{future::Future, time::Duration};

use futures::{
    channel::oneshot,
    future::{Either, select},
    pin_mut,
};

/// Waits.
pub async fn sleep(milliseconds: u32) {
    let (ring, bell) = oneshot::channel();
    leptos::prelude::set_timeout(
        move || {
            let _ = ring.send(());
        },
        Duration::from_millis(u64::from(milliseconds)),
    );
    let _ = bell.await;
}

/// Waits for something, for a limited time; nothing where it takes longer.
pub async fn within<T>(milliseconds: u32, awaited: impl Future<Output = T>) -> Option<T> {
    let timer = sleep(milliseconds);
    pin_mut!(awaited, timer);
    match select(awaited, timer).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(_) => None,
    }
}
