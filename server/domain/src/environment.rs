//! What all use cases share, and the value that holds them.

use std::sync::Arc;

use card_protocol::{CardProof, Guid, Purpose, sealed::ServiceSecret};

use crate::{
    Timestamp,
    authority::Certifier,
    challenge::{Binding, ChallengeFault, ChallengeKey},
    change::Changes,
    code::{Code, IssuedCode},
    delivery::Deliveries,
    email::EmailAddress,
    enrolment::Enrolment,
    erasure::Erasure,
    figure::Figure,
    freezing::{FreezeToken, Freezing},
    import::Import,
    issuance::IssuingTerms,
    language::Language,
    mail::{Mail, Message, OutboxMail},
    person::{Person, UserNumber},
    policy::Policy,
    ports::{AnswerHasher, Calendar, Clock, HasherError, Hashing, Randomness, Store, StoreError, Transaction, Vault},
    ra::{Desk, OfficersSeen},
    registration::{Registration, RegistrationService, addresses},
    sign_in::SignIn,
    token::MailId,
    trail::{Event, Outcome, Reference, TrailEntry, TrailKey, TrailRecord},
    unlock::UnlockService,
};

/// What the use cases are made of.
#[derive(Clone)]
pub struct Environment {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The days, where the service is.
    pub calendar: Arc<dyn Calendar>,
    /// The dice.
    pub randomness: Arc<dyn Randomness>,
    /// The encryption of what is stored.
    pub vault: Arc<dyn Vault>,
    /// The hashing of answers and codes.
    pub hasher: Arc<dyn AnswerHasher>,
    /// The making of certificates.
    pub certifier: Arc<dyn Certifier>,
    /// How cards are issued.
    pub issuing: IssuingTerms,
    /// What the organisation decided.
    pub policy: Policy,
    /// The service's own origin, as browsers write it: `https://unlock.example.org`.
    pub origin: String,
    /// The key of the challenges.
    pub challenge_key: Arc<ChallengeKey>,
    /// The key of the audit trail.
    pub trail_key: Arc<TrailKey>,
    /// The service key's private half.
    pub service_secret: Arc<ServiceSecret>,
    /// Who was at the desk lately.
    pub officers_seen: Arc<OfficersSeen>,
}

/// The use cases.
#[derive(Clone)]
pub struct Services {
    /// Taking people and cards into the service.
    pub enrolment: Enrolment,
    /// Taking many of them in at once.
    pub import: Import,
    /// Signing in with a card, and the session.
    pub sign_in: SignIn,
    /// Registering.
    pub registration: RegistrationService,
    /// Changing what is one's own.
    pub changes: Changes,
    /// Unlocking.
    pub unlock: UnlockService,
    /// Freezing self-service.
    pub freezing: Freezing,
    /// Noting what became of mails.
    pub deliveries: Deliveries,
    /// Erasing a person.
    pub erasure: Erasure,
    /// The RA's desk.
    pub desk: Desk,
}

impl Services {
    /// Puts the use cases on their environment.
    pub fn new(environment: Environment) -> Self {
        let environment = Arc::new(environment);
        Self {
            enrolment: Enrolment::new(Arc::clone(&environment)),
            import: Import::new(Arc::clone(&environment)),
            sign_in: SignIn::new(Arc::clone(&environment)),
            registration: RegistrationService::new(Arc::clone(&environment)),
            changes: Changes::new(Arc::clone(&environment)),
            unlock: UnlockService::new(Arc::clone(&environment)),
            freezing: Freezing::new(Arc::clone(&environment)),
            deliveries: Deliveries::new(Arc::clone(&environment)),
            erasure: Erasure::new(Arc::clone(&environment)),
            desk: Desk::new(environment),
        }
    }
}

/// Why a card proof does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofFault {
    /// The challenge is too old, or was used: fetch another and prove again.
    #[error("the challenge has expired or was used")]
    Stale,
    /// The card is not known, is not the one of this flow or session, or did not sign this.
    #[error("the proof does not hold")]
    Refused,
}

