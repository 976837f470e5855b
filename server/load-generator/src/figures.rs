//! How long answers took, by what was asked.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use hyper::StatusCode;
use serde::Serialize;

/// What was noted of one round.
#[derive(Default)]
pub struct Figures(Mutex<BTreeMap<&'static str, Noted>>);

#[derive(Default)]
struct Noted {
    answered: Vec<Duration>,
    busy: Vec<Duration>,
}

/// Of the answers to one server function.
#[derive(Serialize)]
pub struct Summary {
    answered: usize,
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    /// How many were told to ask again later, and how long the slowest of them waited for that.
    busy: usize,
    busy_p99_ms: f64,
    busy_max_ms: f64,
}

impl Figures {
    /// Notes an answer.
    pub fn note(&self, asked: &'static str, status: StatusCode, took: Duration) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let noted = noted.entry(asked).or_default();
        let is_busy = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&status);
        if is_busy { &mut noted.busy } else { &mut noted.answered }.push(took);
    }

    /// What came of all.
    pub fn summaries(&self) -> BTreeMap<&'static str, Summary> {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.iter_mut().map(|(asked, noted)| (*asked, noted.summary())).collect()
    }
}

impl Noted {
    fn summary(&mut self) -> Summary {
        self.answered.sort_unstable();
        self.busy.sort_unstable();
        let milliseconds = |of: &[Duration], part| quantile(of, part).as_secs_f64() * 1000.0;
        Summary {
            answered: self.answered.len(),
            p50_ms: milliseconds(&self.answered, 0.5),
            p99_ms: milliseconds(&self.answered, 0.99),
            max_ms: milliseconds(&self.answered, 1.0),
            busy: self.busy.len(),
            busy_p99_ms: milliseconds(&self.busy, 0.99),
            busy_max_ms: milliseconds(&self.busy, 1.0),
        }
    }
}

/// The duration that this part of them did not exceed; none where there are none.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small counts"
)]
fn quantile(sorted: &[Duration], part: f64) -> Duration {
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_the_duration_that_so_many_did_not_exceed() {
        let sorted: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!([0.5, 0.99, 1.0].map(|part| quantile(&sorted, part).as_millis()), [100, 198, 200]);
        assert_eq!(quantile(&[], 0.5), Duration::ZERO);
    }
}
