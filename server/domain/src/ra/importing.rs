//! Imports that managers begin at the desk.
//!
//! An officer signs for two files by their digests, before they are sent: their card signs the challenge of an
//! [`ImportOrder`], which stands for these files, in this session, and nothing else. The signature is taken before a
//! byte of the files is, and nothing of them is stored before all of them have arrived and have those digests.

use std::fmt;

use card_protocol::{CardProof, Challenge, Purpose};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Desk, DeskError, RaOfficer, Task};
use crate::{
    challenge::Binding,
    environment::retry_on_conflict,
    import::{Extent, ImportRun, Progress, RunEnd, RunState},
    person::Person,
    ports::{StoreError, Transaction},
    token::ImportId,
    trail::{ByOfficer, Event, Outcome, TrailEntry},
};

/// How many imports the desk tells of.
const RUNS_SHOWN: u64 = 10;

/// The SHA-256 of a file, as `sha256sum` prints it.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileDigest(pub [u8; 32]);

/// The text is no digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest is 64 hexadecimal digits")]
pub struct NotADigest;

impl TryFrom<String> for FileDigest {
    type Error = NotADigest;

    fn try_from(text: String) -> Result<Self, NotADigest> {
        let mut bytes = [0; 32];
        base16ct::lower::decode(&text, &mut bytes).ok().filter(|read| read.len() == 32).ok_or(NotADigest)?;
        Ok(Self(bytes))
    }
}

impl From<FileDigest> for String {
    fn from(digest: FileDigest) -> Self {
        digest.to_string()
    }
}

impl fmt::Display for FileDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for FileDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Which files are to be taken in, and what is kept of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportOrder {
    /// The file of people.
    pub people: FileDigest,
    /// The file of cards, as it is: encrypted.
    pub cards: FileDigest,
    /// What is kept where a row is refused.
    pub extent: Extent,
}

impl ImportOrder {
    /// What stands for it in the challenge that the officer's card signs. No order for a person has this JSON.
    ///
    /// # Panics
    ///
    /// Never: an order is made of text.
    pub fn digest(&self) -> [u8; 32] {
        let order = serde_json::json!({ "import": self });
        Sha256::digest(serde_json::to_vec(&order).expect("an order is text")).into()
    }
}

/// An import, with who began it where they are still known.
#[derive(Clone, Debug)]
pub struct RunOnRecord {
    /// The import.
    pub run: ImportRun,
    /// Who began it.
    pub officer: Option<Person>,
    /// Whether it is under way, as far as anybody can tell.
    pub is_under_way: bool,
}

impl Desk {
    /// Gives the challenge that the officer's card signs for an import (purpose `ra-action`). Writes nothing.
    ///
    /// # Errors
    ///
    /// [`DeskError`]: what the import itself would meet now.
    pub async fn import_challenge(&self, officer: &RaOfficer, order: &ImportOrder) -> Result<Challenge, DeskError> {
        officer.may_do(Task::Import)?;
        let environment = &self.environment;
        let mut transaction = environment.store.begin().await?;
        self.require_no_other(&mut *transaction).await?;
        let binding = Binding::Order { session: officer.session, digest: order.digest() };
        Ok(environment.challenge_key.issue(Purpose::RaAction, binding, environment.now(), &*environment.randomness))
    }

    /// Begins an import, of which nothing has arrived yet. It stands on the trail with the digests of its files.
    ///
    /// # Errors
    ///
    /// [`DeskError::ImportUnderWay`] where another goes on, on whichever server.
    pub async fn begin_import(
        &self,
        officer: &RaOfficer,
        order: &ImportOrder,
        proof: &CardProof,
    ) -> Result<ImportRun, DeskError> {
        officer.may_do(Task::Import)?;
        let environment = &self.environment;
        let id = ImportId::generate(&*environment.randomness);
        retry_on_conflict!(async {
            let mut transaction = environment.store.begin().await?;
            self.take_signature(&mut *transaction, officer, order.digest(), proof).await?;
            self.require_no_other(&mut *transaction).await?;
            let now = environment.now();
            let run = ImportRun {
                id,
                officer: officer.trail_name.clone(),
                extent: order.extent,
                began_at: now,
                seen_at: now,
                progress: Progress::default(),
                state: RunState::Running,
            };
            transaction.insert_import_run(&run).await?;
            let by = ByOfficer { files: Some(*order), ..ByOfficer::only(officer.trail_name.clone()) };
            self.note_import(&mut *transaction, Event::ImportBegun, Outcome::Done, by).await?;
            transaction.commit().await?;
            Ok::<_, DeskError>(run)
        })
    }

    /// Notes how far an import is.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn import_goes_on(&self, run: &mut ImportRun) -> Result<(), StoreError> {
        run.seen_at = self.environment.now();
        let mut transaction = self.environment.store.begin().await?;
        transaction.save_import_run(run).await?;
        transaction.commit().await
    }

    /// Notes how an import has ended, also on the trail.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn import_ends(&self, run: &mut ImportRun, end: RunEnd) -> Result<(), StoreError> {
        run.seen_at = self.environment.now();
        run.state = RunState::Ended(end);
        retry_on_conflict!(async {
            let mut transaction = self.environment.store.begin().await?;
            transaction.save_import_run(run).await?;
            let outcome = if end == RunEnd::Kept { Outcome::Done } else { Outcome::Refused };
            let by = ByOfficer::only(run.officer.clone());
            self.note_import(&mut *transaction, Event::ImportEnded, outcome, by).await?;
            transaction.commit().await
        })
    }

    /// The latest imports, the newest first.
    ///
    /// # Errors
    ///
    /// [`DeskError`].
    pub async fn imports(&self, officer: &RaOfficer) -> Result<Vec<RunOnRecord>, DeskError> {
        officer.may_do(Task::Import)?;
        let mut transaction = self.environment.store.begin().await?;
        let runs = transaction.latest_import_runs(RUNS_SHOWN).await?;
        let names: Vec<_> = runs.iter().map(|run| run.officer.clone()).collect();
        let officers = transaction.people_named(&names).await?;
        let on_record = |run: ImportRun| RunOnRecord {
            officer: officers.iter().find(|officer| officer.trail_name() == run.officer).cloned(),
            is_under_way: run.is_under_way(self.environment.now()),
            run,
        };
        Ok(runs.into_iter().map(on_record).collect())
    }

    async fn require_no_other(&self, transaction: &mut dyn Transaction) -> Result<(), DeskError> {
        // More than the latest: the clock may have been put back.
        let latest = transaction.latest_import_runs(RUNS_SHOWN).await?;
        let is_under_way = latest.iter().any(|run| run.is_under_way(self.environment.now()));
        if is_under_way { Err(DeskError::ImportUnderWay) } else { Ok(()) }
    }

    async fn note_import(
        &self,
        transaction: &mut dyn Transaction,
        event: Event,
        outcome: Outcome,
        by: ByOfficer,
    ) -> Result<(), StoreError> {
        let at = self.environment.now();
        let entry = TrailEntry { at, event, outcome, person: None, card: None, reference: None, by: Some(by) };
        self.environment.append(transaction, entry, None).await
    }
}
