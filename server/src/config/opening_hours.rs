//! Section `ra.hours`: when the Registration Authority is open, and what people are told of it at a point in time.

mod words;

use domain::{Timestamp, language::Language};
use jiff::{
    SignedDuration, ToSpan,
    civil::{Date, Weekday},
};
use serde::Deserialize;

use super::{
    FieldError, LocalTimeZone,
    time_zone::{instant, timestamp},
};
use words::Words;

/// How many days are looked ahead for the next opening. What stays open for longer has no end that is worth telling.
const DAYS_AHEAD: usize = 14;

/// How many openings and closings are told in advance: a page stays open over some of them.
const TOLD_AHEAD: usize = 4;

const MINUTES_A_DAY: u16 = 24 * 60;

/// When it is open, for each day of the week in the service's time zone: `08:00-18:00`, or several such times with commas
/// between them. A day without any is closed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OpeningHours {
    /// On Mondays.
    pub monday: DayHours,
    /// On Tuesdays.
    pub tuesday: DayHours,
    /// On Wednesdays.
    pub wednesday: DayHours,
    /// On Thursdays.
    pub thursday: DayHours,
    /// On Fridays.
    pub friday: DayHours,
    /// On Saturdays.
    pub saturday: DayHours,
    /// On Sundays.
    pub sunday: DayHours,
    /// Days on which it is closed whatever day of the week they are: `2026-12-25`.
    pub closed_on: Vec<ClosedDay>,
}

/// The times of one day at which it is open, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct DayHours(Vec<Times>);

/// From when to when, in minutes of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Times {
    from: u16,
    until: u16,
}

/// A day on which it is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ClosedDay(Date);

/// The text is not of times of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is like 08:00-18:00, or several of them in their order with commas between them, 24:00 at the latest")]
pub struct NotHours;

/// The text is no date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is a date like 2026-12-25")]
pub struct NotADate;

/// What is true until a point in time: `Closed now, opens Monday 8am`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Until when.
    pub until: Timestamp,
    /// The words.
    pub text: String,
}

/// A time without a break in which it is open.
struct Opening {
    from: jiff::Timestamp,
    until: jiff::Timestamp,
}

impl OpeningHours {
    /// From Monday to Friday, 8am to 6pm.
    pub fn of_an_office() -> Self {
        let hours = DayHours(vec![Times { from: 8 * 60, until: 18 * 60 }]);
        let [monday, tuesday, wednesday, thursday, friday] = std::array::from_fn(|_| hours.clone());
        Self { monday, tuesday, wednesday, thursday, friday, ..Self::default() }
    }

    pub(super) fn validate(&self) -> Result<(), FieldError> {
        if self.week().iter().all(|day| day.0.is_empty()) {
            return Err(FieldError::new("ra.hours", "names at least one day"));
        }
        Ok(())
    }

    /// A usual week in words: `Monday to Friday, 8am to 6pm`.
    pub fn in_words(&self, language: Language) -> String {
        Words::of(language).week(&self.week().map(|day| day.0.as_slice()))
    }

    /// What is true at a point in time, and what will be after it, each as it is told then.
    pub fn told(&self, language: Language, zone: &LocalTimeZone, now: Timestamp) -> Vec<Told> {
        let words = Words::of(language);
        let mut told = Vec::new();
        let mut from = instant(now);
        for opening in self.openings(zone, from) {
            if from < opening.from {
                let text = words.opens(&zone.at(from), &zone.at(opening.from));
                told.push(Told { until: timestamp(opening.from), text });
            }
            from = from.max(opening.from);
            let text = words.open_until(&zone.at(from), &zone.at(opening.until));
            told.push(Told { until: timestamp(opening.until), text });
            from = opening.until;
        }
        told.truncate(TOLD_AHEAD);
        told
    }

    /// The openings from a point in time on, also the one that is under way.
    fn openings(&self, zone: &LocalTimeZone, now: jiff::Timestamp) -> Vec<Opening> {
        let yesterday = zone.at(now).date().saturating_sub(1.day());
        let days = yesterday.series(1.day()).take(DAYS_AHEAD).filter(|day| !self.closed_on.contains(&ClosedDay(*day)));
        let each = days.flat_map(|day| {
            let at = move |minutes| zone.instant_of_day(day, SignedDuration::from_mins(i64::from(minutes)));
            let times = self.of(day.weekday()).0.iter();
            times.map(move |times| Opening { from: at(times.from), until: at(times.until) })
        });
        let mut openings: Vec<Opening> = Vec::new();
        for next in each.filter(|opening| opening.until > now) {
            match openings.last_mut() {
                Some(last) if last.until == next.from => last.until = next.until,
                _ => openings.push(next),
            }
        }
        openings
    }

    fn of(&self, day: Weekday) -> &DayHours {
        match day {
            Weekday::Monday => &self.monday,
            Weekday::Tuesday => &self.tuesday,
            Weekday::Wednesday => &self.wednesday,
            Weekday::Thursday => &self.thursday,
            Weekday::Friday => &self.friday,
            Weekday::Saturday => &self.saturday,
            Weekday::Sunday => &self.sunday,
        }
    }

    /// Monday first.
    fn week(&self) -> [&DayHours; 7] {
        let mut days = Weekday::Monday.cycle_forward();
        std::array::from_fn(|_| self.of(days.next().unwrap_or(Weekday::Monday)))
    }
}

