//! Whether the Registration Authority is open, as pages tell it.

use std::sync::Arc;

use app::config::OpeningState;
use domain::{language::Language, ports::Clock};

use crate::config::{LocalTimeZone, OpeningHours, Told};

/// When it is open, and what is needed to say whether it is now.
#[derive(Clone)]
pub struct Opening {
    /// When.
    pub hours: OpeningHours,
    /// Where.
    pub zone: LocalTimeZone,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Opening {
    /// What is true now, and what comes after that.
    pub(super) fn told(&self, language: Language) -> Vec<OpeningState> {
        let told = self.hours.told(language, &self.zone, self.clock.now());
        told.into_iter().map(|Told { until, text }| OpeningState { until: milliseconds(until), text }).collect()
    }
}

/// As browsers count: exact until the year 287,396.
#[expect(clippy::cast_precision_loss, reason = "a browser's point in time is a floating-point number")]
fn milliseconds(at: domain::Timestamp) -> f64 {
    (at.unix_timestamp() as f64) * 1000.0
}
