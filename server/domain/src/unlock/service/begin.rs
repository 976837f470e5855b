//! Beginning an unlock: a genuine card, and whether its person may help themself.

use card_protocol::{CardProof, Challenge, Guid, Purpose};
use time::Duration;

use super::{DeadEnd, DeadEndReason, Identified, UnlockError, UnlockService, dead_end};
use crate::{
    Timestamp,
    card::{Card, CardState},
    challenge::Binding,
    code::{Code, IssuedCode},
    environment::{ProofFault, retry_on_conflict},
    language::Language,
    milestone::Milestone,
    person::UserNumber,
    policy::Profile,
    ports::{HasherError, StoreError, Transaction, UsedChallenge},
    registration::{Registration, Standing},
    token::{FlowId, Token},
    trail::{Event, Outcome, Reference},
    unlock::{
        UnlockFlow, UnlockStep,
        flow::{AnswerQuestions, EnterCode, EnterRecoveryCode},
        supersede,
    },
};

impl UnlockService {
    /// Gives the challenge with which a card begins an unlock (purpose `unlock`). Writes nothing.
    ///
    /// # Errors
    ///
    /// [`HasherError::Busy`] while those who have begun wait long already.
    pub fn start(&self, browser: &Token) -> Result<Challenge, HasherError> {
        let environment = &self.environment;
        environment.let_begin()?;
        let binding = Binding::Browser(browser);
        Ok(environment.challenge_key.issue(Purpose::Unlock, binding, environment.now(), &*environment.randomness))
    }

    /// Begins the flow of a card that has proved itself, and ends an earlier one of the same card. Where nobody signs in to
    /// register, its holder is addressed from now on in the language of the page.
    ///
    /// # Errors
    ///
    /// [`UnlockError`]; [`ProofFault::Refused`] for an unknown card and a bad signature alike.
    pub async fn identify(
        &self,
        browser: &Token,
        proof: &CardProof,
        language: Language,
    ) -> Result<Identified, UnlockError> {
        let environment = &self.environment;
        if !environment.policy.profile.begins_with_code() {
            return retry_on_conflict!(self.try_identify(browser, proof, language, None));
        }
        // Hashing is dear: not for whoever gets no code.
        let Some(holder) = self.gets_code(browser, proof).await? else {
            return retry_on_conflict!(self.try_identify(browser, proof, language, None));
        };
        let hashing = environment.hasher.enter(&holder).await?;
        let code = if hashing.has_waited() && self.gets_code(browser, proof).await?.is_none() {
            None
        } else {
            Some(environment.make_code(&*hashing).await?)
        };
        retry_on_conflict!(self.try_identify(browser, proof, language, code.as_ref()))
    }

    /// To whom a code is mailed when the card of a proof begins an unlock now.
    async fn gets_code(&self, browser: &Token, proof: &CardProof) -> Result<Option<UserNumber>, UnlockError> {
        let environment = &self.environment;
        let transaction = &mut *environment.store.begin().await?;
        let card = self.identified(transaction, browser, proof).await?;
        let registration = self.registration(transaction, &card).await?;
        let gets_code = may_unlock(&card, registration.as_ref(), environment.policy.profile).is_ok()
            && self.next_unlock_at(transaction, &card.guid).await?.is_none()
            && environment.next_code_at(transaction, &card.holder, None).await?.is_none();
        Ok(gets_code.then_some(card.holder))
    }

    /// The card of a proof that begins an unlock.
    async fn identified(
        &self,
        transaction: &mut dyn Transaction,
        browser: &Token,
        proof: &CardProof,
    ) -> Result<Card, UnlockError> {
        let environment = &self.environment;
        environment.check_challenge(proof, Purpose::Unlock, Binding::Browser(browser))?;
        let card = transaction.card(&proof.guid).await?.filter(|card| card.signed(proof, &environment.origin));
        let card = card.ok_or(ProofFault::Refused)?;
        if transaction.used_challenge(&proof.challenge).await?.is_some() {
            return Err(ProofFault::Stale.into());
        }
        Ok(card)
    }

