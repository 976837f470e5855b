//! Many people and cards at once. Each table is asked, and added to, in a few statements.

use std::collections::HashMap;

use async_trait::async_trait;
use card_protocol::{Guid, Slot};
use domain::{
    card::Card,
    organisation::Organisation,
    person::{Person, UserNumber},
    ports::{BulkEnrolment, NewlyEnrolled, StoreError},
    registration::Registration,
    trail::{TrailRecord, TrailSalt},
};
use sea_orm::{FromQueryResult, QuerySelect, entity::prelude::*};

use super::{card_keys, cards, key_rings, people, registrations, trail, unlock_keys};
use crate::{SqlTransaction, value};

/// How many rows are named in one statement that has another parameter besides.
const AT_ONCE: usize = 10_000;

/// What of a person is read to name them on the trail.
#[derive(FromQueryResult)]
struct Salted {
    user_number: String,
    trail_salt: Vec<u8>,
}

#[async_trait]
impl BulkEnrolment for SqlTransaction {
    async fn people_among(&mut self, numbers: &[UserNumber]) -> Result<Vec<Person>, StoreError> {
        let numbers: Vec<&str> = numbers.iter().map(UserNumber::as_str).collect();
        let rows = self.list_among::<people::Entity, _>(people::Column::UserNumber, &numbers).await?;
        rows.into_iter().map(Person::try_from).collect()
    }

    async fn trail_salts_among(&mut self, numbers: &[UserNumber]) -> Result<Vec<(UserNumber, TrailSalt)>, StoreError> {
        let mut found = Vec::with_capacity(numbers.len());
        for numbers in numbers.chunks(AT_ONCE) {
            let numbers = numbers.iter().map(UserNumber::as_str);
            let people = people::Entity::find().filter(people::Column::UserNumber.is_in(numbers));
            let columns = [people::Column::UserNumber, people::Column::TrailSalt];
            for Salted { user_number, trail_salt } in self.list_as(people.select_only().columns(columns)).await? {
                let salt = TrailSalt::new(value::read_bytes(trail_salt, "people.trail_salt")?);
                found.push((value::read_user_number(&user_number, "people.user_number")?, salt));
            }
        }
        Ok(found)
    }

    async fn cards_among(&mut self, guids: &[Guid]) -> Result<Vec<Card>, StoreError> {
        let guids: Vec<Uuid> = guids.iter().map(value::uuid).collect();
        let rows = self.list_among::<cards::Entity, _>(cards::Column::Guid, &guids).await?;
        let guids: Vec<Uuid> = rows.iter().map(|row| row.guid).collect();
        let mut keys: HashMap<Uuid, Vec<card_keys::Model>> = HashMap::new();
        for key in self.list_among::<card_keys::Entity, _>(card_keys::Column::Card, &guids).await? {
            keys.entry(key.card).or_default().push(key);
        }
        let cards = rows.into_iter().map(|row| {
            let keys = keys.remove(&row.guid).unwrap_or_default();
            row.read(&keys)
        });
        cards.collect()
    }

    async fn keys_among(&mut self, fingerprints: &[[u8; 32]]) -> Result<Vec<[u8; 32]>, StoreError> {
        let fingerprints: Vec<Vec<u8>> = fingerprints.iter().map(|fingerprint| fingerprint.to_vec()).collect();
        let rows = self.list_among::<card_keys::Entity, _>(card_keys::Column::Fingerprint, &fingerprints).await?;
        rows.into_iter().map(|row| value::read_bytes(row.fingerprint, "card_keys.fingerprint")).collect()
    }

    async fn registrations_among(&mut self, people: &[UserNumber]) -> Result<Vec<Registration>, StoreError> {
        let people: Vec<&str> = people.iter().map(UserNumber::as_str).collect();
        let rows = self.list_among::<registrations::Entity, _>(registrations::Column::Person, &people).await?;
        rows.into_iter().map(Registration::try_from).collect()
    }

    async fn move_people(&mut self, people: &[(UserNumber, Organisation)]) -> Result<(), StoreError> {
        let mut moved: HashMap<&Organisation, Vec<&str>> = HashMap::new();
        for (number, organisation) in people {
            moved.entry(organisation).or_default().push(number.as_str());
        }
        for (organisation, numbers) in moved {
            for numbers in numbers.chunks(AT_ONCE) {
                let update = people::Entity::update_many()
                    .col_expr(people::Column::Organisation, organisation.as_str().into())
                    .filter(people::Column::UserNumber.is_in(numbers.iter().copied()));
                self.update(update).await?;
            }
        }
        Ok(())
    }

    async fn insert_people(&mut self, people: &[Person]) -> Result<(), StoreError> {
        let inserts = self.inserts::<people::Entity>(people.iter().map(people::Model::from));
        self.execute_all(inserts).await
    }

    async fn enrol_batch(&mut self, batch: &[&NewlyEnrolled], records: &[TrailRecord]) -> Result<(), StoreError> {
        // What is referred to comes first: the database then finds it at once, and notes nothing for the commit. In the
        // order of their keys rows that stand side by side in an index are added one after another.
        let mut batch = batch.to_vec();
        batch.sort_unstable_by_key(|new| new.card.guid.0);
        let keys = batch.iter().flat_map(|NewlyEnrolled { card, .. }| {
            let guid = value::uuid(&card.guid);
            [
                card_keys::Model::new(guid, Slot::Authentication, &card.authentication_key),
                card_keys::Model::new(guid, Slot::CardAuthentication, &card.card_authentication_key),
            ]
        });
        let mut keys: Vec<card_keys::Model> = keys.collect();
        keys.sort_unstable_by(|a, b| a.fingerprint.cmp(&b.fingerprint));
        let rows: Vec<trail::Model> = records.iter().map(trail::Model::try_from).collect::<Result<_, _>>()?;
        let inserts = [
            self.inserts::<cards::Entity>(batch.iter().map(|new| (&new.card).into())),
            self.inserts::<card_keys::Entity>(keys.into_iter()),
            self.inserts::<unlock_keys::Entity>(batch.iter().map(|new| (&new.unlock_key).into())),
            self.inserts::<key_rings::Entity>(batch.iter().map(|new| (&new.key_ring).into())),
            self.inserts::<trail::Entity>(rows.into_iter()),
        ];
        self.execute_all(Box::new(inserts.into_iter().flatten())).await?;
        for record in records {
            self.tell(record);
        }
        Ok(())
    }
}
