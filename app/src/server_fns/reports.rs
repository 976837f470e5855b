//! Reports at the RA's desk.

use leptos::{prelude::*, server_fn::codec::Json};
use serde::{Deserialize, Serialize};

use super::ra::DeskFault;
#[cfg(feature = "ssr")]
use {
    super::{ra::officer, services},
    domain::{
        figure::{CountedFor, Days, Figure},
        organisation::Organisation,
        ra::{Bucket, Step as DomainStep},
    },
    time::{Date, Duration, format_description::BorrowedFormatItem, macros::format_description},
};

/// In place of an organisation: people of whom none is known. No organisation is called so.
pub const NO_ORGANISATION: &str = " ";

/// How many days a report has where nobody says.
#[cfg(feature = "ssr")]
const DAYS: i64 = 30;

#[cfg(feature = "ssr")]
pub(super) const DATE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// What stands in the address of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReportParameters {
    /// The first day; 30 days back where it is empty.
    pub from: String,
    /// The last day; today where it is empty.
    pub until: String,
    /// `day`, `week` or `month`.
    pub step: String,
    /// An organisation, [`NO_ORGANISATION`], or empty for everybody.
    pub organisation: String,
    /// `organisation` in the address of the file that has these.
    pub by: String,
}

/// What a report is asked for, as the rules know it.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug)]
pub struct ReportWanted {
    /// The days.
    pub days: Days,
    /// How it is divided.
    pub step: DomainStep,
    /// Whose counts.
    pub whose: CountedFor,
}

#[cfg(feature = "ssr")]
impl ReportParameters {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// [`DeskFault::NotDays`], also where the organisation can be none.
    pub fn read(&self, today: Date) -> Result<ReportWanted, DeskFault> {
        let last = day(&self.until)?.unwrap_or(today);
        let usual = last.checked_sub(Duration::days(DAYS - 1));
        let first = day(&self.from)?.or(usual).ok_or(DeskFault::NotDays)?;
        let step = match self.step.as_str() {
            "week" => DomainStep::Week,
            "month" => DomainStep::Month,
            _ => DomainStep::Day,
        };
        let whose = match self.organisation.as_str() {
            "" => CountedFor::Everybody,
            NO_ORGANISATION => CountedFor::NoOrganisation,
            name => CountedFor::Organisation(Organisation::parse(name).map_err(|_| DeskFault::NotDays)?),
        };
        Ok(ReportWanted { days: Days { first, last }, step, whose })
    }

    /// Whether the file is to have organisations in place of days.
    pub fn is_by_organisation(&self) -> bool {
        self.by == "organisation"
    }
}

/// Reads a day, as a field of dates sends it; nothing where it is empty.
#[cfg(feature = "ssr")]
pub(super) fn day(text: &str) -> Result<Option<Date>, DeskFault> {
    if text.is_empty() {
        return Ok(None);
    }
    Date::parse(text, DATE).map(Some).map_err(|_| DeskFault::NotDays)
}

/// How often what happened: registered, unlocked, locked out, mails that failed.
pub type Counts = [u64; 4];

/// A report, to be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportView {
    /// What was asked for, with nothing left empty but the organisation.
    pub parameters: ReportParameters,
    /// Why there is no report for that.
    pub fault: Option<DeskFault>,
    /// The first day of each step, and what happened.
    pub lines: Vec<(String, Counts)>,
    /// The sum.
    pub total: Counts,
    /// What happened in each organisation; nothing in place of its name where none is known.
    pub organisations: Vec<(Option<String>, Counts)>,
    /// The organisations that can be asked for.
    pub known: Vec<String>,
}

/// Makes a report.
///
/// # Errors
///
/// [`DeskFault`].
#[server(prefix = "/api", endpoint = "ra/report", input = Json, output = Json)]
pub async fn report(parameters: ReportParameters) -> Result<ReportView, DeskFault> {
    let (_, officer) = officer().await?;
    let desk = &services().desk;
    let today = desk.today();
    let nothing = |fault| ReportView {
        parameters: parameters.clone(),
        fault: Some(fault),
        lines: Vec::new(),
        total: Counts::default(),
        organisations: Vec::new(),
        known: Vec::new(),
    };
    let wanted = match parameters.read(today) {
        Ok(wanted) => wanted,
        Err(fault) => return Ok(nothing(fault)),
    };
    let report = match desk.report(&officer, wanted.days, wanted.step, &wanted.whose).await {
        Ok(report) => report,
        Err(domain::ra::DeskError::NotDays) => return Ok(nothing(DeskFault::NotDays)),
        Err(fault) => return Err(fault.into()),
    };
    let text = |day: Date| day.format(DATE).unwrap_or_default();
    let counts = |bucket: &Bucket| Figure::ALL.map(|figure| bucket.of(figure));
    let step = match wanted.step {
        DomainStep::Day => "day",
        DomainStep::Week => "week",
        DomainStep::Month => "month",
    };
    Ok(ReportView {
        fault: None,
        lines: report.lines.iter().map(|line| (text(line.first), counts(&line.bucket))).collect(),
        total: counts(&report.total),
        organisations: report
            .organisations
            .iter()
            .map(|(organisation, bucket)| (organisation.clone().map(String::from), counts(bucket)))
            .collect(),
        known: report.known.into_iter().map(String::from).collect(),
        parameters: ReportParameters {
            from: text(wanted.days.first),
            until: text(wanted.days.last),
            step: step.to_owned(),
            ..parameters
        },
    })
}
