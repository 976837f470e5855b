//! The audit trail, and what reports count of it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::{
    figure::{CountedFor, DayCount, Days, Figure, OrganisationCount},
    organisation::Organisation,
    ports::{DailyCounts, StoreError, TrailRecords},
    ra::{TrailFilter, TrailPlace},
    trail::{TrailName, TrailRecord},
};
use time::Date;

use super::MemoryTransaction;

#[async_trait]
impl TrailRecords for MemoryTransaction {
    async fn trail_head(&mut self) -> Result<Option<TrailRecord>, StoreError> {
        Ok(self.working.trail.last().cloned())
    }

    async fn insert_trail_record(&mut self, record: &TrailRecord) -> Result<(), StoreError> {
        if self.working.trail.iter().any(|row| row.number == record.number) {
            return Err(StoreError::Conflict);
        }
        self.working.trail.push(record.clone());
        Ok(())
    }

    async fn trail_from(&mut self, number: u64, limit: u64) -> Result<Vec<TrailRecord>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(self.working.trail.iter().filter(|record| record.number >= number).take(limit).cloned().collect())
    }

    async fn search_trail(
        &mut self,
        filter: &TrailFilter,
        after: Option<TrailPlace>,
        limit: u64,
    ) -> Result<Vec<TrailRecord>, StoreError> {
        let is_wanted = |record: &&TrailRecord| {
            let entry = record.read().unwrap();
            let by = entry.by.map(|by| by.officer);
            filter.from.is_none_or(|from| entry.at >= from)
                && filter.until.is_none_or(|until| entry.at < until)
                && filter.event.is_none_or(|event| entry.event == event)
                && filter.officer.as_ref().is_none_or(|officer| by.as_ref() == Some(officer))
                && filter.person.as_ref().is_none_or(|person| entry.person.as_ref() == Some(person))
                && filter.card.as_ref().is_none_or(|card| entry.card.as_ref() == Some(card))
                && after.is_none_or(|after| (entry.at, record.number) < (after.at, after.number))
        };
        let mut found: Vec<TrailRecord> = self.working.trail.iter().filter(is_wanted).cloned().collect();
        found.sort_by_key(|record| std::cmp::Reverse((record.read().unwrap().at, record.number)));
        found.truncate(usize::try_from(limit).unwrap());
        Ok(found)
    }

    async fn trail_before(
        &mut self,
        person: &TrailName,
        number: u64,
        limit: u64,
    ) -> Result<Vec<TrailRecord>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let is_theirs = |record: &&TrailRecord| record.person.as_ref() == Some(person) && record.number < number;
        let theirs = self.working.trail.iter().rev().filter(is_theirs);
        Ok(theirs.take(limit).cloned().collect())
    }
}

#[async_trait]
impl DailyCounts for MemoryTransaction {
    async fn count(
        &mut self,
        day: Date,
        figure: Figure,
        organisation: Option<&Organisation>,
    ) -> Result<(), StoreError> {
        *self.working.daily_counts.entry((organisation.cloned(), day, figure)).or_default() += 1;
        Ok(())
    }

    async fn counts_by_day(&mut self, days: Days, whose: &CountedFor) -> Result<Vec<DayCount>, StoreError> {
        let mut sums = BTreeMap::new();
        for ((organisation, day, figure), count) in &self.working.daily_counts {
            let is_meant = match whose {
                CountedFor::Everybody => true,
                CountedFor::Organisation(wanted) => organisation.as_ref() == Some(wanted),
                CountedFor::NoOrganisation => organisation.is_none(),
            };
            if is_meant && (days.first..=days.last).contains(day) {
                *sums.entry((*day, *figure)).or_default() += count;
            }
        }
        Ok(sums.into_iter().map(|((day, figure), count)| DayCount { day, figure, count }).collect())
    }

    async fn counts_by_organisation(&mut self, days: Days) -> Result<Vec<OrganisationCount>, StoreError> {
        let mut sums = BTreeMap::new();
        for ((organisation, day, figure), count) in &self.working.daily_counts {
            if (days.first..=days.last).contains(day) {
                *sums.entry((organisation.clone(), *figure)).or_default() += count;
            }
        }
        let count = |((organisation, figure), count)| OrganisationCount { organisation, figure, count };
        Ok(sums.into_iter().map(count).collect())
    }

    async fn organisations(&mut self) -> Result<Vec<Organisation>, StoreError> {
        let mut names: Vec<_> =
            self.working.daily_counts.keys().filter_map(|(organisation, ..)| organisation.clone()).collect();
        names.dedup();
        Ok(names)
    }
}
