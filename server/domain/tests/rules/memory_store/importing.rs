//! Many at once.

use async_trait::async_trait;
use card_protocol::Guid;
use domain::{
    card::{Card, CardPublicKey},
    import::ImportRun,
    organisation::Organisation,
    person::{Person, UserNumber},
    ports::{BulkEnrolment, Cards, ImportRuns, KeyRings, NewlyEnrolled, People, StoreError, TrailRecords},
    registration::Registration,
    token::ImportId,
    trail::{TrailRecord, TrailSalt},
};

use super::MemoryTransaction;

#[async_trait]
impl BulkEnrolment for MemoryTransaction {
    async fn people_among(&mut self, numbers: &[UserNumber]) -> Result<Vec<Person>, StoreError> {
        Ok(self.working.people.values().filter(|person| numbers.contains(&person.user_number)).cloned().collect())
    }

    async fn trail_salts_among(&mut self, numbers: &[UserNumber]) -> Result<Vec<(UserNumber, TrailSalt)>, StoreError> {
        let people = self.people_among(numbers).await?;
        Ok(people.into_iter().map(|person| (person.user_number, person.trail_salt)).collect())
    }

    async fn cards_among(&mut self, guids: &[Guid]) -> Result<Vec<Card>, StoreError> {
        Ok(self.working.cards.values().filter(|card| guids.contains(&card.guid)).cloned().collect())
    }

    async fn keys_among(&mut self, fingerprints: &[[u8; 32]]) -> Result<Vec<[u8; 32]>, StoreError> {
        let keys =
            self.working.cards.values().flat_map(|card| [&card.authentication_key, &card.card_authentication_key]);
        Ok(keys.map(CardPublicKey::fingerprint).filter(|known| fingerprints.contains(known)).collect())
    }

    async fn registrations_among(&mut self, people: &[UserNumber]) -> Result<Vec<Registration>, StoreError> {
        Ok(self.working.registrations.values().filter(|found| people.contains(&found.person)).cloned().collect())
    }

    async fn move_people(&mut self, people: &[(UserNumber, Organisation)]) -> Result<(), StoreError> {
        for (number, organisation) in people {
            self.working.people.get_mut(number).unwrap().organisation = Some(organisation.clone());
        }
        Ok(())
    }

    async fn insert_people(&mut self, people: &[Person]) -> Result<(), StoreError> {
        for person in people {
            self.insert_person(person).await?;
        }
        Ok(())
    }

    async fn enrol_batch(&mut self, batch: &[&NewlyEnrolled], records: &[TrailRecord]) -> Result<(), StoreError> {
        for new in batch {
            self.insert_card(&new.card).await?;
            self.insert_unlock_key(&new.unlock_key).await?;
            self.insert_key_ring(&new.key_ring).await?;
        }
        for record in records {
            self.insert_trail_record(record).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl ImportRuns for MemoryTransaction {
    async fn insert_import_run(&mut self, run: &ImportRun) -> Result<(), StoreError> {
        self.working.import_runs.push(run.clone());
        Ok(())
    }

    async fn save_import_run(&mut self, run: &ImportRun) -> Result<(), StoreError> {
        let row = self.working.import_runs.iter_mut().find(|row| row.id == run.id).ok_or(StoreError::Conflict)?;
        *row = run.clone();
        Ok(())
    }

    async fn import_run(&mut self, id: ImportId) -> Result<Option<ImportRun>, StoreError> {
        Ok(self.working.import_runs.iter().find(|run| run.id == id).cloned())
    }

    async fn latest_import_runs(&mut self, limit: u64) -> Result<Vec<ImportRun>, StoreError> {
        let mut runs = self.working.import_runs.clone();
        runs.sort_by_key(|run| std::cmp::Reverse(run.began_at));
        runs.truncate(usize::try_from(limit).unwrap());
        Ok(runs)
    }
}
