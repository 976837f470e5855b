//! The people, their cards, and what cards hold.

use async_trait::async_trait;
use card_protocol::Guid;
use domain::{
    Timestamp,
    authority::StoredAuthority,
    card::{Card, CardPublicKey},
    issuance::Issuance,
    person::{Person, UserNumber},
    ports::{Cards, Issuances, KeyRings, People, StoreError},
    ra::PersonQuery,
    token::KeyId,
    trail::{Reference, TrailName},
    unlock_key::{KeyRing, StoredUnlockKey},
};

use super::{MemoryTransaction, insert, save};

#[async_trait]
impl People for MemoryTransaction {
    async fn person(&mut self, number: &UserNumber) -> Result<Option<Person>, StoreError> {
        Ok(self.working.people.get(number).cloned())
    }

    async fn find_people(&mut self, query: &PersonQuery, limit: u64) -> Result<Vec<Person>, StoreError> {
        let tables = &self.working;
        let is_meant = |person: &&Person| {
            let number = &person.user_number;
            let registered = tables.registrations.get(number).map(|registration| &registration.email);
            query.user_number.as_ref() == Some(number)
                || query.email.is_some() && (query.email == person.email || query.email.as_ref() == registered)
                || query.card.and_then(|card| tables.cards.get(&card)).is_some_and(|card| card.holder == *number)
                || query.reference.as_ref().and_then(|reference| tables.references.get(reference.as_str()))
                    == Some(number)
                || query.name.as_ref().is_some_and(|name| person.search_names().iter().any(|own| own.starts_with(name)))
        };
        let mut found: Vec<_> = tables.people.values().filter(is_meant).cloned().collect();
        found.sort_by_key(|person| (person.search_names(), person.user_number.clone()));
        found.truncate(usize::try_from(limit).unwrap());
        Ok(found)
    }

    async fn insert_person(&mut self, person: &Person) -> Result<(), StoreError> {
        insert(&mut self.working.people, person.user_number.clone(), person.clone())
    }

    async fn people_named(&mut self, names: &[TrailName]) -> Result<Vec<Person>, StoreError> {
        Ok(self.working.people.values().filter(|person| names.contains(&person.trail_name())).cloned().collect())
    }

    async fn save_person(&mut self, person: &Person) -> Result<(), StoreError> {
        let row = self.working.people.get_mut(&person.user_number).ok_or(StoreError::Conflict)?;
        (row.email, row.role, row.language) = (person.email.clone(), person.role, person.language);
        Ok(())
    }

    async fn insert_reference(
        &mut self,
        reference: &Reference,
        person: &UserNumber,
        _: Timestamp,
    ) -> Result<(), StoreError> {
        insert(&mut self.working.references, reference.as_str().to_owned(), person.clone())
    }
}

#[async_trait]
impl Cards for MemoryTransaction {
    async fn card(&mut self, guid: &Guid) -> Result<Option<Card>, StoreError> {
        Ok(self.working.cards.get(guid).cloned())
    }

    async fn card_with_key(&mut self, key: &CardPublicKey) -> Result<Option<Guid>, StoreError> {
        let has = |card: &&Card| card.authentication_key == *key || card.card_authentication_key == *key;
        Ok(self.working.cards.values().find(has).map(|card| card.guid))
    }

    async fn cards_of(&mut self, holder: &UserNumber) -> Result<Vec<Card>, StoreError> {
        Ok(self.working.cards.values().filter(|card| card.holder == *holder).cloned().collect())
    }

    async fn guids_of(&mut self, holders: &[UserNumber]) -> Result<Vec<(UserNumber, Guid)>, StoreError> {
        let theirs = self.working.cards.values().filter(|card| holders.contains(&card.holder));
        Ok(theirs.map(|card| (card.holder.clone(), card.guid)).collect())
    }

    async fn insert_card(&mut self, card: &Card) -> Result<(), StoreError> {
        insert(&mut self.working.cards, card.guid, card.clone())
    }

    async fn save_card(&mut self, card: &Card) -> Result<(), StoreError> {
        save!(self.working.cards.get_mut(&card.guid), card)
    }
}

#[async_trait]
impl KeyRings for MemoryTransaction {
    async fn key_ring(&mut self, guid: &Guid) -> Result<Option<KeyRing>, StoreError> {
        Ok(self.working.key_rings.get(guid).cloned())
    }

    async fn insert_key_ring(&mut self, ring: &KeyRing) -> Result<(), StoreError> {
        insert(&mut self.working.key_rings, ring.guid, ring.clone())
    }

    async fn save_key_ring(&mut self, ring: &KeyRing) -> Result<(), StoreError> {
        save!(self.working.key_rings.get_mut(&ring.guid), ring)
    }

    async fn unlock_key(&mut self, id: KeyId) -> Result<Option<StoredUnlockKey>, StoreError> {
        Ok(self.working.unlock_keys.get(&id).cloned())
    }

    async fn unlock_keys_after(&mut self, _: Option<KeyId>, _: u64) -> Result<Vec<StoredUnlockKey>, StoreError> {
        Err(StoreError::Unavailable("no rule looks at all unlock keys".into()))
    }

    async fn save_resealed_unlock_key(&mut self, _: &StoredUnlockKey) -> Result<(), StoreError> {
        Err(StoreError::Unavailable("no rule seals unlock keys anew".into()))
    }

    async fn insert_unlock_key(&mut self, key: &StoredUnlockKey) -> Result<(), StoreError> {
        match self.working.unlock_keys.insert(key.id, key.clone()) {
            Some(_) => Err(StoreError::Conflict),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Issuances for MemoryTransaction {
    async fn issuance(&mut self, guid: &Guid) -> Result<Option<Issuance>, StoreError> {
        Ok(self.working.issuances.get(guid).cloned())
    }

    async fn insert_issuance(&mut self, issuance: &Issuance) -> Result<(), StoreError> {
        insert(&mut self.working.issuances, issuance.guid, issuance.clone())
    }

    async fn save_issuance(&mut self, issuance: &Issuance) -> Result<(), StoreError> {
        save!(self.working.issuances.get_mut(&issuance.guid), issuance)
    }

    async fn issuances_of(&mut self, person: &UserNumber) -> Result<Vec<Issuance>, StoreError> {
        let theirs = self.working.issuances.values().filter(|issuance| issuance.person == *person);
        Ok(theirs.cloned().collect())
    }

    async fn issuances_after(&mut self, after: Option<Guid>, limit: u64) -> Result<Vec<Issuance>, StoreError> {
        let later = self.working.issuances.values().filter(|issuance| Some(issuance.guid) > after);
        Ok(later.take(usize::try_from(limit).unwrap()).cloned().collect())
    }

    async fn certificate_authority(&mut self) -> Result<Option<StoredAuthority>, StoreError> {
        Ok(self.working.authority.clone())
    }

    async fn insert_certificate_authority(&mut self, authority: &StoredAuthority) -> Result<(), StoreError> {
        match self.working.authority.replace(authority.clone()) {
            None => Ok(()),
            Some(_) => Err(StoreError::Conflict),
        }
    }

    async fn save_resealed_authority(&mut self, authority: &StoredAuthority) -> Result<(), StoreError> {
        self.working.authority = Some(authority.clone());
        Ok(())
    }
}