impl From<ChallengeFault> for ProofFault {
    fn from(fault: ChallengeFault) -> Self {
        match fault {
            ChallengeFault::Expired => Self::Stale,
            ChallengeFault::Foreign => Self::Refused,
        }
    }
}

/// What another server's clock, or this one's before a small correction, may say later than this one now. What is from
/// later still was made before the clock was put back.
pub const CLOCKS_AGREE_WITHIN: time::Duration = time::Duration::minutes(1);

/// How much later than noted somebody may have been active: to write down each request would be a write for each.
const ACTIVITY_NOTED_EVERY: time::Duration = time::Duration::seconds(30);

/// How many refused proofs the trail keeps before something else happens.
const REFUSED_PROOFS_IN_A_ROW: u64 = 3;

/// How long a card that is refused an unlock gets the same reference.
const SAME_REFERENCE_WITHIN: time::Duration = time::Duration::minutes(15);

/// How often a use case begins again when another request came first. Every round one request wins, and what they
/// fight for (attempts, tries) is used up after a few.
pub(crate) const ROUNDS: usize = 12;

/// Runs a use case again while another request comes first.
macro_rules! retry_on_conflict {
    ($attempt:expr) => {{
        let mut round = 1;
        loop {
            match $attempt.await {
                Err(fault) if round < $crate::environment::ROUNDS && fault.is_conflict() => round += 1,
                ended => break ended,
            }
        }
    }};
}
pub(crate) use retry_on_conflict;

impl Environment {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether it is to be written down that a session or flow is active now. Also where the clock was put back: the time
    /// without a request begins anew by the clock of now.
    pub(crate) fn is_to_be_noted(&self, last_active: Timestamp) -> bool {
        (self.now() - last_active).abs() >= ACTIVITY_NOTED_EVERY
    }

    /// Checks all of a proof that needs no store: purpose and challenge.
    pub(crate) fn check_challenge(
        &self,
        proof: &CardProof,
        purpose: Purpose,
        binding: Binding<'_>,
    ) -> Result<(), ProofFault> {
        if proof.purpose != purpose {
            return Err(ProofFault::Refused);
        }
        Ok(self.challenge_key.check(&proof.challenge, purpose, binding, self.now())?)
    }

    /// Adds to the trail, in the caller's transaction.
    pub(crate) async fn record(
        &self,
        transaction: &mut dyn Transaction,
        event: Event,
        outcome: Outcome,
        person: &UserNumber,
        card: Guid,
    ) -> Result<(), StoreError> {
        let (entry, person) = self.entry(transaction, event, outcome, person, Some(card)).await?;
        self.append(transaction, entry, Some(&person)).await
    }

    /// Adds a refusal to the trail, with a reference for the person to quote.
    pub(crate) async fn record_dead_end(
        &self,
        transaction: &mut dyn Transaction,
        event: Event,
        person: &UserNumber,
        card: Option<Guid>,
    ) -> Result<Reference, StoreError> {
        let reference = Reference::generate(&*self.randomness);
        let (entry, person) = self.entry(transaction, event, Outcome::Refused, person, card).await?;
        let entry = TrailEntry { reference: Some(reference.clone()), ..entry };
        self.append(transaction, entry, Some(&person)).await?;
        transaction.insert_reference(&reference, &person.user_number, self.now()).await?;
        Ok(reference)
    }

    /// What is told of a person and their card, under their names on the trail. A person who is not there was erased
    /// while the use case was under way: it begins again, and finds that out.
    async fn entry(
        &self,
        transaction: &mut dyn Transaction,
        event: Event,
        outcome: Outcome,
        person: &UserNumber,
        card: Option<Guid>,
    ) -> Result<(TrailEntry, Person), StoreError> {
        let person = transaction.person(person).await?.ok_or(StoreError::Conflict)?;
        let entry = TrailEntry {
            at: self.now(),
            event,
            outcome,
            person: Some(person.trail_name()),
            card: card.map(|card| person.trail_salt.name_card(&card)),
            reference: None,
            by: None,
        };
        Ok((entry, person))
    }

