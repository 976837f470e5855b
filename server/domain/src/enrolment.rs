//! Taking people and cards into the service.

use std::sync::Arc;

use card_protocol::{Guid, UnlockKey};

use crate::{
    Environment,
    answer::AnswerSet,
    card::{Card, CardPublicKey, CardState},
    email::EmailAddress,
    environment::retry_on_conflict,
    language::Language,
    organisation::Organisation,
    person::{Person, UserNumber},
    ports::{HasherError, NewlyEnrolled, Randomness, StoreError},
    registration::{Registration, Standing, choose_asked, hash_answers},
    role::Role,
    token::KeyId,
    trail::{Event, Outcome, TrailSalt},
    unlock_key::{KeyRing, KeyRingState, StoredUnlockKey},
};

/// The use cases of enrolment.
#[derive(Clone)]
pub struct Enrolment {
    environment: Arc<Environment>,
}

/// A card to take in, and its holder.
pub struct NewCard {
    /// The holder; taken in too where they are new.
    pub holder: NewHolder,
    /// The GUID from the card's CHUID.
    pub guid: Guid,
    /// The key of slot 9A.
    pub authentication_key: CardPublicKey,
    /// The key of slot 9E.
    pub card_authentication_key: CardPublicKey,
    /// The unlock key that the card has.
    pub unlock_key: UnlockKey,
}

/// The holder of a card to take in.
pub struct NewHolder {
    /// The number by which the organisation knows them.
    pub user_number: UserNumber,
    /// Their name as it is to be addressed.
    pub name: String,
    /// The address that the Registration Authority holds, where it holds one.
    pub email: Option<EmailAddress>,
    /// Where they work, where that is said.
    pub organisation: Option<Organisation>,
}

impl NewHolder {
    /// The person that they become.
    pub(crate) fn to_person(&self, randomness: &dyn Randomness) -> Person {
        Person {
            user_number: self.user_number.clone(),
            name: self.name.clone(),
            email: self.email.clone(),
            organisation: self.organisation.clone(),
            role: Role::Cardholder,
            language: Language::default(),
            trail_salt: TrailSalt::generate(randomness),
        }
    }
}

/// What became of a person or card to take in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enrolled {
    /// It was taken in.
    Added,
    /// The person was there already, and is said to work elsewhere now.
    Moved,
    /// It was there already, with the same keys and holder.
    Unchanged,
}

/// Why a card was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The GUID is all zero.
    #[error("the GUID is zero")]
    ZeroGuid,
    /// Another card or holder has this GUID.
    #[error("the GUID belongs to another card")]
    GuidTaken,
    /// Another card, or the other slot, has one of these keys.
    #[error("a public key was seen before")]
    KeyTaken,
    /// One of the keys is known to be weak: the card has to get others.
    #[error("a key of the card is weak (CVE-2017-15361)")]
    WeakKey,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl EnrolError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(StoreError::Conflict))
    }
}

/// Why a person was not registered.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// There is no such person.
    #[error("the person is not known")]
    UnknownPerson,
    /// The hasher failed.
    #[error(transparent)]
    Hasher(#[from] HasherError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RegisterError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(StoreError::Conflict))
    }
}

/// What is wrong with a card by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnfitCard {
    ZeroGuid,
    /// Both slots have the same.
    OneKey,
    WeakKey,
}

impl From<UnfitCard> for EnrolError {
    fn from(fault: UnfitCard) -> Self {
        match fault {
            UnfitCard::ZeroGuid => Self::ZeroGuid,
            UnfitCard::OneKey => Self::KeyTaken,
            UnfitCard::WeakKey => Self::WeakKey,
        }
    }
}

/// Checks what of a card can be refused without a look at others.
pub(crate) fn check(
    guid: Guid,
    authentication_key: &CardPublicKey,
    card_authentication_key: &CardPublicKey,
) -> Result<(), UnfitCard> {
    if guid.is_zero() {
        return Err(UnfitCard::ZeroGuid);
    }
    if authentication_key == card_authentication_key {
        return Err(UnfitCard::OneKey);
    }
    if authentication_key.is_weak() || card_authentication_key.is_weak() {
        return Err(UnfitCard::WeakKey);
    }
    Ok(())
}

