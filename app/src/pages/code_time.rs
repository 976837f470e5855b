//! The time of a code runs out: announced five minutes and one minute before, and when it is over. No countdown.

use std::time::Duration;

use leptos::prelude::*;

use crate::{announcer::Announcer, moment::Moment, t};

/// At how many minutes before the end it is announced.
const MINUTES_BEFORE: [u32; 3] = [5, 1, 0];

/// Announces how the time of the latest code runs out; what was announced of an earlier one ends.
pub fn announce(valid_until: RwSignal<Option<Moment>>) {
    let announcer = expect_context::<Announcer>();
    Effect::new(move |_| {
        let Some(at) = valid_until.get() else {
            return;
        };
        let left = at.seconds_from_now();
        for minutes in MINUTES_BEFORE.into_iter().filter(|minutes| left > minutes * 60) {
            let at = at.clone();
            let say = move || {
                let still = valid_until.try_with_untracked(|latest| latest.as_ref() == Some(&at));
                if still == Some(true) {
                    announcer.say(words(minutes));
                }
            };
            set_timeout(say, Duration::from_secs((left - minutes * 60).into()));
        }
    });
}

fn words(minutes_left: u32) -> String {
    if minutes_left == 0 { t::code_over().to_owned() } else { t::code_minutes_left(minutes_left) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_not_called_zero_minutes() {
        assert_eq!(MINUTES_BEFORE.map(words)[1], "Your code works for 1 more minute.");
        assert_eq!(words(0), "Your code has expired. Ask for a new one.");
    }
}
