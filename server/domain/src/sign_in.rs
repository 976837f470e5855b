//! Signing in: a genuine card, then its cardholder.
//!
//! First the card proves itself with 9E (purpose `hello`), which also vouches for the connection key, so that the page
//! may seal a passcode to it. Then the cardholder proves themself with 9A (purpose `sign-in`).

use std::sync::Arc;

use card_protocol::{CardProof, Challenge, Purpose};
use time::Duration;

use crate::{
    Environment, Timestamp,
    card::{Card, CardState},
    challenge::Binding,
    environment::{ProofFault, retry_on_conflict},
    language::Language,
    person::Person,
    ports::{StoreError, Transaction, UsedChallenge},
    session::Session,
    token::{SessionId, Token},
    trail::{Event, Outcome, TrailEntry, TrailRecord},
};

/// The use cases of signing in.
#[derive(Clone)]
pub struct SignIn {
    environment: Arc<Environment>,
}

/// Who is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// Its person.
    pub person: Person,
    /// When it ends unless it is used.
    pub ends_at: Timestamp,
}

/// A page of what happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityPage {
    /// The entries, the newest first.
    pub entries: Vec<TrailEntry>,
    /// The record before which there are older ones; none where these are the oldest.
    pub older: Option<u64>,
}

/// Which proof of the cardholder follows the proof of the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HolderPurpose {
    /// To sign in.
    SignIn,
    /// To begin a registration.
    Register,
}

impl From<HolderPurpose> for Purpose {
    fn from(purpose: HolderPurpose) -> Self {
        match purpose {
            HolderPurpose::SignIn => Self::SignIn,
            HolderPurpose::Register => Self::Register,
        }
    }
}

/// Why a card or its holder was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The card is not known, or the proof does not hold: one answer for both.
    #[error(transparent)]
    Proof(#[from] ProofFault),
    /// The card was cancelled.
    #[error("the card is cancelled")]
    Cancelled,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SignInError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(StoreError::Conflict))
    }
}

impl SignIn {
    pub(crate) fn new(environment: Arc<Environment>) -> Self {
        Self { environment }
    }

    /// Makes the token of a browser that has none yet: what its challenges are bound to. Writes nothing.
    pub fn browser_token(&self) -> Token {
        Token::generate(&*self.environment.randomness)
    }

    /// Gives the challenge with which a card proves itself (purpose `hello`).
    pub fn challenge(&self, binding: Binding<'_>) -> Challenge {
        let environment = &self.environment;
        environment.challenge_key.issue(Purpose::Hello, binding, environment.now(), &*environment.randomness)
    }

    /// Confirms that a card of this service vouches for the connection key, and gives the challenge for the proof of
    /// its holder. Writes nothing: only that proof counts.
    ///
    /// # Errors
    ///
    /// [`SignInError`].
    pub async fn confirm_card(
        &self,
        binding: Binding<'_>,
        proof: &CardProof,
        then: HolderPurpose,
    ) -> Result<Challenge, SignInError> {
        self.check_card(binding, proof).await?;
        let environment = &self.environment;
        Ok(environment.challenge_key.issue(then.into(), binding, environment.now(), &*environment.randomness))
    }

    /// Confirms that a card of this service vouches for the connection key. Writes nothing.
    ///
    /// # Errors
    ///
    /// [`SignInError`].
    pub async fn check_card(&self, binding: Binding<'_>, proof: &CardProof) -> Result<(), SignInError> {
        let environment = &self.environment;
        environment.check_challenge(proof, Purpose::Hello, binding)?;
        let mut transaction = environment.store.begin().await?;
        proved_card(environment, &mut *transaction, proof).await.map(drop)
    }

    /// Opens a session for the holder of a card, who is addressed from now on in the language of the page.
    ///
    /// # Errors
    ///
    /// [`SignInError`].
    pub async fn sign_in(&self, browser: &Token, proof: &CardProof, language: Language) -> Result<Token, SignInError> {
        retry_on_conflict!(self.try_sign_in(browser, proof, language))
    }

    async fn try_sign_in(&self, browser: &Token, proof: &CardProof, language: Language) -> Result<Token, SignInError> {
        let environment = &self.environment;
        environment.check_challenge(proof, Purpose::SignIn, Binding::Browser(browser))?;
        let mut transaction = environment.store.begin().await?;
        let card = proved_card(environment, &mut *transaction, proof).await?;
        let now = environment.now();
        use_challenge(&mut *transaction, proof, now).await?;
        let token = Token::generate(&*environment.randomness);
        let session = Session {
            id: SessionId::generate(&*environment.randomness),
            token: token.hash(),
            person: card.holder.clone(),
            card: card.guid,
            began_at: now,
            last_active: now,
        };
        transaction.insert_session(&session).await?;
        environment.address_in(&mut *transaction, &card.holder, language).await?;
        environment.record(&mut *transaction, Event::SignedIn, Outcome::Done, &card.holder, card.guid).await?;
        transaction.commit().await?;
        Ok(token)
    }

