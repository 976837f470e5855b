//! The store in memory: one transaction at a time, committed as a whole or not at all.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use card_protocol::{Challenge, Guid};
use domain::{
    Timestamp,
    authority::StoredAuthority,
    card::{Card, CardPublicKey},
    delivery::{MailOnRecord, MailState, Undelivered},
    figure::{CountedFor, DayCount, Days, Figure, OrganisationCount},
    import::ImportRun,
    issuance::Issuance,
    mail::OutboxMail,
    organisation::Organisation,
    person::{Person, UserNumber},
    ports::{
        BulkEnrolment, Cards, CodeMails, DailyCounts, Dispatch, ErasedRows, Erasing, Forgetting, HandledForms,
        ImportRuns, Issuances, KeyRings, NewlyEnrolled, Outbox, People, RegistrationFlows, Registrations, Sessions,
        Store, StoreError, TrailRecords, Transaction, UnlockFlows, UsedChallenge, UsedChallenges,
    },
    ra::{PersonQuery, TrailFilter, TrailPlace},
    registration::{Registration, RegistrationFlow},
    session::Session,
    token::{FlowId, FormId, ImportId, KeyId, MailId, SessionId, TokenHash},
    trail::{Reference, TrailName, TrailRecord, TrailSalt},
    unlock::UnlockFlow,
    unlock_key::{KeyRing, StoredUnlockKey},
};
use time::Date;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// The tables.
#[derive(Clone, Default)]
pub struct Tables {
    pub people: BTreeMap<UserNumber, Person>,
    pub cards: BTreeMap<Guid, Card>,
    pub key_rings: BTreeMap<Guid, KeyRing>,
    pub unlock_keys: HashMap<KeyId, StoredUnlockKey>,
    pub registrations: BTreeMap<UserNumber, Registration>,
    pub registration_flows: HashMap<SessionId, RegistrationFlow>,
    pub unlock_flows: Vec<UnlockFlow>,
    pub sessions: Vec<Session>,
    pub used_challenges: HashMap<Challenge, UsedChallenge>,
    pub handled_forms: HashMap<(FlowId, FormId), String>,
    pub code_mails: Vec<(UserNumber, Timestamp)>,
    pub trail: Vec<TrailRecord>,
    pub references: BTreeMap<String, UserNumber>,
    pub issuances: BTreeMap<Guid, Issuance>,
    pub authority: Option<StoredAuthority>,
    pub outbox: Vec<OutboxMail>,
    pub undelivered: HashMap<MailId, Undelivered>,
    pub daily_counts: BTreeMap<(Option<Organisation>, Date, Figure), u64>,
    pub import_runs: Vec<ImportRun>,
}

#[derive(Clone, Default)]
pub struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
    broken: Arc<AtomicBool>,
}

struct MemoryTransaction {
    committed: OwnedMutexGuard<Tables>,
    working: Tables,
    broken: Arc<AtomicBool>,
}

impl MemoryStore {
    /// A look at what is committed.
    pub async fn tables(&self) -> Tables {
        self.tables.lock().await.clone()
    }

    /// From now on, or no longer, every commit fails.
    pub fn break_commits(&self, broken: bool) {
        self.broken.store(broken, Ordering::SeqCst);
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn begin(&self) -> Result<Box<dyn Transaction>, StoreError> {
        let committed = Arc::clone(&self.tables).lock_owned().await;
        let working = committed.clone();
        Ok(Box::new(MemoryTransaction { committed, working, broken: Arc::clone(&self.broken) }))
    }

    async fn begin_dispatch(&self) -> Result<Box<dyn Dispatch>, StoreError> {
        Err(StoreError::Unavailable("the domain empties no outbox".into()))
    }
}

#[async_trait]
impl Transaction for MemoryTransaction {
    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("the commit was made to fail".into()));
        }
        *self.committed = self.working;
        Ok(())
    }
}

fn insert<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: V) -> Result<(), StoreError> {
    match map.entry(key) {
        std::collections::btree_map::Entry::Occupied(_) => Err(StoreError::Conflict),
        std::collections::btree_map::Entry::Vacant(entry) => {
            entry.insert(value);
            Ok(())
        }
    }
}

/// Saves a row that names the version that was read.
macro_rules! save {
    ($row:expr, $new:expr) => {{
        let row = $row.ok_or(StoreError::Conflict)?;
        if row.version != $new.version {
            return Err(StoreError::Conflict);
        }
        *row = $new.clone();
        row.version += 1;
        Ok(())
    }};
}

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

#[async_trait]
impl Registrations for MemoryTransaction {
    async fn registration(&mut self, person: &UserNumber) -> Result<Option<Registration>, StoreError> {
        Ok(self.working.registrations.get(person).cloned())
    }

    async fn insert_registration(&mut self, registration: &Registration) -> Result<(), StoreError> {
        insert(&mut self.working.registrations, registration.person.clone(), registration.clone())
    }

