//! What the program's service manager is told, where it wants to know (systemd's `Type=notify`): a start counts as one once
//! somebody is listened to.

use std::time::Duration;

/// How things are with the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It listens.
    Ready,
    /// It reads something again; [`Self::Ready`] follows.
    Reloading,
    /// It is about to end, and is to be given so long for it, whatever its unit says.
    Stopping {
        /// How long at most.
        within: Duration,
    },
}

/// Tells it. Where nobody wants to know, or somewhere else than on Linux, nothing happens.
pub fn tell(state: State) {
    #[cfg(target_os = "linux")]
    {
        use sd_notify::{NotifyState, notify};
        let told = match state {
            State::Ready => notify(&[NotifyState::Ready]),
            // It wants to know since when.
            State::Reloading => {
                NotifyState::monotonic_usec_now().and_then(|now| notify(&[NotifyState::Reloading, now]))
            }
            State::Stopping { within } => {
                let within = u32::try_from(within.as_micros()).unwrap_or(u32::MAX);
                notify(&[NotifyState::Stopping, NotifyState::ExtendTimeoutUsec(within)])
            }
        };
        if let Err(fault) = told {
            tracing::warn!(fault = &fault as &dyn std::error::Error, "the service manager is not told");
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = state;
}
