//! Releasing the unlock keys to the card's bridge, and what the card reports back.
//!
//! The next key is durable before it leaves. Until the card has signed that it has it, the key before stays too, so
//! that a cut between any two steps loses nothing: [`KeyRing`] says which keys are offered then.

use card_protocol::{
    CardProof, Guid, Purpose, UnlockKey,
    sealed::{Candidates, Sealed, UnlockKeys},
};
use zeroize::Zeroizing;

use super::{Accepted, DeadEnd, DeadEndReason, FlowPurpose, UnlockError, UnlockService, dead_end};
use crate::{
    card::{Card, CardState},
    challenge::Binding,
    environment::{Environment, ProofFault, retry_on_conflict},
    mail::Message,
    ports::{StoreError, Transaction, VaultError},
    registration::Registration,
    token::{KeyId, Token},
    trail::{Event, Outcome},
    unlock::{
        EndReason, UnlockStep,
        flow::{ChoosePasscode, OpenedBy, Released},
    },
    unlock_key::{KeyRing, Offer, StoredUnlockKey},
};

impl UnlockService {
    /// Seals the unlock keys to the connection that the card vouches for. May be repeated within the flow's life: each
    /// time with a fresh proof, each time on the trail.
    ///
    /// # Errors
    ///
    /// [`UnlockError`].
    pub async fn release(&self, token: &Token, proof: &CardProof) -> Result<Sealed, UnlockError> {
        let ended = retry_on_conflict!(self.try_release(token, proof));
        self.noting_refusal(token, ended).await
    }

    async fn try_release(&self, token: &Token, proof: &CardProof) -> Result<Sealed, UnlockError> {
        let environment = &self.environment;
        let mut transaction = environment.store.begin().await?;
        let loaded = self.load_card(&mut *transaction, token).await?;
        if let Accepted::Repeated(_) =
            self.accept(&mut *transaction, (loaded.flow.id, &loaded.card), proof, FlowPurpose::Release).await?
        {
            return Err(ProofFault::Stale.into());
        }
        let UnlockStep::Passcode(step) = loaded.flow.step.clone() else {
            return Err(UnlockError::WrongStep);
        };
        may_be_written(&step, &loaded.card, loaded.registration.as_ref()).map_err(UnlockError::dead_end)?;
        let guid = loaded.card.guid;
        let ring = key_ring(&mut *transaction, guid).await?;
        let fresh = KeyId::generate(&*environment.randomness);
        if ring.pending().is_none() {
            transaction.insert_unlock_key(&fresh_key(environment, fresh, guid)).await?;
        }
        let (ring, release) = ring.release(fresh);
        transaction.save_key_ring(&ring).await?;

        let now = environment.now();
        let binding = Binding::Flow(loaded.flow.id);
        let completion = environment.challenge_key.issue(Purpose::Unlocked, binding, now, &*environment.randomness);
        let keys = UnlockKeys {
            candidates: match release.offer {
                Offer::Known(key) => Candidates::One(self.unlock_key(&mut *transaction, key, guid).await?),
                Offer::EitherOf(first, second) => Candidates::Two(
                    self.unlock_key(&mut *transaction, first, guid).await?,
                    self.unlock_key(&mut *transaction, second, guid).await?,
                ),
            },
            next: self.unlock_key(&mut *transaction, release.next, guid).await?,
            completion,
        };
        let digest = loaded.card.proof_digest(proof, &environment.origin);
        let sealed = environment.service_secret.seal_unlock_keys(&proof.connection_key, &digest, &keys)?;

        let released = Released { next: release.next, completion, connection_key: proof.connection_key };
        let flow = loaded.flow.id;
        let person = loaded.flow.person.clone();
        if let Some(registration) = &loaded.registration {
            // As with an attempt: no release passes beside a last failed attempt.
            transaction.save_registration(registration).await?;
        }
        self.go_on(&mut *transaction, loaded.flow, UnlockStep::Passcode(step.release(released))).await?;
        self.use_proof(&mut *transaction, flow, proof, &()).await?;
        environment.record(&mut *transaction, Event::UnlockKeyReleased, Outcome::Done, &person, guid).await?;
        transaction.commit().await?;
        Ok(sealed)
    }

    /// Takes the completion proof: the card has the next key and its new passcode. The same proof again is answered
    /// alike.
    ///
    /// # Errors
    ///
    /// [`UnlockError`].
    pub async fn complete(&self, token: &Token, proof: &CardProof) -> Result<(), UnlockError> {
        let ended = retry_on_conflict!(self.try_complete(token, proof));
        self.noting_refusal(token, ended).await
    }

