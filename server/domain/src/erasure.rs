//! Erasing a person: all that is kept of them goes at once, and they are told. What stays is the trail, under names that
//! nobody can read any more.

use std::sync::Arc;

use crate::{
    Environment,
    environment::retry_on_conflict,
    mail::Message,
    person::UserNumber,
    ports::{ErasedRows, StoreError, Transaction},
    registration::addresses,
    trail::{Event, Outcome, TrailEntry},
};

/// The use case of erasing a person.
#[derive(Clone)]
pub struct Erasure {
    environment: Arc<Environment>,
}

/// What goes with a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erased {
    /// What is kept of them.
    pub rows: ErasedRows,
    /// How many addresses are told.
    pub told: usize,
}

/// Why nobody was erased.
#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// There is no such person.
    #[error("the person is not known")]
    UnknownPerson,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl EraseError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(StoreError::Conflict))
    }
}

impl Erasure {
    pub(crate) fn new(environment: Arc<Environment>) -> Self {
        Self { environment }
    }

    /// Says what would go. Changes nothing.
    ///
    /// # Errors
    ///
    /// [`EraseError`].
    pub async fn preview(&self, number: &UserNumber) -> Result<Erased, EraseError> {
        retry_on_conflict!(async {
            let mut transaction = self.environment.store.begin().await?;
            self.erase_in(&mut *transaction, number).await
        })
    }

    /// Erases a person, whatever they are doing just now. The unlock keys of their cards go too: a card whose key was
    /// replaced here can be unlocked by nobody any more.
    ///
    /// # Errors
    ///
    /// [`EraseError`].
    pub async fn erase(&self, number: &UserNumber) -> Result<Erased, EraseError> {
        retry_on_conflict!(async {
            let mut transaction = self.environment.store.begin().await?;
            let erased = self.erase_in(&mut *transaction, number).await?;
            transaction.commit().await?;
            Ok::<_, EraseError>(erased)
        })
    }

    async fn erase_in(&self, transaction: &mut dyn Transaction, number: &UserNumber) -> Result<Erased, EraseError> {
        let environment = &self.environment;
        let person = transaction.person(number).await?.ok_or(EraseError::UnknownPerson)?;
        let registration = transaction.registration(number).await?;
        let now = environment.now();
        let entry = TrailEntry {
            at: now,
            event: Event::PersonErased,
            outcome: Outcome::Done,
            person: Some(person.trail_name()),
            card: None,
            reference: None,
            by: None,
        };
        environment.append(transaction, entry, Some(&person)).await?;
        let told = addresses(&person, registration.as_ref(), now);
        for address in &told {
            environment.post(transaction, &person, address, Message::Erased).await?;
        }
        Ok(Erased { rows: transaction.erase_person(number).await?, told: told.len() })
    }
}