    async fn delete_registration(&mut self, registration: &Registration) -> Result<(), StoreError> {
        let row = self.working.registrations.remove(&registration.person).ok_or(StoreError::Conflict)?;
        if row.version == registration.version { Ok(()) } else { Err(StoreError::Conflict) }
    }

    async fn save_registration(&mut self, registration: &Registration) -> Result<(), StoreError> {
        save!(self.working.registrations.get_mut(&registration.person), registration)
    }
}

#[async_trait]
impl RegistrationFlows for MemoryTransaction {
    async fn registration_flow(&mut self, session: SessionId) -> Result<Option<RegistrationFlow>, StoreError> {
        Ok(self.working.registration_flows.get(&session).cloned())
    }

    async fn replace_registration_flow(&mut self, flow: &RegistrationFlow) -> Result<(), StoreError> {
        self.working.registration_flows.insert(flow.session, flow.clone());
        Ok(())
    }

    async fn touch_registration_flow(&mut self, id: FlowId, at: Timestamp) -> Result<(), StoreError> {
        for flow in self.working.registration_flows.values_mut().filter(|flow| flow.id == id) {
            flow.last_active = at;
        }
        Ok(())
    }

    async fn save_registration_flow(&mut self, flow: &RegistrationFlow) -> Result<(), StoreError> {
        let row = self.working.registration_flows.get_mut(&flow.session).filter(|row| row.id == flow.id);
        save!(row, flow)
    }
}

#[async_trait]
impl UnlockFlows for MemoryTransaction {
    async fn unlock_flow(&mut self, token: TokenHash) -> Result<Option<UnlockFlow>, StoreError> {
        Ok(self.working.unlock_flows.iter().find(|flow| flow.token == token).cloned())
    }

    async fn open_unlock_flows(&mut self, guid: &Guid) -> Result<Vec<UnlockFlow>, StoreError> {
        let open = |flow: &&UnlockFlow| flow.card == *guid && flow.step.is_open();
        Ok(self.working.unlock_flows.iter().filter(open).cloned().collect())
    }

    async fn unlock_flows_begun_since(&mut self, guid: &Guid, after: Timestamp) -> Result<Vec<Timestamp>, StoreError> {
        let flows = self.working.unlock_flows.iter().filter(|flow| flow.card == *guid && flow.began_at > after);
        let mut begun: Vec<Timestamp> = flows.map(|flow| flow.began_at).collect();
        begun.sort_unstable();
        Ok(begun)
    }

    async fn insert_unlock_flow(&mut self, flow: &UnlockFlow) -> Result<(), StoreError> {
        let taken = self.working.unlock_flows.iter().any(|row| row.card == flow.card && row.step.is_open());
        if taken {
            return Err(StoreError::Conflict);
        }
        self.working.unlock_flows.push(flow.clone());
        Ok(())
    }

    async fn touch_unlock_flow(&mut self, id: FlowId, at: Timestamp) -> Result<(), StoreError> {
        for flow in self.working.unlock_flows.iter_mut().filter(|flow| flow.id == id) {
            flow.last_active = at;
        }
        Ok(())
    }

    async fn save_unlock_flow(&mut self, flow: &UnlockFlow) -> Result<(), StoreError> {
        save!(self.working.unlock_flows.iter_mut().find(|row| row.id == flow.id), flow)
    }
}

#[async_trait]
impl Sessions for MemoryTransaction {
    async fn session(&mut self, token: TokenHash) -> Result<Option<Session>, StoreError> {
        Ok(self.working.sessions.iter().find(|session| session.token == token).cloned())
    }

    async fn insert_session(&mut self, session: &Session) -> Result<(), StoreError> {
        self.working.sessions.push(session.clone());
        Ok(())
    }

    async fn touch_session(&mut self, id: SessionId, at: Timestamp) -> Result<(), StoreError> {
        for session in self.working.sessions.iter_mut().filter(|session| session.id == id) {
            session.last_active = at;
        }
        Ok(())
    }

    async fn renew_session(&mut self, id: SessionId, token: TokenHash) -> Result<(), StoreError> {
        for session in self.working.sessions.iter_mut().filter(|session| session.id == id) {
            session.token = token;
        }
        Ok(())
    }

    async fn delete_session(&mut self, id: SessionId) -> Result<(), StoreError> {
        self.working.sessions.retain(|session| session.id != id);
        Ok(())
    }

    async fn delete_sessions(&mut self, person: &UserNumber, but: Option<SessionId>) -> Result<(), StoreError> {
        self.working.sessions.retain(|session| session.person != *person || Some(session.id) == but);
        Ok(())
    }
}

#[async_trait]
impl UsedChallenges for MemoryTransaction {
    async fn used_challenge(&mut self, challenge: &Challenge) -> Result<Option<UsedChallenge>, StoreError> {
        Ok(self.working.used_challenges.get(challenge).cloned())
    }

