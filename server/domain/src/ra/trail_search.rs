//! The whole trail, for managers: searched by days, event, officer, person and card, page by page, or copied. That somebody
//! looked stands on the trail itself.
//!
//! People and cards stand there under salted names. Whoever still exists is found again by their name; of whoever was
//! erased there is only the name, and nothing that says whose it was.

use std::collections::HashMap;

use card_protocol::Guid;
use time::Date;

use super::{Desk, DeskError, RaOfficer, Task};
use crate::{
    Timestamp,
    environment::retry_on_conflict,
    person::{Person, UserNumber},
    ports::{StoreError, Transaction},
    trail::{ByOfficer, Event, Outcome, TrailEntry, TrailName, TrailRecord},
};

/// How many records a page has.
pub const TRAIL_PAGE: usize = 50;

/// How many records of a copy are read in one transaction.
const COPIED_AT_ONCE: usize = 1_000;

/// What is looked for: all of it has to fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailQuery {
    /// From the beginning of this day on.
    pub first: Option<Date>,
    /// To the end of this day.
    pub last: Option<Date>,
    /// What happened.
    pub event: Option<Event>,
    /// By which officer.
    pub officer: Option<UserNumber>,
    /// To whom.
    pub person: Option<UserNumber>,
    /// With which card.
    pub card: Option<Guid>,
}

/// The same, as the store can look for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailFilter {
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// What happened.
    pub event: Option<Event>,
    /// By which officer.
    pub officer: Option<TrailName>,
    /// To whom.
    pub person: Option<TrailName>,
    /// With which card.
    pub card: Option<TrailName>,
}

/// Where a record stands when the latest comes first: by its time, and by its number where a time has several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrailPlace {
    /// Its time.
    pub at: Timestamp,
    /// Its number.
    pub number: u64,
}

/// A record, with those of whom it tells as far as they are still known.
#[derive(Clone, Debug)]
pub struct TrailLine {
    /// Its number.
    pub number: u64,
    /// What it tells.
    pub entry: TrailEntry,
    /// To whom it happened.
    pub person: Option<Person>,
    /// With which card.
    pub card: Option<Guid>,
    /// Which officer did it.
    pub officer: Option<Person>,
}

/// A page of what was found.
#[derive(Clone, Debug)]
pub struct TrailPage {
    /// The records, the latest first.
    pub lines: Vec<TrailLine>,
    /// Where the next page begins, if there is one.
    pub next: Option<TrailPlace>,
}

/// A copy that is being made. The record that tells of it comes first, where the search asks for it.
#[derive(Clone, Debug)]
pub struct TrailCopy {
    filter: TrailFilter,
    place: Option<TrailPlace>,
}

impl Desk {
    /// Searches the trail: a page that comes after a place, or the first. That somebody looks is noted, once in a
    /// row.
    ///
    /// # Errors
    ///
    /// [`DeskError::Unknown`] where the officer, the person or the card of the query is not known (any more).
    pub async fn search_trail(
        &self,
        officer: &RaOfficer,
        query: &TrailQuery,
        after: Option<TrailPlace>,
    ) -> Result<TrailPage, DeskError> {
        officer.may_do(Task::SearchTrail)?;
        retry_on_conflict!(async {
            let mut transaction = self.environment.store.begin().await?;
            let filter = self.filter(&mut *transaction, query).await?;
            let limit = TRAIL_PAGE as u64 + 1;
            let mut records = transaction.search_trail(&filter, after, limit).await?;
            let next = (records.len() > TRAIL_PAGE).then(|| records.truncate(TRAIL_PAGE));
            let next = next.and_then(|()| records.last().and_then(place));
            let lines = with_people(&mut *transaction, records).await?;
            self.note(&mut *transaction, officer, Event::TrailRead, &filter).await?;
            transaction.commit().await?;
            Ok::<_, DeskError>(TrailPage { lines, next })
        })
    }

    /// Begins a copy of all that a search finds, and notes that.
    ///
    /// # Errors
    ///
    /// As [`Self::search_trail`].
    pub async fn copy_trail(&self, officer: &RaOfficer, query: &TrailQuery) -> Result<TrailCopy, DeskError> {
        officer.may_do(Task::SearchTrail)?;
        retry_on_conflict!(async {
            let mut transaction = self.environment.store.begin().await?;
            let filter = self.filter(&mut *transaction, query).await?;
            self.note(&mut *transaction, officer, Event::TrailExported, &filter).await?;
            transaction.commit().await?;
            Ok::<_, DeskError>(TrailCopy { filter, place: None })
        })
    }

