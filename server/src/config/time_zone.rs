//! The time zone in which people are told times.

use domain::{Timestamp, ports::Calendar};
use jiff::tz::TimeZone;
use serde::Deserialize;
use time::{Date, Month};

/// An IANA time zone, by its name: `Europe/London`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct LocalTimeZone(TimeZone);

/// The name is of no time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is the name of an IANA time zone, like Europe/London")]
pub struct UnknownTimeZone;

impl LocalTimeZone {
    /// The time of day, as on a clock on the wall: `3:14am`. What stands behind a time of the morning comes first.
    pub fn time_of_day(&self, at: Timestamp, [morning, afternoon]: [&str; 2]) -> String {
        let time = self.zoned(at);
        let half = if time.hour() < 12 { morning } else { afternoon };
        format!("{}{half}", time.strftime("%-I:%M"))
    }

    /// The day: `24 November 2026`.
    pub fn day(&self, at: Timestamp, months: &[&str; 12]) -> String {
        let day = self.zoned(at);
        let month = usize::try_from(day.month() - 1).ok().and_then(|month| months.get(month)).copied();
        format!("{} {} {}", day.day(), month.unwrap_or_default(), day.year())
    }

    /// A point in time, as clocks show it here.
    pub(super) fn at(&self, at: jiff::Timestamp) -> jiff::ZonedDateTime {
        at.to_zoned_datetime(self.0.clone())
    }

    /// When clocks show a time of a day here. One that they skip is told by what they show instead.
    pub(super) fn instant_of_day(&self, day: jiff::civil::Date, time: jiff::SignedDuration) -> jiff::Timestamp {
        let at = day.at(0, 0, 0, 0).saturating_add(time);
        at.to_zoned_datetime(self.0.clone()).map_or(jiff::Timestamp::MAX, |zoned| zoned.timestamp())
    }

    fn zoned(&self, at: Timestamp) -> jiff::ZonedDateTime {
        self.at(instant(at))
    }
}

/// A point in time, in whole seconds.
pub(super) fn instant(at: Timestamp) -> jiff::Timestamp {
    // Out of range only some 8,000 years from now.
    jiff::Timestamp::from_second(at.unix_timestamp()).unwrap_or(jiff::Timestamp::MAX)
}

/// The same for the rules.
pub(super) fn timestamp(at: jiff::Timestamp) -> Timestamp {
    Timestamp::from_unix_timestamp(at.as_second()).unwrap_or(Timestamp::UNIX_EPOCH)
}

impl Calendar for LocalTimeZone {
    fn date(&self, at: Timestamp) -> Date {
        let date = self.zoned(at).date();
        let month = u8::try_from(date.month()).ok().and_then(|month| Month::try_from(month).ok());
        let day = u8::try_from(date.day()).ok();
        let read =
            month.zip(day).and_then(|(month, day)| Date::from_calendar_date(date.year().into(), month, day).ok());
        read.unwrap_or_else(|| at.date())
    }

    fn beginning(&self, date: Date) -> Timestamp {
        let universal = date.midnight().assume_utc();
        let numbers = (i16::try_from(date.year()), i8::try_from(u8::from(date.month())), i8::try_from(date.day()));
        let (Ok(year), Ok(month), Ok(day)) = numbers else { return universal };
        let zoned = jiff::civil::Date::new(year, month, day).and_then(|date| date.to_zoned_datetime(self.0.clone()));
        let seconds = zoned.ok().map(|zoned| zoned.timestamp().as_second());
        seconds.and_then(|seconds| Timestamp::from_unix_timestamp(seconds).ok()).unwrap_or(universal)
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
    use time::macros::{date, datetime};

    use super::*;

    #[test]
    fn summer_and_winter_are_told_apart() {
        let london = LocalTimeZone::default();
        let time_of_day = |at| london.time_of_day(at, ["yb", "yp"]);
        assert_eq!(time_of_day(datetime!(2026-07-01 02:14:59 UTC)), "3:14yb");
        assert_eq!(time_of_day(datetime!(2026-12-01 15:04 UTC)), "3:04yp");
        assert_eq!(time_of_day(datetime!(2026-12-01 12:00 UTC)), "12:00yp");
        let months = ["1", "2", "3", "4", "5", "6", "July", "8", "9", "10", "11", "December"];
        assert_eq!(london.day(datetime!(2026-06-30 23:30 UTC), &months), "1 July 2026");
        assert_eq!(london.day(datetime!(2026-12-31 23:30 UTC), &months), "31 December 2026");
    }

    #[test]
    fn a_day_is_one_of_the_zone_also_where_clocks_change() {
        let london = LocalTimeZone::default();
        assert_eq!(london.date(datetime!(2026-06-30 23:30 UTC)), date!(2026 - 07 - 01));
        assert_eq!(london.date(datetime!(2026-12-31 23:59:59.999 UTC)), date!(2026 - 12 - 31));
        assert_eq!(london.beginning(date!(2026 - 07 - 01)), datetime!(2026-06-30 23:00 UTC));
        assert_eq!(london.beginning(date!(2026 - 03 - 29)), datetime!(2026-03-29 0:00 UTC));
        assert_eq!(london.beginning(date!(2026 - 03 - 30)), datetime!(2026-03-29 23:00 UTC));
    }
}