    /// Adds an entry to the trail, in the caller's transaction, and counts it where reports do: everything but the cards
    /// of an import comes through here.
    pub(crate) async fn append(
        &self,
        transaction: &mut dyn Transaction,
        entry: TrailEntry,
        person: Option<&Person>,
    ) -> Result<(), StoreError> {
        if let Some(figure) = Figure::of(&entry) {
            let organisation = person.and_then(|person| person.organisation.as_ref());
            transaction.count(self.calendar.date(entry.at), figure, organisation).await?;
        }
        self.trail_key.append(transaction, entry).await
    }

    /// Adds to the trail something that is about a person and none of their cards.
    pub(crate) async fn record_person(
        &self,
        transaction: &mut dyn Transaction,
        event: Event,
        person: &Person,
    ) -> Result<(), StoreError> {
        let (entry, person) = self.entry(transaction, event, Outcome::Done, &person.user_number, None).await?;
        self.append(transaction, entry, Some(&person)).await
    }

    /// Adds to the trail, in a transaction of its own, that a proof was refused to whoever has a session or an unlock of
    /// this card: three in a row at most, so that a forger does not fill the trail.
    pub(crate) async fn record_refused_proof(&self, person: &UserNumber, card: Guid) -> Result<(), StoreError> {
        retry_on_conflict!(async {
            let mut transaction = self.store.begin().await?;
            let (entry, person) =
                self.entry(&mut *transaction, Event::CardProofRefused, Outcome::Refused, person, Some(card)).await?;
            let latest = match &entry.person {
                Some(name) => transaction.trail_of(name, REFUSED_PROOFS_IN_A_ROW).await?,
                None => Vec::new(),
            };
            let is_alike = |earlier: &TrailEntry| earlier.event == entry.event && earlier.card == entry.card;
            let refused = latest.iter().filter_map(TrailRecord::read).filter(is_alike).count();
            if refused as u64 == REFUSED_PROOFS_IN_A_ROW {
                return Ok(());
            }
            self.append(&mut *transaction, entry, Some(&person)).await?;
            transaction.commit().await
        })
    }

    /// The reference that a card got when it was refused an unlock, if nothing has happened since and it is not long ago:
    /// whoever presses Start again and again has one to quote, and the trail one record.
    pub(crate) async fn recent_dead_end(
        &self,
        transaction: &mut dyn Transaction,
        person: &UserNumber,
        card: Guid,
    ) -> Result<Option<Reference>, StoreError> {
        let Some(person) = transaction.person(person).await? else { return Ok(None) };
        let card = Some(person.trail_salt.name_card(&card));
        let latest = transaction.trail_of(&person.trail_name(), 1).await?.first().and_then(TrailRecord::read);
        let is_this = |entry: &TrailEntry| {
            let age = self.now() - entry.at;
            entry.event == Event::UnlockBegun && entry.card == card && !age.is_negative() && age < SAME_REFERENCE_WITHIN
        };
        Ok(latest.filter(is_this).and_then(|entry| entry.reference))
    }

    /// Has a person addressed in another language from now on.
    pub(crate) async fn address_in(
        &self,
        transaction: &mut dyn Transaction,
        person: &UserNumber,
        language: Language,
    ) -> Result<(), StoreError> {
        if let Some(person) = transaction.person(person).await?
            && person.language != language
        {
            transaction.save_person(&Person { language, ..person }).await?;
        }
        Ok(())
    }

