//! Reports: how often what happened, over time and in each organisation. They are sums of daily counts, so they take as
//! long as they have days, however many people there are and however long the trail is.

use std::collections::BTreeMap;

use time::{Date, Duration, Month};

use super::{Desk, DeskError, RaOfficer, Task};
use crate::{
    figure::{CountedFor, Days, Figure},
    organisation::Organisation,
};

/// How many days a report has at most: ten years.
pub const LONGEST_REPORT: i64 = 3_660;

/// How a report is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// By days.
    Day,
    /// By weeks, which begin on a Monday (ISO 8601).
    Week,
    /// By months.
    Month,
}

impl Step {
    /// The first day of the step in which a day is; before the calendar begins there is none.
    fn beginning(self, day: Date) -> Date {
        match self {
            Self::Day => day,
            Self::Week => {
                let since_monday = i64::from(day.weekday().number_days_from_monday());
                day.checked_sub(Duration::days(since_monday)).unwrap_or(Date::MIN)
            }
            Self::Month => day.replace_day(1).unwrap_or(day),
        }
    }

    /// The first day of the next step.
    fn next(self, beginning: Date) -> Date {
        let next = match self {
            Self::Day => beginning.next_day(),
            Self::Week => beginning.checked_add(Duration::days(7)),
            Self::Month => {
                let year = if beginning.month() == Month::December { beginning.year() + 1 } else { beginning.year() };
                Date::from_calendar_date(year, beginning.month().next(), 1).ok()
            }
        };
        next.unwrap_or(Date::MAX)
    }
}

/// How often each figure happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket([u64; Figure::ALL.len()]);

impl Bucket {
    /// How often one did.
    pub fn of(&self, figure: Figure) -> u64 {
        self.0[figure as usize]
    }

    fn add(&mut self, figure: Figure, count: u64) {
        self.0[figure as usize] += count;
    }
}

/// A line of a report: its first day within the report, and what happened from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportLine {
    /// The first day.
    pub first: Date,
    /// What happened.
    pub bucket: Bucket,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Over time: a line for each step, also where nothing happened.
    pub lines: Vec<ReportLine>,
    /// The sum of these lines.
    pub total: Bucket,
    /// In each organisation where anything happened; those of whom none is known come first.
    pub organisations: Vec<(Option<Organisation>, Bucket)>,
    /// Every organisation that can be asked for.
    pub known: Vec<Organisation>,
}

impl Desk {
    /// The day on which it is now, where the service is.
    pub fn today(&self) -> Date {
        self.environment.calendar.date(self.environment.now())
    }

    /// Makes a report. It has no name in it, so that it was looked at is not noted.
    ///
    /// # Errors
    ///
    /// [`DeskError::NotDays`] where there are none, or more than [`LONGEST_REPORT`].
    pub async fn report(
        &self,
        officer: &RaOfficer,
        days: Days,
        step: Step,
        whose: &CountedFor,
    ) -> Result<Report, DeskError> {
        officer.may_do(Task::SeeReports)?;
        if !(0..LONGEST_REPORT).contains(&(days.last - days.first).whole_days()) {
            return Err(DeskError::NotDays);
        }
        let mut transaction = self.environment.store.begin().await?;
        let by_day = transaction.counts_by_day(days, whose).await?;
        let by_organisation = transaction.counts_by_organisation(days).await?;
        let known = transaction.organisations().await?;
        drop(transaction);

        let mut lines = BTreeMap::new();
        let mut beginning = step.beginning(days.first);
        while beginning <= days.last && beginning < Date::MAX {
            lines.insert(beginning, Bucket::default());
            beginning = step.next(beginning);
        }
        let mut total = Bucket::default();
        for count in by_day {
            lines.entry(step.beginning(count.day)).or_default().add(count.figure, count.count);
            total.add(count.figure, count.count);
        }
        let mut organisations: Vec<(Option<Organisation>, Bucket)> = Vec::new();
        for count in by_organisation {
            if organisations.last().is_none_or(|(last, _)| *last != count.organisation) {
                organisations.push((count.organisation, Bucket::default()));
            }
            if let Some((_, bucket)) = organisations.last_mut() {
                bucket.add(count.figure, count.count);
            }
        }
        let lines = lines
            .into_iter()
            .map(|(beginning, bucket)| ReportLine { first: beginning.max(days.first), bucket })
            .collect();
        Ok(Report { lines, total, organisations, known })
    }
}