    async fn try_complete(&self, token: &Token, proof: &CardProof) -> Result<(), UnlockError> {
        let environment = &self.environment;
        let mut transaction = environment.store.begin().await?;
        let loaded = self.load_card(&mut *transaction, token).await?;
        if proof.purpose != Purpose::Unlocked || !loaded.card.signed(proof, &environment.origin) {
            return Err(ProofFault::Refused.into());
        }
        let step = match &loaded.flow.step {
            UnlockStep::Passcode(step) => step.clone(),
            UnlockStep::Completed(completed) if completed.completion == proof.challenge => return Ok(()),
            _ => return Err(UnlockError::WrongStep),
        };
        let released = step
            .released(&proof.challenge)
            .filter(|released| released.connection_key == proof.connection_key)
            .ok_or(ProofFault::Refused)?;
        let ring = key_ring(&mut *transaction, loaded.card.guid).await?.complete(released.next);
        transaction.save_key_ring(&ring).await?;
        let person = self.person(&mut *transaction, &loaded.flow).await?;
        let registration = loaded
            .registration
            .map(|registration| registration.unlocked(&environment.policy, &*environment.randomness));
        if let Some(registration) = &registration {
            transaction.save_registration(registration).await?;
        }
        if loaded.card.state == CardState::UnlockKeyUnknown {
            // It was released by an officer, and the card has taken one after all.
            transaction.save_card(&Card { state: CardState::Active, ..loaded.card.clone() }).await?;
        }
        // Whoever signed in with the former passcode may be somebody else.
        transaction.delete_sessions(&person.user_number, None).await?;
        let completed = UnlockStep::Completed(step.complete(proof.challenge));
        self.go_on(&mut *transaction, loaded.flow, completed).await?;
        let (event, guid) = (Event::CardUnlocked, loaded.card.guid);
        environment.record(&mut *transaction, event, Outcome::Done, &person.user_number, guid).await?;
        environment.tell(&mut *transaction, &person, registration.as_ref(), &Message::CardUnlocked).await?;
        Ok(transaction.commit().await?)
    }

    /// Takes the report that the card refused every key that was released. Nothing is released for it again without
    /// the RA.
    ///
    /// # Errors
    ///
    /// [`UnlockError`].
    pub async fn refused(&self, token: &Token, proof: &CardProof) -> Result<DeadEnd, UnlockError> {
        let ended = retry_on_conflict!(self.try_refused(token, proof));
        self.noting_refusal(token, ended).await
    }

    async fn try_refused(&self, token: &Token, proof: &CardProof) -> Result<DeadEnd, UnlockError> {
        let environment = &self.environment;
        let mut transaction = environment.store.begin().await?;
        let loaded = self.load_card(&mut *transaction, token).await?;
        if let Accepted::Repeated(outcome) =
            self.accept(&mut *transaction, (loaded.flow.id, &loaded.card), proof, FlowPurpose::Attempt).await?
        {
            return super::repeated(&outcome);
        }
        match &loaded.flow.step {
            UnlockStep::Passcode(step) if !step.releases.is_empty() => {}
            _ => return Err(UnlockError::WrongStep),
        }
        let (flow, guid) = (loaded.flow.id, loaded.card.guid);
        let person = self.person(&mut *transaction, &loaded.flow).await?;
        transaction.save_card(&Card { state: CardState::UnlockKeyUnknown, ..loaded.card }).await?;
        let event = Event::UnlockKeyRefused;
        let reference = environment.record_dead_end(&mut *transaction, event, &person.user_number, Some(guid)).await?;
        let registration = loaded.registration.as_ref();
        environment.tell(&mut *transaction, &person, registration, &Message::UnlockKeyRefused).await?;
        let ended = UnlockStep::Ended { reason: EndReason::UnlockKeyRefused, reference: Some(reference.clone()) };
        self.go_on(&mut *transaction, loaded.flow, ended).await?;
        let end = DeadEnd { reason: DeadEndReason::UnlockKeyRefused, reference };
        self.use_proof(&mut *transaction, flow, proof, &end).await?;
        transaction.commit().await?;
        Ok(end)
    }

    async fn unlock_key(
        &self,
        transaction: &mut dyn Transaction,
        id: KeyId,
        guid: Guid,
    ) -> Result<UnlockKey, UnlockError> {
        let stored = transaction.unlock_key(id).await?.filter(|stored| stored.guid == guid);
        Ok(stored.ok_or(VaultError::NotAuthentic)?.open(&*self.environment.vault)?)
    }
}

/// Whether keys may be released for a card. Where an officer has the person in front of them, anything but a cancelled card may.
fn may_be_written(
    step: &ChoosePasscode,
    card: &Card,
    registration: Option<&Registration>,
) -> Result<(), DeadEndReason> {
    match (step.opened_by, card.state) {
        (OpenedBy::Person, _) => dead_end(card, registration).map(drop),
        (OpenedBy::Officer, CardState::Cancelled) => Err(DeadEndReason::Cancelled),
        (OpenedBy::Officer, CardState::Active | CardState::UnlockKeyUnknown) => Ok(()),
    }
}

/// The key ring of a card: every enrolled card has one.
async fn key_ring(transaction: &mut dyn Transaction, guid: Guid) -> Result<KeyRing, StoreError> {
    let missing = || StoreError::Unavailable("a card has no key ring".into());
    transaction.key_ring(&guid).await?.ok_or_else(missing)
}

fn fresh_key(environment: &Environment, id: KeyId, guid: Guid) -> StoredUnlockKey {
    let mut bytes = Zeroizing::new([0; 8]);
    environment.randomness.fill(&mut *bytes);
    StoredUnlockKey::seal(id, guid, &UnlockKey::new(*bytes), &*environment.vault)
}