    /// Puts a mail into the outbox, in the caller's transaction.
    pub(crate) async fn post(
        &self,
        transaction: &mut dyn Transaction,
        person: &Person,
        to: &EmailAddress,
        message: Message,
    ) -> Result<MailId, StoreError> {
        let at = self.now();
        let freeze = message.has_freeze_link().then(|| FreezeToken::seal(&person.user_number, at, &*self.vault));
        let owner = Some(person.user_number.clone());
        let (to, name, language) = (to.clone(), person.name.clone(), person.language);
        let mail = Mail { to, person: owner, name, language, at, message, freeze };
        let id = MailId::generate(&*self.randomness);
        let owner = Some(person.trail_name());
        transaction.insert_mail(&OutboxMail { owner, ..OutboxMail::seal(id, &mail, &*self.vault, at) }).await?;
        Ok(id)
    }

    /// Tells a person of what happened, at every address of their registration; where they have none, at the one that the RA
    /// holds.
    pub(crate) async fn tell(
        &self,
        transaction: &mut dyn Transaction,
        person: &Person,
        registration: Option<&Registration>,
        message: &Message,
    ) -> Result<(), StoreError> {
        let registered = registration.map(|registration| registration.addresses(self.now()));
        let held = person.email.as_ref().filter(|_| registration.is_none());
        for address in registered.into_iter().flatten().chain(held) {
            self.post(transaction, person, address, message.clone()).await?;
        }
        Ok(())
    }

    /// Tells a person of what they have done, at every address that is theirs now, also the one that the RA holds.
    pub(crate) async fn tell_everywhere(
        &self,
        transaction: &mut dyn Transaction,
        person: &Person,
        registration: Option<&Registration>,
        message: &Message,
    ) -> Result<(), StoreError> {
        for address in addresses(person, registration, self.now()) {
            self.post(transaction, person, address, message.clone()).await?;
        }
        Ok(())
    }

    /// Lets somebody begin what will need the hasher: not while those who have begun wait long for it.
    pub(crate) fn let_begin(&self) -> Result<(), HasherError> {
        if self.hasher.is_crowded() { Err(HasherError::Busy) } else { Ok(()) }
    }

    /// Makes a code, and what is stored of it; it is in no mail yet.
    pub(crate) async fn make_code(&self, hashing: &dyn Hashing) -> Result<(Code, IssuedCode), HasherError> {
        let code = Code::generate(&*self.randomness);
        let hash = hashing.hash(code.expose_secret()).await?;
        let sent_at = self.now();
        Ok((code, IssuedCode { hash, mail: None, sent_at, valid_until: sent_at + self.policy.code_life }))
    }

    /// When something may be done again that was done at these times, in order, and may be so often an hour; nothing where
    /// that is now. What seems to be from later than now does not count.
    pub(crate) fn hour_is_full(&self, mut done: Vec<Timestamp>, an_hour: usize) -> Option<Timestamp> {
        let now = self.now();
        done.retain(|at| *at <= now + CLOCKS_AGREE_WITHIN);
        let oldest = done.len().checked_sub(an_hour).and_then(|first| done.get(first));
        oldest.map(|oldest| *oldest + time::Duration::hours(1)).filter(|at| *at > now)
    }

    /// When the person may get another code mail; nothing where it is now. The pause counts from the latest code of
    /// this flow, the hour's limit over all flows of the person. What seems to be sent later than now, because the clock
    /// was put back, counts for neither: it would make the pause as long as the step, and the hour two.
    pub(crate) async fn next_code_at(
        &self,
        transaction: &mut dyn Transaction,
        person: &UserNumber,
        sent_in_flow: Option<Timestamp>,
    ) -> Result<Option<Timestamp>, StoreError> {
        let now = self.now();
        let latest = now + CLOCKS_AGREE_WITHIN;
        let sent = transaction.code_mails_since(person, now - time::Duration::hours(1)).await?;
        let limit = self.hour_is_full(sent, self.policy.codes_an_hour);
        let pause = sent_in_flow.filter(|at| *at <= latest).map(|sent| sent + self.policy.resend_after);
        Ok(limit.max(pause).filter(|at| *at > now))
    }
}