    async fn try_identify(
        &self,
        browser: &Token,
        proof: &CardProof,
        language: Language,
        code: Option<&(Code, IssuedCode)>,
    ) -> Result<Identified, UnlockError> {
        let environment = &self.environment;
        let mut transaction = environment.store.begin().await?;
        let card = self.identified(&mut *transaction, browser, proof).await?;
        let now = environment.now();
        let used = UsedChallenge { challenge: proof.challenge, flow: None, outcome: String::new(), at: now };
        transaction.insert_used_challenge(&used).await?;
        let registration = self.registration(&mut *transaction, &card).await?;
        let registration = match may_unlock(&card, registration.as_ref(), environment.policy.profile) {
            Ok(registration) => registration.clone(),
            Err(reason) => {
                let reference = self.reference(&mut *transaction, &card).await?;
                transaction.count_milestone(Some(Milestone::refused(reason)));
                transaction.commit().await?;
                return Ok(Identified::DeadEnd(DeadEnd { reason, reference }));
            }
        };
        if let Some(at) = self.next_unlock_at(&mut *transaction, &card.guid).await? {
            return Err(UnlockError::TooOften { wait: at - environment.now() });
        }
        supersede(environment, &mut *transaction, &card.guid).await?;
        if !environment.policy.profile.registers() {
            environment.address_in(&mut *transaction, &card.holder, language).await?;
        }
        let step = self.first_step(&mut *transaction, &card, &registration, code).await?;
        let token = Token::generate(&*environment.randomness);
        let flow = UnlockFlow {
            id: FlowId::generate(&*environment.randomness),
            token: token.hash(),
            card: card.guid,
            person: card.holder.clone(),
            step,
            began_at: now,
            last_active: now,
            version: 0,
        };
        transaction.insert_unlock_flow(&flow).await?;
        transaction.count_milestone(Some(Milestone::unlock_begun()));
        environment.record(&mut *transaction, Event::UnlockBegun, Outcome::Done, &card.holder, card.guid).await?;
        transaction.commit().await?;
        Ok(Identified::Flow(token))
    }

    /// The registration of a card's holder. Where nobody registers it begins with the first unlock, with the address that
    /// the RA holds.
    async fn registration(
        &self,
        transaction: &mut dyn Transaction,
        card: &Card,
    ) -> Result<Option<Registration>, UnlockError> {
        let environment = &self.environment;
        let found = transaction.registration(&card.holder).await?;
        if found.is_some() || environment.policy.profile.registers() || card.state != CardState::Active {
            return Ok(found);
        }
        let person = transaction.person(&card.holder).await?.ok_or(StoreError::Conflict)?;
        let Some(email) = person.email else { return Ok(None) };
        let registration = Registration {
            person: person.user_number,
            email,
            former: None,
            answers: Vec::new(),
            recovery_codes: Vec::new(),
            asked: Vec::new(),
            standing: Standing::Open { failed_attempts: 0 },
            registered_at: environment.now(),
            ended_at: None,
            version: 0,
        };
        transaction.insert_registration(&registration).await?;
        Ok(Some(registration))
    }

    /// Where an unlock begins.
    async fn first_step(
        &self,
        transaction: &mut dyn Transaction,
        card: &Card,
        registration: &Registration,
        code: Option<&(Code, IssuedCode)>,
    ) -> Result<UnlockStep, UnlockError> {
        let policy = &self.environment.policy;
        if policy.profile.begins_with_code() {
            let sent = match code {
                Some((code, issued)) => self.send_code(transaction, card, registration, code, issued.clone()).await?,
                None => None,
            };
            return Ok(UnlockStep::Code(EnterCode::sent(sent, policy)));
        }
        Ok(if registration.answers.is_empty() {
            UnlockStep::RecoveryCode(EnterRecoveryCode {})
        } else {
            UnlockStep::Questions(AnswerQuestions { asked: registration.asked.clone() })
        })
    }

    /// What the person quotes to the RA of a card that is refused an unlock.
    pub(super) async fn reference(
        &self,
        transaction: &mut dyn Transaction,
        card: &Card,
    ) -> Result<Reference, StoreError> {
        let environment = &self.environment;
        if let Some(reference) = environment.recent_dead_end(transaction, &card.holder, card.guid).await? {
            return Ok(reference);
        }
        environment.record_dead_end(transaction, Event::UnlockBegun, &card.holder, Some(card.guid)).await
    }

    /// When a card may begin another unlock; nothing where it may now. Who has found a card could begin any number,
    /// each a row and a record of the trail.
    async fn next_unlock_at(
        &self,
        transaction: &mut dyn Transaction,
        card: &Guid,
    ) -> Result<Option<Timestamp>, StoreError> {
        let environment = &self.environment;
        let begun = transaction.unlock_flows_begun_since(card, environment.now() - Duration::hours(1)).await?;
        Ok(environment.hour_is_full(begun, environment.policy.unlocks_an_hour))
    }
}

/// The registration with which a card may begin an unlock, or why it may not.
fn may_unlock<'a>(
    card: &Card,
    registration: Option<&'a Registration>,
    profile: Profile,
) -> Result<&'a Registration, DeadEndReason> {
    match dead_end(card, registration) {
        Err(DeadEndReason::NotRegistered) if !profile.registers() => Err(DeadEndReason::NoAddress),
        Ok(registration) if !registration.suits(profile) => Err(DeadEndReason::NotRegistered),
        found => found,
    }
}