    /// Finds who is signed in, and notes that the session is in use.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn session(&self, token: &Token) -> Result<Option<SignedIn>, StoreError> {
        let found = self.find_session(token).await?;
        if found.is_none() {
            self.environment.officers_seen.forget(token.hash());
        }
        Ok(found)
    }

    async fn find_session(&self, token: &Token) -> Result<Option<SignedIn>, StoreError> {
        let environment = &self.environment;
        let mut transaction = environment.store.begin().await?;
        let Some(mut session) = transaction.session(token.hash()).await? else {
            return Ok(None);
        };
        let now = environment.now();
        if now >= session.ends_at(&environment.policy) {
            transaction.delete_session(session.id).await?;
            transaction.commit().await?;
            return Ok(None);
        }
        let Some(person) = transaction.person(&session.person).await? else {
            return Ok(None);
        };
        let card = transaction.card(&session.card).await?;
        if card.is_none_or(|card| card.state == CardState::Cancelled) {
            return Ok(None);
        }
        if environment.is_to_be_noted(session.last_active) {
            transaction.touch_session(session.id, now).await?;
            transaction.commit().await?;
            session.last_active = now;
        }
        let ends_at = session.ends_at(&environment.policy);
        Ok(Some(SignedIn { session, person, ends_at }))
    }

    /// How long a session lives on unless it is used; nothing where there is none. Asking is no use.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn time_left(&self, token: &Token) -> Result<Option<Duration>, StoreError> {
        let environment = &self.environment;
        let session = environment.store.begin().await?.session(token.hash()).await?;
        let left = session.map(|session| session.ends_at(&environment.policy) - environment.now());
        Ok(left.filter(|left| left.is_positive()))
    }

    /// A page of the trail about a person, the newest first: their own activity, all of it or what was before a record.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn activity(
        &self,
        signed_in: &SignedIn,
        before: Option<u64>,
        limit: usize,
    ) -> Result<ActivityPage, StoreError> {
        let mut transaction = self.environment.store.begin().await?;
        let asked = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        let name = signed_in.person.trail_name();
        let mut records = transaction.trail_before(&name, before.unwrap_or(u64::MAX), asked).await?;
        let has_older = records.len() > limit;
        records.truncate(limit);
        let older = records.last().filter(|_| has_older).map(|last| last.number);
        Ok(ActivityPage { entries: records.iter().filter_map(TrailRecord::read).collect(), older })
    }

    /// Ends a session; no error where there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn sign_out(&self, token: &Token) -> Result<(), StoreError> {
        retry_on_conflict!(self.try_sign_out(token))
    }

    async fn try_sign_out(&self, token: &Token) -> Result<(), StoreError> {
        let environment = &self.environment;
        let mut transaction = environment.store.begin().await?;
        let Some(session) = transaction.session(token.hash()).await? else {
            return Ok(());
        };
        transaction.delete_session(session.id).await?;
        environment.record(&mut *transaction, Event::SignedOut, Outcome::Done, &session.person, session.card).await?;
        transaction.commit().await
    }
}

/// Finds the card that made a proof. An unknown GUID and a bad signature get one answer.
pub(crate) async fn proved_card(
    environment: &Environment,
    transaction: &mut dyn Transaction,
    proof: &CardProof,
) -> Result<Card, SignInError> {
    let card = transaction.card(&proof.guid).await?.filter(|card| card.signed(proof, &environment.origin));
    let card = card.ok_or(ProofFault::Refused)?;
    match card.state {
        CardState::Active | CardState::UnlockKeyUnknown => Ok(card),
        CardState::Cancelled => Err(SignInError::Cancelled),
    }
}

/// Gives a session a new token and ends all others of its person: what they prove themself by is another.
pub(crate) async fn renew_session(
    environment: &Environment,
    transaction: &mut dyn Transaction,
    session: &Session,
) -> Result<Token, StoreError> {
    let token = Token::generate(&*environment.randomness);
    transaction.delete_sessions(&session.person, Some(session.id)).await?;
    transaction.renew_session(session.id, token.hash()).await?;
    Ok(token)
}

/// Notes that a challenge was used, once.
pub(crate) async fn use_challenge(
    transaction: &mut dyn Transaction,
    proof: &CardProof,
    at: Timestamp,
) -> Result<(), SignInError> {
    if transaction.used_challenge(&proof.challenge).await?.is_some() {
        return Err(ProofFault::Stale.into());
    }
    let used = UsedChallenge { challenge: proof.challenge, flow: None, outcome: String::new(), at };
    Ok(transaction.insert_used_challenge(&used).await?)
}
