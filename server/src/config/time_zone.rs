//! The time zone in which people are told times.

use domain::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;

/// An IANA time zone, by its name: `Europe/London`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct LocalTimeZone(TimeZone);

/// The name is of no time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is the name of an IANA time zone, like Europe/London")]
pub struct UnknownTimeZone;

impl LocalTimeZone {
    /// The time of day, as on a clock on the wall: `3:14am`.
    pub fn time_of_day(&self, at: Timestamp) -> String {
        self.format(at, "%-I:%M%P")
    }

    /// The day: `24 November 2026`.
    pub fn day(&self, at: Timestamp) -> String {
        self.format(at, "%-d %B %Y")
    }

    fn format(&self, at: Timestamp, format: &str) -> String {
        // Out of range only some 8,000 years from now.
        let at = jiff::Timestamp::from_second(at.unix_timestamp()).unwrap_or(jiff::Timestamp::MAX);
        at.to_zoned_datetime(self.0.clone()).strftime(format).to_string()
    }
}

impl Default for LocalTimeZone {
    fn default() -> Self {
        Self(TimeZone::get("Europe/London").unwrap_or(TimeZone::UTC))
    }
}

impl TryFrom<String> for LocalTimeZone {
    type Error = UnknownTimeZone;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        TimeZone::get(&name).map(Self).map_err(|_| UnknownTimeZone)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn summer_and_winter_are_told_apart() {
        let london = LocalTimeZone::default();
        assert_eq!(london.time_of_day(datetime!(2026-07-01 02:14:59 UTC)), "3:14am");
        assert_eq!(london.time_of_day(datetime!(2026-12-01 15:04 UTC)), "3:04pm");
        assert_eq!(london.day(datetime!(2026-06-30 23:30 UTC)), "1 July 2026");
    }
}
