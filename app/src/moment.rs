//! Points in time on their way to a person: the server sends them as RFC 3339 in UTC, the browser shows its own time.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::t;

/// A point in time, as RFC 3339 in UTC: `2026-03-14T03:14:00Z`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment(String);

/// How much of a moment is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The time of day.
    Time,
    /// The date.
    Date,
    /// Both.
    DateTime,
}

#[cfg(feature = "ssr")]
impl From<domain::Timestamp> for Moment {
    fn from(at: domain::Timestamp) -> Self {
        let at = at.to_offset(time::UtcOffset::UTC).replace_nanosecond(0).unwrap_or(at);
        Self(at.format(&time::format_description::well_known::Rfc3339).unwrap_or_default())
    }
}

impl Moment {
    /// How many seconds from now, by the browser's clock; 0 where it is past.
    pub fn seconds_from_now(&self) -> u32 {
        let milliseconds = js_sys::Date::parse(&self.0) - js_sys::Date::now();
        // Casts from floating point saturate.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a wait is at most an hour")]
        let seconds = (milliseconds / 1000.0).ceil() as u32;
        seconds
    }

    /// The UTC text: shown until the browser has put its own time in place.
    fn universal(&self, shown: Shown) -> String {
        let (date, time) = (self.0.get(..10).unwrap_or_default(), self.0.get(11..16).unwrap_or_default());
        match shown {
            Shown::Time => [time, " UTC"].concat(),
            Shown::Date => date.to_owned(),
            Shown::DateTime => [date, " ", time, " UTC"].concat(),
        }
    }

    /// The text in the browser's time zone, in the form of the page's language: `3:14am`, `14 March 2026`.
    fn local(&self, shown: Shown) -> String {
        let at = js_sys::Date::new(&self.0.as_str().into());
        let time = || {
            let (hour, minute) = (at.get_hours(), at.get_minutes());
            let half = if hour < 12 { t::time_morning() } else { t::time_afternoon() };
            let zero = if minute < 10 { "0" } else { "" };
            [&((hour + 11) % 12 + 1).to_string(), ":", zero, &minute.to_string(), half].concat()
        };
        let date =
            || [&at.get_date().to_string(), " ", month(at.get_month()), " ", &at.get_full_year().to_string()].concat();
        match shown {
            Shown::Time => time(),
            Shown::Date => date(),
            Shown::DateTime => [date(), ", ".to_owned(), time()].concat(),
        }
    }
}

/// The name of a month, from 0.
fn month(number: u32) -> &'static str {
    match number {
        0 => t::month_1(),
        1 => t::month_2(),
        2 => t::month_3(),
        3 => t::month_4(),
        4 => t::month_5(),
        5 => t::month_6(),
        6 => t::month_7(),
        7 => t::month_8(),
        8 => t::month_9(),
        9 => t::month_10(),
        10 => t::month_11(),
        _ => t::month_12(),
    }
}

/// Shows a moment: in UTC as rendered by the server, in the browser's own time once the page is taken over.
#[component]
pub fn Time(
    /// When.
    at: Moment,
    /// How much of it.
    shown: Shown,
) -> impl IntoView {
    let text = RwSignal::new(at.universal(shown));
    let machine_readable = at.0.clone();
    Effect::new(move |_| text.set(at.local(shown)));
    view! { <time datetime=machine_readable>{move || text.get()}</time> }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn the_server_says_that_its_time_is_utc() {
        let at = Moment::from(domain::Timestamp::UNIX_EPOCH + time::Duration::milliseconds(11_640_250));
        assert_eq!(at.0, "1970-01-01T03:14:00Z");
        assert_eq!(at.universal(Shown::Time), "03:14 UTC");
        assert_eq!(at.universal(Shown::DateTime), "1970-01-01 03:14 UTC");
    }
}