    async fn insert_used_challenge(&mut self, used: &UsedChallenge) -> Result<(), StoreError> {
        match self.working.used_challenges.insert(used.challenge, used.clone()) {
            Some(_) => Err(StoreError::Conflict),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl HandledForms for MemoryTransaction {
    async fn handled_form(&mut self, flow: FlowId, form: FormId) -> Result<Option<String>, StoreError> {
        Ok(self.working.handled_forms.get(&(flow, form)).cloned())
    }

    async fn insert_handled_form(&mut self, flow: FlowId, form: FormId, outcome: &str) -> Result<(), StoreError> {
        match self.working.handled_forms.insert((flow, form), outcome.to_owned()) {
            Some(_) => Err(StoreError::Conflict),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl CodeMails for MemoryTransaction {
    async fn code_mails_since(&mut self, person: &UserNumber, after: Timestamp) -> Result<Vec<Timestamp>, StoreError> {
        let theirs = self.working.code_mails.iter().filter(|(to, at)| to == person && *at > after);
        Ok(theirs.map(|(_, at)| *at).collect())
    }

    async fn insert_code_mail(&mut self, person: &UserNumber, at: Timestamp) -> Result<(), StoreError> {
        self.working.code_mails.push((person.clone(), at));
        Ok(())
    }
}

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

/// The domain fills the outbox; emptying it is the server's work, and is tested there.
#[async_trait]
impl Outbox for MemoryTransaction {
    async fn insert_mail(&mut self, mail: &OutboxMail) -> Result<(), StoreError> {
        self.working.outbox.push(mail.clone());
        Ok(())
    }

    async fn end_mail(&mut self, id: MailId, why: Undelivered, _: Timestamp) -> Result<(), StoreError> {
        self.working.undelivered.insert(id, why);
        Ok(())
    }

    async fn mails_of(&mut self, owner: &TrailName, limit: u64) -> Result<Vec<MailOnRecord>, StoreError> {
        let theirs = self.working.outbox.iter().rev().filter(|mail| mail.owner.as_ref() == Some(owner));
        let state = |mail: &OutboxMail| match self.working.undelivered.get(&mail.id) {
            Some(why) => MailState::Undelivered(*why),
            None => MailState::Waiting { since: mail.created_at },
        };
        let mails = theirs.map(|mail| MailOnRecord { at: mail.created_at, state: state(mail) });
        Ok(mails.take(usize::try_from(limit).unwrap()).collect())
    }

    async fn mail_state(&mut self, id: MailId) -> Result<Option<MailState>, StoreError> {
        let mail = self.working.outbox.iter().find(|mail| mail.id == id);
        Ok(mail.map(|mail| match self.working.undelivered.get(&id) {
            Some(why) => MailState::Undelivered(*why),
            None => MailState::Waiting { since: mail.created_at },
        }))
    }
}

/// Removes the rows of a table that are somebody's, and says how many there were.
macro_rules! remove {
    ($table:expr, $is_theirs:expr) => {{
        let before = $table.len();
        $table.retain($is_theirs);
        (before - $table.len()) as u64
    }};
}

#[async_trait]
impl Erasing for MemoryTransaction {
    async fn erase_person(&mut self, number: &UserNumber) -> Result<ErasedRows, StoreError> {
        let tables = &mut self.working;
        let mut flows: Vec<FlowId> =
            tables.unlock_flows.iter().filter(|flow| flow.person == *number).map(|flow| flow.id).collect();
        flows.extend(tables.registration_flows.values().filter(|flow| flow.person == *number).map(|flow| flow.id));
        let cards: Vec<Guid> =
            tables.cards.values().filter(|card| card.holder == *number).map(|card| card.guid).collect();
        tables.key_rings.retain(|guid, _| !cards.contains(guid));
        let rows = ErasedRows {
            cards: remove!(tables.cards, |guid, _| !cards.contains(guid)),
            unlock_keys: remove!(tables.unlock_keys, |_, key| !cards.contains(&key.guid)),
            issuances: remove!(tables.issuances, |_, issuance| issuance.person != *number),
            references: remove!(tables.references, |_, person| person != number),
            registrations: remove!(tables.registrations, |person, _| person != number),
            sessions: remove!(tables.sessions, |session| session.person != *number),
            flows: remove!(tables.unlock_flows, |flow| flow.person != *number)
                + remove!(tables.registration_flows, |_, flow| flow.person != *number),
            forms: remove!(tables.handled_forms, |(flow, _), _| !flows.contains(flow)),
            challenges: remove!(tables.used_challenges, |_, used| used.flow.is_none_or(|flow| !flows.contains(&flow))),
            code_mails: remove!(tables.code_mails, |(person, _)| person != number),
        };
        tables.people.remove(number);
        Ok(rows)
    }
}

/// No rule forgets; it is the server's work, and is tested there.
#[async_trait]
impl Forgetting for MemoryTransaction {
    async fn forget_before(&mut self, _: Timestamp) -> Result<(), StoreError> {
        Err(StoreError::Unavailable("the domain forgets nothing".into()))
    }
}

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