/// A new card with its unlock key, sealed, and a ring that holds it.
pub(crate) fn with_unlock_key(card: Card, unlock_key: &UnlockKey, environment: &Environment) -> NewlyEnrolled {
    let id = KeyId::generate_at(environment.now(), &*environment.randomness);
    let unlock_key = StoredUnlockKey::seal(id, card.guid, unlock_key, &*environment.vault);
    let key_ring = KeyRing { guid: card.guid, state: KeyRingState::Settled { current: id }, version: 0 };
    NewlyEnrolled { card, unlock_key, key_ring }
}

impl Enrolment {
    pub(crate) fn new(environment: Arc<Environment>) -> Self {
        Self { environment }
    }

    /// Takes a card and its holder in. The same again changes nothing.
    ///
    /// # Errors
    ///
    /// [`EnrolError`].
    pub async fn enrol(&self, new: &NewCard) -> Result<Enrolled, EnrolError> {
        check(new.guid, &new.authentication_key, &new.card_authentication_key)?;
        retry_on_conflict!(self.try_enrol(new))
    }

    async fn try_enrol(&self, new: &NewCard) -> Result<Enrolled, EnrolError> {
        let environment = &self.environment;
        let mut transaction = environment.store.begin().await?;
        if let Some(card) = transaction.card(&new.guid).await? {
            let same = card.holder == new.holder.user_number
                && card.authentication_key == new.authentication_key
                && card.card_authentication_key == new.card_authentication_key;
            return if same { Ok(Enrolled::Unchanged) } else { Err(EnrolError::GuidTaken) };
        }
        for key in [&new.authentication_key, &new.card_authentication_key] {
            if transaction.card_with_key(key).await?.is_some() {
                return Err(EnrolError::KeyTaken);
            }
        }
        if transaction.person(&new.holder.user_number).await?.is_none() {
            transaction.insert_person(&new.holder.to_person(&*environment.randomness)).await?;
        }
        let card = Card {
            guid: new.guid,
            holder: new.holder.user_number.clone(),
            authentication_key: new.authentication_key.clone(),
            card_authentication_key: new.card_authentication_key.clone(),
            state: CardState::Active,
            version: 0,
        };
        let NewlyEnrolled { card, unlock_key, key_ring } = with_unlock_key(card, &new.unlock_key, environment);
        transaction.insert_card(&card).await?;
        transaction.insert_unlock_key(&unlock_key).await?;
        transaction.insert_key_ring(&key_ring).await?;
        environment.record(&mut *transaction, Event::CardEnrolled, Outcome::Done, &card.holder, card.guid).await?;
        transaction.commit().await?;
        Ok(Enrolled::Added)
    }

    /// Registers a person without their doing, for a demonstration. A registration that is there stays as it is.
    ///
    /// # Errors
    ///
    /// [`RegisterError`].
    pub async fn register_for_demonstration(
        &self,
        number: &UserNumber,
        email: &EmailAddress,
        answers: &AnswerSet,
    ) -> Result<Enrolled, RegisterError> {
        retry_on_conflict!(self.try_register_for_demonstration(number, email, answers))
    }

    async fn try_register_for_demonstration(
        &self,
        number: &UserNumber,
        email: &EmailAddress,
        answers: &AnswerSet,
    ) -> Result<Enrolled, RegisterError> {
        let environment = &self.environment;
        // Hashing takes a while; a registration that is there already needs none.
        if environment.store.begin().await?.registration(number).await?.is_some() {
            return Ok(Enrolled::Unchanged);
        }
        let answers = hash_answers(answers, &*environment.hasher.enter(number).await?).await?;
        let mut transaction = environment.store.begin().await?;
        let card = transaction.cards_of(number).await?.into_iter().next().ok_or(RegisterError::UnknownPerson)?;
        let registration = Registration {
            person: number.clone(),
            email: email.clone(),
            former: None,
            asked: choose_asked(&answers, &environment.policy, &*environment.randomness),
            answers,
            recovery_codes: Vec::new(),
            standing: Standing::Open { failed_attempts: 0 },
            registered_at: environment.now(),
            ended_at: None,
            version: 0,
        };
        transaction.insert_registration(&registration).await?;
        environment.record(&mut *transaction, Event::Registered, Outcome::Done, number, card.guid).await?;
        transaction.commit().await?;
        Ok(Enrolled::Added)
    }
}
