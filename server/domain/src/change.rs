//! What a person changes of their own, each after the card in the reader has proved its holder anew (purpose `change`): the
//! passcode of that card, what they answer with, their address, the registration as a whole.
//!
//! The challenge of a proof stands for one change in one session, so that a proof for one is worth nothing for another.
//! Other questions, recovery codes and another address take more than one step: those are a flow of [`registration`].
//!
//! [`registration`]: crate::registration

use std::sync::Arc;

use card_protocol::{CardProof, Challenge, Purpose};

use crate::{
    Environment,
    card::Card,
    challenge::Binding,
    environment::{ProofFault, retry_on_conflict},
    mail::Message,
    ports::Transaction,
    registration::{
        Registration, RegistrationStep,
        flow::{ChangeFactor, ConfirmEmail},
        service::{RegistrationError, begin, refuse_closed},
    },
    sign_in::{SignedIn, proved_card, renew_session, use_challenge},
    token::Token,
    trail::{Event, Outcome},
    unlock::{EndReason, UnlockStep, end_unlocks},
};

/// What is changed. Its number stands in the challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Change {
    /// The passcode of the card: the card has changed it, and says so.
    Passcode = 1,
    /// What the person answers with.
    Factor = 2,
    /// The address.
    Email = 3,
    /// The registration: it ends.
    EndRegistration = 4,
}

/// The use cases of changes.
#[derive(Clone)]
pub struct Changes {
    environment: Arc<Environment>,
}

impl Changes {
    pub(crate) fn new(environment: Arc<Environment>) -> Self {
        Self { environment }
    }

    /// Confirms that the card of the session vouches for the connection key (purpose `hello`), and gives the challenge for
    /// the proof of its holder: nobody's passcode goes to another card. Writes nothing.
    ///
    /// # Errors
    ///
    /// [`RegistrationError`]: also what the change itself would meet now.
    pub async fn confirm_card(
        &self,
        signed_in: &SignedIn,
        proof: &CardProof,
        change: Change,
    ) -> Result<Challenge, RegistrationError> {
        let environment = &self.environment;
        let session = &signed_in.session;
        environment.check_challenge(proof, Purpose::Hello, Binding::Session(session.id))?;
        let mut transaction = environment.store.begin().await?;
        self.card_of_session(&mut *transaction, signed_in, proof).await?;
        self.refuse_impossible(&mut *transaction, signed_in, change).await?;
        let binding = Binding::Change { session: session.id, change };
        Ok(environment.challenge_key.issue(Purpose::Change, binding, environment.now(), &*environment.randomness))
    }

    /// Notes that the card has another passcode, and tells its person.
    ///
    /// # Errors
    ///
    /// [`RegistrationError`].
    pub async fn passcode_changed(&self, signed_in: &SignedIn, proof: &CardProof) -> Result<Token, RegistrationError> {
        let changed = retry_on_conflict!(self.try_passcode_changed(signed_in, proof));
        self.note_refusal(signed_in, changed).await
    }

    async fn try_passcode_changed(&self, signed_in: &SignedIn, proof: &CardProof) -> Result<Token, RegistrationError> {
        let mut transaction = self.proved(signed_in, proof, Change::Passcode).await?;
        let registration = transaction.registration(&signed_in.session.person).await?;
        let told = Message::PasscodeChanged;
        let token = self.finish(&mut *transaction, signed_in, registration, Event::PasscodeChanged, told).await?;
        transaction.commit().await?;
        Ok(token)
    }

    /// Ends the registration: nothing is left by which a card could be unlocked, and what is under way ends.
    ///
    /// # Errors
    ///
    /// [`RegistrationError`].
    pub async fn end_registration(&self, signed_in: &SignedIn, proof: &CardProof) -> Result<Token, RegistrationError> {
        let ended = retry_on_conflict!(self.try_end_registration(signed_in, proof));
        self.note_refusal(signed_in, ended).await
    }

    async fn try_end_registration(&self, signed_in: &SignedIn, proof: &CardProof) -> Result<Token, RegistrationError> {
        let mut transaction = self.proved(signed_in, proof, Change::EndRegistration).await?;
        let number = &signed_in.session.person;
        let registration = transaction.registration(number).await?.ok_or(RegistrationError::NotRegistered)?;
        let registration = registration.end(self.environment.now());
        transaction.save_registration(&registration).await?;
        end_unlocks(&mut *transaction, number, &UnlockStep::ended(EndReason::Stopped)).await?;
        let (event, told) = (Event::RegistrationEnded, Message::RegistrationEnded);
        let token = self.finish(&mut *transaction, signed_in, Some(registration), event, told).await?;
        transaction.commit().await?;
        Ok(token)
    }

