//! The whole trail, for the managers of the RA's desk.

use leptos::{prelude::*, server_fn::codec::Json};
use serde::{Deserialize, Serialize};

use super::ra::DeskFault;
use crate::moment::Moment;
#[cfg(feature = "ssr")]
use {
    super::{
        ra::{check_word_of, officer, reason_word_of},
        reports::day,
        services,
        session::ActivityKind,
    },
    crate::{pages::profile::activity::kind_word, t},
    domain::{
        Timestamp,
        person::{Person, UserNumber},
        ra::{DeskError, TrailLine as DomainLine, TrailPlace, TrailQuery},
        trail::{Event, Outcome},
    },
};

/// What stands in the address of a search.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrailParameters {
    /// The first day.
    pub from: String,
    /// The last day.
    pub until: String,
    /// What happened: the name of an event.
    pub event: String,
    /// The user number of an officer.
    pub officer: String,
    /// The user number of a person.
    pub person: String,
    /// The number of a card.
    pub card: String,
    /// Where the page begins.
    pub after: String,
}

#[cfg(feature = "ssr")]
impl TrailParameters {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// [`DeskFault::NotDays`], [`DeskFault::Unknown`] where somebody or something is meant that there cannot be.
    pub fn read(&self) -> Result<TrailQuery, DeskFault> {
        let filled = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let number = |text: &str| match filled(text) {
            Some(text) => UserNumber::parse(&text).map(Some).map_err(|_| DeskFault::Unknown),
            None => Ok(None),
        };
        let card = match filled(&self.card) {
            Some(text) => Some(text.replace(['-', ' ', ':'], "").parse().map_err(|_| DeskFault::Unknown)?),
            None => None,
        };
        Ok(TrailQuery {
            first: day(&self.from)?,
            last: day(&self.until)?,
            event: Event::parse(&self.event),
            officer: number(&self.officer)?,
            person: number(&self.person)?,
            card,
        })
    }

    /// Where the page begins; at the beginning where that cannot be read.
    fn place(&self) -> Option<TrailPlace> {
        let (milliseconds, number) = self.after.split_once('.')?;
        let nanoseconds = milliseconds.parse::<i128>().ok()?.checked_mul(1_000_000)?;
        let at = Timestamp::from_unix_timestamp_nanos(nanoseconds).ok()?;
        Some(TrailPlace { at, number: number.parse().ok()? })
    }
}

/// Somebody on the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Somebody {
    /// They are known.
    Known {
        /// Their user number.
        user_number: String,
        /// Their name.
        name: String,
    },
    /// They were erased.
    Erased,
}

/// A record of the trail, to be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrailLine {
    /// Its number.
    pub number: u64,
    /// When.
    pub at: Moment,
    /// What, in words.
    pub event: String,
    /// Whether it went as it was meant to.
    pub is_done: bool,
    /// To whom.
    pub person: Option<Somebody>,
    /// With which card, where that is still known.
    pub card: Option<String>,
    /// By which officer.
    pub officer: Option<Somebody>,
    /// Why, and how the person was recognised, in words.
    pub why: Vec<String>,
    /// The reference that an error page showed.
    pub reference: Option<String>,
}

/// A page of the trail, to be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrailView {
    /// What was looked for.
    pub parameters: TrailParameters,
    /// Why nothing can be found by that.
    pub fault: Option<DeskFault>,
    /// What can have happened: names and words.
    pub events: Vec<(String, String)>,
    /// The records.
    pub lines: Vec<TrailLine>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

/// Searches the trail.
///
/// # Errors
///
/// [`DeskFault`].
#[server(prefix = "/api", endpoint = "ra/trail", input = Json, output = Json)]
pub async fn search_trail(parameters: TrailParameters) -> Result<TrailView, DeskFault> {
    let (_, officer) = officer().await?;
    let events = Event::ALL.map(|event| (event.name(), event_word(event).to_owned())).to_vec();
    let query = parameters.read();
    let found = match query {
        Ok(query) => match services().desk.search_trail(&officer, &query, parameters.place()).await {
            Err(DeskError::Unknown) => Err(DeskFault::Unknown),
            found => Ok(found?),
        },
        Err(fault) => {
            officer.may_do(domain::ra::Task::SearchTrail)?;
            Err(fault)
        }
    };
    Ok(match found {
        Ok(page) => TrailView {
            parameters,
            fault: None,
            events,
            lines: page.lines.into_iter().map(TrailLine::from).collect(),
            next: page.next.map(|place| format!("{}.{}", place.at.unix_timestamp_nanos() / 1_000_000, place.number)),
        },
        Err(fault) => TrailView { parameters, fault: Some(fault), events, lines: Vec::new(), next: None },
    })
}

#[cfg(feature = "ssr")]
fn event_word(event: Event) -> &'static str {
    ActivityKind::of_event(event).map_or_else(t::event_person_erased, kind_word)
}

#[cfg(feature = "ssr")]
impl From<DomainLine> for TrailLine {
    fn from(DomainLine { number, entry, person, card, officer }: DomainLine) -> Self {
        let somebody = |known: Option<Person>| match known {
            Some(person) => Somebody::Known { user_number: person.user_number.to_string(), name: person.name },
            None => Somebody::Erased,
        };
        let why = entry.by.as_ref().map_or_else(Vec::new, |by| {
            let words = [by.reason.map(reason_word_of), by.check.map(check_word_of)];
            let files = by.files.map(|files| [files.people.to_string(), files.cards.to_string()]);
            words.into_iter().flatten().map(str::to_owned).chain(files.into_iter().flatten()).collect()
        });
        Self {
            number,
            at: entry.at.into(),
            event: event_word(entry.event).to_owned(),
            is_done: entry.outcome == Outcome::Done,
            person: entry.person.is_some().then(|| somebody(person)),
            card: card.map(|guid| guid.to_string()),
            officer: entry.by.is_some().then(|| somebody(officer)),
            why,
            reference: entry.reference.map(|reference| reference.as_str().to_owned()),
        }
    }
}
