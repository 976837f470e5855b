//! Opening hours in words.

use domain::language::Language;
use jiff::ZonedDateTime;

use super::{MINUTES_A_DAY, Times};
use crate::mail::letter::Words as LetterWords;

/// Later than this, a day of the week could be that of another week.
const DAYS_THAT_A_WEEKDAY_NAMES: i32 = 6;

/// The words of a language.
pub(super) struct Words {
    letter: &'static LetterWords,
    /// From Monday on.
    weekdays: [&'static str; 7],
    /// The name of a day, where nothing stands before it.
    day: fn(&str) -> String,
    two_days: fn(&str, &str) -> String,
    days: fn(&str, &str) -> String,
    every_day: &'static str,
    all_day: &'static str,
    midday: &'static str,
    midnight: &'static str,
    between_times: &'static str,
    and: &'static str,
    open: &'static str,
    open_until: &'static str,
    open_until_day: fn(&str, &str) -> String,
    opens: &'static str,
    opens_on: fn(&str, &str) -> String,
    opens_on_date: fn(&str, &str) -> String,
}

const ENGLISH: fn(&'static LetterWords) -> Words = |letter| Words {
    letter,
    weekdays: ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    day: str::to_owned,
    two_days: |first, second| format!("{first} and {second}"),
    days: |first, last| format!("{first} to {last}"),
    every_day: "Every day",
    all_day: "all day",
    midday: "midday",
    midnight: "midnight",
    between_times: " to ",
    and: " and ",
    open: "Open now",
    open_until: "Open now, until ",
    open_until_day: |day, time| format!("Open now, until {day} {time}"),
    opens: "Closed now, opens ",
    opens_on: |day, time| format!("Closed now, opens {day} {time}"),
    opens_on_date: |date, time| format!("Closed now, opens {date}, {time}"),
};

const WELSH: fn(&'static LetterWords) -> Words = |letter| Words {
    letter,
    weekdays: ["Llun", "Mawrth", "Mercher", "Iau", "Gwener", "Sadwrn", "Sul"],
    day: |day| format!("Dydd {day}"),
    two_days: |first, second| format!("Dydd {first} a dydd {second}"),
    // Behind «i», with soft mutation.
    days: |first, last| format!("Dydd {first} i ddydd {last}"),
    every_day: "Bob dydd",
    all_day: "drwy’r dydd",
    midday: "hanner dydd",
    midnight: "hanner nos",
    between_times: " i ",
    and: " a ",
    open: "Ar agor nawr",
    open_until: "Ar agor nawr, tan ",
    open_until_day: |day, time| format!("Ar agor nawr, tan {time} ddydd {day}"),
    opens: "Ar gau nawr, yn agor am ",
    opens_on: |day, time| format!("Ar gau nawr, yn agor ddydd {day} am {time}"),
    opens_on_date: |date, time| format!("Ar gau nawr, yn agor ar {date} am {time}"),
};

impl Words {
    /// Those of a language.
    pub(super) fn of(language: Language) -> Self {
        match language {
            Language::English => ENGLISH(LetterWords::of(language)),
            Language::Welsh => WELSH(LetterWords::of(language)),
        }
    }

    /// A week: days that follow each other and have the same times are told together.
    pub(super) fn week(&self, week: &[&[Times]; 7]) -> String {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for (day, times) in week.iter().enumerate().filter(|(_, times)| !times.is_empty()) {
            match runs.last_mut() {
                Some((first, last)) if *last + 1 == day && week[*first] == *times => *last = day,
                _ => runs.push((day, day)),
            }
        }
        let told = runs.into_iter().map(|(first, last)| {
            let days = match last - first {
                0 => (self.day)(self.weekdays[first]),
                1 => (self.two_days)(self.weekdays[first], self.weekdays[last]),
                6 => self.every_day.to_owned(),
                _ => (self.days)(self.weekdays[first], self.weekdays[last]),
            };
            let times: Vec<String> = week[first].iter().map(|times| self.times(*times)).collect();
            format!("{days}, {}", times.join(self.and))
        });
        told.collect::<Vec<_>>().join("; ")
    }

    fn times(&self, times: Times) -> String {
        if (times.from, times.until) == (0, MINUTES_A_DAY) {
            return self.all_day.to_owned();
        }
        [&self.time(times.from), self.between_times, &self.time(times.until)].concat()
    }

    /// A time of day, in minutes: `8am`, `1:30pm`, `midday`.
    fn time(&self, minutes: u16) -> String {
        let [morning, afternoon] = self.letter.halves_of_day;
        let (hour, minute) = (minutes / 60, minutes % 60);
        match (hour, minute) {
            (12, 0) => self.midday.to_owned(),
            (0 | 24, 0) => self.midnight.to_owned(),
            _ => {
                let half = if hour < 12 { morning } else { afternoon };
                let hour = (hour + 11) % 12 + 1;
                if minute == 0 { format!("{hour}{half}") } else { format!("{hour}:{minute:02}{half}") }
            }
        }
    }

    fn time_of(&self, at: &ZonedDateTime) -> String {
        // Neither is negative.
        self.time(u16::from(at.hour().unsigned_abs()) * 60 + u16::from(at.minute().unsigned_abs()))
    }

    /// That it is open, as it is told at a point in time.
    pub(super) fn open_until(&self, now: &ZonedDateTime, until: &ZonedDateTime) -> String {
        let time = self.time_of(until);
        match days_between(now, until) {
            0 => [self.open_until, &time].concat(),
            1..=DAYS_THAT_A_WEEKDAY_NAMES => (self.open_until_day)(self.weekday(until), &time),
            _ => self.open.to_owned(),
        }
    }

    /// That it is closed, as it is told at a point in time.
    pub(super) fn opens(&self, now: &ZonedDateTime, at: &ZonedDateTime) -> String {
        let time = self.time_of(at);
        match days_between(now, at) {
            0 => [self.opens, &time].concat(),
            1..=DAYS_THAT_A_WEEKDAY_NAMES => (self.opens_on)(self.weekday(at), &time),
            _ => {
                let month = usize::try_from(at.month() - 1).ok().and_then(|month| self.letter.months.get(month));
                (self.opens_on_date)(&format!("{} {}", at.day(), month.copied().unwrap_or_default()), &time)
            }
        }
    }

    fn weekday(&self, at: &ZonedDateTime) -> &'static str {
        let number = usize::try_from(at.weekday().to_monday_zero_offset()).unwrap_or_default();
        self.weekdays.get(number).copied().unwrap_or_default()
    }
}

/// How many days later it is, by the calendar.
fn days_between(now: &ZonedDateTime, then: &ZonedDateTime) -> i32 {
    let hours = now.date().duration_until(then.date()).as_hours();
    i32::try_from(hours / 24).unwrap_or(i32::MAX)
}