    /// Tells every address of the person, adds to the trail, and renews the session.
    async fn finish(
        &self,
        transaction: &mut dyn Transaction,
        signed_in: &SignedIn,
        registration: Option<Registration>,
        event: Event,
        told: Message,
    ) -> Result<Token, RegistrationError> {
        let environment = &self.environment;
        let SignedIn { session, person, .. } = signed_in;
        environment.tell_everywhere(transaction, person, registration.as_ref(), &told).await?;
        environment.record(transaction, event, Outcome::Done, &session.person, session.card).await?;
        Ok(renew_session(environment, transaction, session).await?)
    }

    /// Begins a change of what the person answers with. A flow that was under way in this session ends.
    ///
    /// # Errors
    ///
    /// [`RegistrationError`].
    pub async fn begin_factor(&self, signed_in: &SignedIn, proof: &CardProof) -> Result<(), RegistrationError> {
        self.begin(signed_in, proof, Change::Factor, &RegistrationStep::Factor(ChangeFactor {})).await
    }

    /// Begins a change of the address. A flow that was under way in this session ends.
    ///
    /// # Errors
    ///
    /// [`RegistrationError`].
    pub async fn begin_email(&self, signed_in: &SignedIn, proof: &CardProof) -> Result<(), RegistrationError> {
        let step = RegistrationStep::Email(ConfirmEmail::of_registration());
        self.begin(signed_in, proof, Change::Email, &step).await
    }

    async fn begin(
        &self,
        signed_in: &SignedIn,
        proof: &CardProof,
        change: Change,
        step: &RegistrationStep,
    ) -> Result<(), RegistrationError> {
        let begun = retry_on_conflict!(self.try_begin(signed_in, proof, change, step));
        self.note_refusal(signed_in, begun).await
    }

    async fn try_begin(
        &self,
        signed_in: &SignedIn,
        proof: &CardProof,
        change: Change,
        step: &RegistrationStep,
    ) -> Result<(), RegistrationError> {
        let environment = &self.environment;
        let session = &signed_in.session;
        let mut transaction = self.proved(signed_in, proof, change).await?;
        begin(environment, &mut *transaction, session, step.clone()).await?;
        let event = Event::ChangeBegun;
        environment.record(&mut *transaction, event, Outcome::Done, &session.person, session.card).await?;
        Ok(transaction.commit().await?)
    }

    /// Begins the transaction of a change for which the holder of the session's card has given a proof: once.
    async fn proved(
        &self,
        signed_in: &SignedIn,
        proof: &CardProof,
        change: Change,
    ) -> Result<Box<dyn Transaction>, RegistrationError> {
        let environment = &self.environment;
        let binding = Binding::Change { session: signed_in.session.id, change };
        environment.check_challenge(proof, Purpose::Change, binding)?;
        let mut transaction = environment.store.begin().await?;
        self.card_of_session(&mut *transaction, signed_in, proof).await?;
        self.refuse_impossible(&mut *transaction, signed_in, change).await?;
        use_challenge(&mut *transaction, proof, environment.now()).await?;
        Ok(transaction)
    }

    async fn note_refusal<T>(
        &self,
        signed_in: &SignedIn,
        outcome: Result<T, RegistrationError>,
    ) -> Result<T, RegistrationError> {
        if let Err(RegistrationError::Proof(ProofFault::Refused)) = &outcome {
            let session = &signed_in.session;
            self.environment.record_refused_proof(&session.person, session.card).await?;
        }
        outcome
    }

    /// The card that made a proof, which is the one of the session.
    async fn card_of_session(
        &self,
        transaction: &mut dyn Transaction,
        signed_in: &SignedIn,
        proof: &CardProof,
    ) -> Result<Card, RegistrationError> {
        if proof.guid != signed_in.session.card {
            return Err(ProofFault::Refused.into());
        }
        Ok(proved_card(&self.environment, transaction, proof).await?)
    }

    /// The passcode is the card's own affair; anything else needs a registration that is there and open.
    async fn refuse_impossible(
        &self,
        transaction: &mut dyn Transaction,
        signed_in: &SignedIn,
        change: Change,
    ) -> Result<(), RegistrationError> {
        match change {
            Change::Passcode => return Ok(()),
            Change::Factor | Change::Email | Change::EndRegistration => {}
        }
        if !self.environment.policy.profile.registers() {
            return Err(RegistrationError::NotOffered);
        }
        let registration = transaction.registration(&signed_in.session.person).await?;
        refuse_closed(registration.as_ref())?;
        match registration {
            Some(registration) if registration.ended_at.is_none() => Ok(()),
            _ => Err(RegistrationError::NotRegistered),
        }
    }
}