impl TryFrom<String> for DayHours {
    type Error = NotHours;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let minutes = |time: &str| {
            let (hour, minute) = time.trim().split_once(':')?;
            let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
            let total = hour * 60 + minute;
            (hour <= 24 && minute < 60 && total <= MINUTES_A_DAY).then_some(total)
        };
        let mut day: Vec<Times> = Vec::new();
        for times in text.split(',').filter(|_| !text.trim().is_empty()) {
            let (from, until) = times.split_once('-').ok_or(NotHours)?;
            let (Some(from), Some(until)) = (minutes(from), minutes(until)) else { return Err(NotHours) };
            if from >= until || day.last().is_some_and(|last| last.until >= from) {
                return Err(NotHours);
            }
            day.push(Times { from, until });
        }
        Ok(Self(day))
    }
}

impl TryFrom<String> for ClosedDay {
    type Error = NotADate;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self).map_err(|_| NotADate)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn hours(text: &str) -> DayHours {
        DayHours::try_from(text.to_owned()).unwrap()
    }

    fn told(hours: &OpeningHours, now: Timestamp) -> Vec<String> {
        let told = hours.told(Language::English, &LocalTimeZone::default(), now);
        told.into_iter().map(|told| told.text).collect()
    }

    #[test]
    fn whoever_comes_on_saturday_is_told_of_monday() {
        let office = OpeningHours::of_an_office();
        assert_eq!(
            told(&office, datetime!(2026-11-28 12:00 UTC)),
            [
                "Closed now, opens Monday 8am",
                "Open now, until 6pm",
                "Closed now, opens Tuesday 8am",
                "Open now, until 6pm"
            ]
        );
        let told = office.told(Language::Welsh, &LocalTimeZone::default(), datetime!(2026-11-28 12:00 UTC));
        assert_eq!(told[0].text, "Ar gau nawr, yn agor ddydd Llun am 8yb");
        assert_eq!(told[0].until, datetime!(2026-11-30 8:00 UTC));
    }

    #[test]
    fn times_are_those_of_the_zone() {
        let office = OpeningHours::of_an_office();
        assert_eq!(told(&office, datetime!(2026-07-01 06:59:59 UTC))[0], "Closed now, opens 8am");
        assert_eq!(told(&office, datetime!(2026-07-01 07:00 UTC))[0], "Open now, until 6pm");
        assert_eq!(told(&office, datetime!(2026-07-01 16:59:59 UTC))[0], "Open now, until 6pm");
        assert_eq!(told(&office, datetime!(2026-07-01 17:00 UTC))[0], "Closed now, opens Thursday 8am");
    }

    #[test]
    fn a_day_on_which_it_is_closed_is_passed_over() {
        let closed_on = ["2026-12-25", "2026-12-28"].map(|day| ClosedDay::try_from(day.to_owned()).unwrap()).to_vec();
        let office = OpeningHours { closed_on, ..OpeningHours::of_an_office() };
        assert_eq!(told(&office, datetime!(2026-12-24 18:00 UTC))[0], "Closed now, opens Tuesday 8am");
        let monthly =
            OpeningHours { wednesday: hours("09:30-12:00"), closed_on: office.closed_on, ..Default::default() };
        assert_eq!(told(&monthly, datetime!(2026-12-23 12:00 UTC))[0], "Closed now, opens 30 December, 9:30am");
    }

    #[test]
    fn what_goes_on_over_midnight_is_one_opening() {
        let night =
            OpeningHours { friday: hours("20:00-24:00"), saturday: hours("00:00-06:00"), ..OpeningHours::default() };
        assert_eq!(told(&night, datetime!(2026-11-27 23:30 UTC))[0], "Open now, until Saturday 6am");
        assert_eq!(told(&night, datetime!(2026-11-28 00:30 UTC))[0], "Open now, until 6am");
    }

    #[test]
    fn what_never_closes_has_no_end() {
        let [monday, tuesday, wednesday, thursday, friday, saturday, sunday] =
            std::array::from_fn(|_| hours("00:00-24:00"));
        let closed_on = Vec::new();
        let always = OpeningHours { monday, tuesday, wednesday, thursday, friday, saturday, sunday, closed_on };
        assert_eq!(told(&always, datetime!(2026-11-28 12:00 UTC)), ["Open now"]);
        assert_eq!(always.in_words(Language::English), "Every day, all day");
        assert_eq!(always.in_words(Language::Welsh), "Bob dydd, drwy’r dydd");
    }

    #[test]
    fn a_week_is_told_in_as_few_words_as_it_has_differences() {
        let week = OpeningHours {
            wednesday: hours("08:00-12:00, 13:30-18:00"),
            saturday: hours("09:00-12:00"),
            sunday: hours("09:00-12:00"),
            ..OpeningHours::of_an_office()
        };
        assert_eq!(
            week.in_words(Language::English),
            "Monday and Tuesday, 8am to 6pm; Wednesday, 8am to midday and 1:30pm to 6pm; Thursday and Friday, 8am to \
             6pm; Saturday and Sunday, 9am to midday"
        );
        assert_eq!(OpeningHours::of_an_office().in_words(Language::English), "Monday to Friday, 8am to 6pm");
        assert_eq!(OpeningHours::of_an_office().in_words(Language::Welsh), "Dydd Llun i ddydd Gwener, 8yb i 6yp");
    }

    #[test]
    fn what_are_no_hours_is_refused() {
        for text in
            ["8am-6pm", "18:00-08:00", "08:00-08:00", "08:00-24:01", "08:60-09:00", "8-18", "09:00-12:00,11:00-13:00"]
        {
            assert_eq!(DayHours::try_from(text.to_owned()), Err(NotHours), "{text}");
        }
        assert_eq!(ClosedDay::try_from("25 December".to_owned()), Err(NotADate));
        assert!(OpeningHours::default().validate().is_err(), "one that never opens");
    }
}
