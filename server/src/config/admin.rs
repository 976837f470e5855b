//! The listener for operators, and how the end of the service is announced on it.

use std::{net::SocketAddr, time::Duration};

use serde::Deserialize;

use super::FieldError;

/// The longest pause before the service stops listening.
const LONGEST_PAUSE: u64 = 300;

/// Section `admin`: where operators ask whether the service lives, whether it is ready, and for its figures.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdminSection {
    /// Where it listens; nowhere unless named.
    pub listen: Option<SocketAddr>,
    /// For how many seconds the pages are served on at SIGTERM while `/readyz` already says no, so that a balancer sends
    /// nobody here any more. Without a listener nobody asks, and there is no such pause.
    pub drain_after_seconds: u64,
}

impl Default for AdminSection {
    fn default() -> Self {
        Self { listen: None, drain_after_seconds: 5 }
    }
}

impl AdminSection {
    pub(super) fn validate(&self, public: SocketAddr) -> Result<(), FieldError> {
        let Some(listen) = self.listen else { return Ok(()) };
        if listen.ip().is_unspecified() {
            return Err(FieldError::new(
                "admin.listen",
                "is a loopback address, or the one of a network that only operators reach: not all of them",
            ));
        }
        if listen.port() == public.port() && (public.ip().is_unspecified() || listen.ip() == public.ip()) {
            return Err(FieldError::new("admin.listen", "is another port than that of listen"));
        }
        if self.drain_after_seconds > LONGEST_PAUSE {
            return Err(FieldError::new("admin.drain_after_seconds", format!("is {LONGEST_PAUSE} at most")));
        }
        Ok(())
    }

    /// How long to go on serving once the end was announced.
    pub fn pause(&self) -> Duration {
        self.listen.map_or(Duration::ZERO, |_| Duration::from_secs(self.drain_after_seconds))
    }
}
