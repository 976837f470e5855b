//! The store in memory: one transaction at a time, committed as a whole or not at all.

mod erasing;
mod flows;
mod holders;
mod importing;
mod outbox;
mod trail;

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
    card::Card,
    delivery::Undelivered,
    figure::Figure,
    import::ImportRun,
    issuance::Issuance,
    mail::OutboxMail,
    milestone::Milestone,
    organisation::Organisation,
    person::{Person, UserNumber},
    ports::{Dispatch, Store, StoreError, Transaction, UsedChallenge},
    registration::{Registration, RegistrationFlow},
    session::Session,
    token::{FlowId, FormId, KeyId, MailId, SessionId},
    trail::TrailRecord,
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
    pub milestones: Vec<Milestone>,
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

    fn count_milestone(&mut self, milestone: Option<Milestone>) {
        self.working.milestones.extend(milestone);
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
use save;
