//! A moment, to measure from: also across a sleep of the machine, during which the usual clock for this stands still.

use std::time::{Duration, Instant, SystemTime};

/// A moment by both clocks of the machine.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// It never goes back, and may stand still while the machine sleeps.
    monotonic: Instant,
    /// It goes on, and may be set.
    wall: SystemTime,
}

impl Moment {
    /// This one.
    #[expect(clippy::disallowed_methods, reason = "this is where the bridge looks at the clocks")]
    pub fn now() -> Self {
        Self { monotonic: Instant::now(), wall: SystemTime::now() }
    }

    /// How long it is from here to a later moment: by the clock that says more, so that no set clock makes anything last
    /// longer.
    pub fn until(self, later: Self) -> Duration {
        let wall = later.wall.duration_since(self.wall).unwrap_or_default();
        later.monotonic.duration_since(self.monotonic).max(wall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_of_the_machine_counts() {
        let before = Moment::now();
        let after = Moment { wall: before.wall + Duration::from_hours(1), ..before };
        assert_eq!(before.until(after), Duration::from_hours(1));
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nothing_last_longer() {
        let before = Moment::now();
        let (monotonic, wall) = (before.monotonic + Duration::from_mins(3), before.wall - Duration::from_hours(1));
        assert_eq!(before.until(Moment { monotonic, wall }), Duration::from_mins(3));
    }
}