    /// The next lines of a copy, the latest first; none at its end. Each is a short transaction, so that nobody waits
    /// for a copy, and what is added meanwhile is later than what is still to come.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn continue_copy(&self, copy: &mut TrailCopy) -> Result<Vec<TrailLine>, StoreError> {
        let mut transaction = self.environment.store.begin().await?;
        let records = transaction.search_trail(&copy.filter, copy.place, COPIED_AT_ONCE as u64).await?;
        let Some(last) = records.last() else { return Ok(Vec::new()) };
        // Nobody is to take a part for the whole.
        if records.iter().any(|record| record.read().is_none()) {
            return Err(StoreError::Unavailable("a record of the trail cannot be read".into()));
        }
        copy.place = place(last);
        with_people(&mut *transaction, records).await
    }

    async fn filter(&self, transaction: &mut dyn Transaction, query: &TrailQuery) -> Result<TrailFilter, DeskError> {
        let calendar = &self.environment.calendar;
        let after_last = query.last.and_then(Date::next_day);
        let officer = match &query.officer {
            Some(number) => Some(transaction.person(number).await?.ok_or(DeskError::Unknown)?.trail_name()),
            None => None,
        };
        let mut person = match &query.person {
            Some(number) => Some(transaction.person(number).await?.ok_or(DeskError::Unknown)?),
            None => None,
        };
        let mut card = None;
        if let Some(guid) = &query.card {
            let found = transaction.card(guid).await?.ok_or(DeskError::Unknown)?;
            let holder = transaction.person(&found.holder).await?.ok_or(DeskError::Unknown)?;
            card = Some(holder.trail_salt.name_card(guid));
            // A card is its holder's, so that their records are all that have to be looked at.
            person.get_or_insert(holder);
        }
        Ok(TrailFilter {
            from: query.first.map(|first| calendar.beginning(first)),
            until: after_last.map(|day| calendar.beginning(day)),
            event: query.event,
            officer,
            person: person.map(|person| person.trail_name()),
            card,
        })
    }

    /// Notes on the trail that an officer looked at it, and for whom; again and again the same stands there once.
    async fn note(
        &self,
        transaction: &mut dyn Transaction,
        officer: &RaOfficer,
        event: Event,
        filter: &TrailFilter,
    ) -> Result<(), StoreError> {
        let entry = TrailEntry {
            at: self.environment.now(),
            event,
            outcome: Outcome::Done,
            person: filter.person.clone(),
            card: filter.card.clone(),
            reference: None,
            by: Some(ByOfficer::only(officer.trail_name.clone())),
        };
        let latest = transaction.trail_head().await?.and_then(|record| record.read());
        let is_noted =
            event == Event::TrailRead && latest.is_some_and(|latest| TrailEntry { at: entry.at, ..latest } == entry);
        if is_noted { Ok(()) } else { self.environment.append(transaction, entry, None).await }
    }
}

/// Where a record stands; a record that cannot be read stands nowhere.
fn place(record: &TrailRecord) -> Option<TrailPlace> {
    Some(TrailPlace { at: record.read()?.at, number: record.number })
}

/// Finds those of whom records tell.
async fn with_people(
    transaction: &mut dyn Transaction,
    records: Vec<TrailRecord>,
) -> Result<Vec<TrailLine>, StoreError> {
    let entries: Vec<(u64, TrailEntry)> =
        records.iter().filter_map(|record| Some((record.number, record.read()?))).collect();
    let told = entries.iter().flat_map(|(_, entry)| [entry.person.as_ref(), entry.by.as_ref().map(|by| &by.officer)]);
    let mut names: Vec<TrailName> = told.flatten().cloned().collect();
    names.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    names.dedup();
    let people = transaction.people_named(&names).await?;
    let numbers: Vec<UserNumber> = people.iter().map(|person| person.user_number.clone()).collect();
    let salts: HashMap<&UserNumber, &Person> = people.iter().map(|person| (&person.user_number, person)).collect();
    let mut cards = HashMap::new();
    for (holder, guid) in transaction.guids_of(&numbers).await? {
        if let Some(person) = salts.get(&holder) {
            cards.insert(person.trail_salt.name_card(&guid).as_str().to_owned(), guid);
        }
    }
    let people: HashMap<String, &Person> =
        people.iter().map(|person| (person.trail_name().as_str().to_owned(), person)).collect();
    let who =
        |name: Option<&TrailName>| name.and_then(|name| people.get(name.as_str())).map(|person| (*person).clone());
    let line = |(number, entry): (u64, TrailEntry)| TrailLine {
        number,
        person: who(entry.person.as_ref()),
        officer: who(entry.by.as_ref().map(|by| &by.officer)),
        card: entry.card.as_ref().and_then(|name| cards.get(name.as_str())).copied(),
        entry,
    };
    Ok(entries.into_iter().map(line).collect())
}
