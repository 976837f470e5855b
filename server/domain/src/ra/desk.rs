//! The use cases of the desk.

use std::sync::Arc;

use card_protocol::{CardProof, Challenge, Guid, Purpose, Slot, sealed::SealedError};

use super::{
    Deed, Forbidden, Order, PersonQuery, RaOfficer, SEARCH_LIMIT,
    change::{Allows, Change, with_role},
    issuing::IssuingSecretsSent,
    loading::Loading,
    record::{CardOnRecord, PersonRecord, RECENT, RegistrationOnRecord},
};
use crate::{
    Environment,
    authority::{AuthorityError, CertifierError},
    card::{Card, CardState},
    challenge::Binding,
    environment::{ProofFault, retry_on_conflict},
    mail::Message,
    person::{Person, UserNumber},
    ports::{StoreError, Transaction, UsedChallenge, VaultError},
    registration::{Registration, addresses},
    role::Role,
    sign_in::SignedIn,
    token::Token,
    trail::{ByOfficer, Event, Outcome, TrailEntry, TrailRecord},
};

/// The use cases of the desk.
#[derive(Clone)]
pub struct Desk {
    pub(super) environment: Arc<Environment>,
}

/// Why the desk did not do it.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The officer may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The proof of the officer's card does not count.
    #[error(transparent)]
    Proof(#[from] ProofFault),
    /// There is no such person, or no such card of theirs.
    #[error("the person or card is not known")]
    Unknown,
    /// There is nothing to do: no registration, nothing locked, no new address, a card that is cancelled already.
    #[error("there is nothing to do")]
    NothingToDo,
    /// The address has no approved domain.
    #[error("the domain is not approved")]
    DomainNotApproved,
    /// The address was set by this officer: another has to confirm it.
    #[error("another officer has to confirm the address")]
    SameOfficer,
    /// The card to issue is somebody's already.
    #[error("the card is somebody's already")]
    CardTaken,
    /// A key that the card has made is known already, or weak: it has to make others.
    #[error("the keys of the card can't be taken")]
    UnfitKeys,
    /// The card has made no requests for certificates, which another authority is to make, or not with its keys.
    #[error("the card has not asked for its certificates")]
    NoRequests,
    /// What is to be loaded is no certificate.
    #[error("not a certificate: {0:?}")]
    NotACertificate(Slot),
    /// It is the certificate of another key.
    #[error("a certificate of another key: {0:?}")]
    ForeignCertificate(Slot),
    /// A secret of the card does not open.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The connection key is none.
    #[error(transparent)]
    Seal(#[from] SealedError),
    /// There is no certificate.
    #[error(transparent)]
    Certifier(#[from] CertifierError),
    /// Another import goes on.
    #[error("another import is under way")]
    ImportUnderWay,
    /// The days of a report are the wrong way round, or too many.
    #[error("not a range of days")]
    NotDays,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What comes of an order.
pub enum Given {
    /// Nothing more: it is done.
    Nothing,
    /// The person may choose a passcode; the token opens the unlock. The officer's session has ended.
    Unlock(Token),
    /// A card may be issued.
    Issuing(IssuingSecretsSent),
    /// Its certificates may be loaded.
    Loading(Loading),
}

impl From<AuthorityError> for DeskError {
    fn from(fault: AuthorityError) -> Self {
        match fault {
            AuthorityError::Vault(fault) => fault.into(),
            AuthorityError::Certifier(fault) => fault.into(),
            AuthorityError::Store(fault) => fault.into(),
        }
    }
}

impl DeskError {
    pub(super) fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(StoreError::Conflict))
    }
}

impl Desk {
    pub(crate) fn new(environment: Arc<Environment>) -> Self {
        Self { environment }
    }

    pub(super) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The permission of whoever is signed in, where they have one.
    ///
    /// # Errors
    ///
    /// [`Forbidden::NoOfficer`].
    pub fn officer(&self, signed_in: &SignedIn) -> Result<RaOfficer, Forbidden> {
        let (environment, session) = (self.environment(), &signed_in.session);
        let officer = RaOfficer::of(signed_in).inspect_err(|_| environment.officers_seen.forget(session.token))?;
        let ends_at = session.began_at + environment.policy.session_life;
        environment.officers_seen.note(session.token, ends_at, environment.now());
        Ok(officer)
    }

    /// Whether the session was an officer's when this server looked last. It permits nothing.
    pub fn has_seen(&self, token: &Token) -> bool {
        self.environment().officers_seen.has(token)
    }

    /// Finds people: at most [`SEARCH_LIMIT`], in the order of their names.
    ///
    /// # Errors
    ///
    /// [`DeskError::Store`].
    pub async fn find(&self, _: &RaOfficer, query: &PersonQuery) -> Result<Vec<Person>, DeskError> {
        Ok(self.environment.store.begin().await?.find_people(query, SEARCH_LIMIT).await?)
    }

    /// Opens a person's record. That goes on the trail too.
    ///
    /// # Errors
    ///
    /// [`DeskError`].
    pub async fn open(&self, officer: &RaOfficer, number: &UserNumber) -> Result<PersonRecord, DeskError> {
        retry_on_conflict!(self.try_open(officer, number))
    }

    async fn try_open(&self, officer: &RaOfficer, number: &UserNumber) -> Result<PersonRecord, DeskError> {
        let environment = &self.environment;
        let mut transaction = environment.store.begin().await?;
        let person = transaction.person(number).await?.ok_or(DeskError::Unknown)?;
        officer.may(Deed::OpenRecord, &person)?;
        let recent = transaction.trail_of(&person.trail_name(), RECENT).await?;
        let recent: Vec<_> = recent.iter().filter_map(TrailRecord::read).collect();
        let by = ByOfficer::only(officer.trail_name.clone());
        // Looked at again and again by the same officer, it stands there once.
        let is_noted =
            recent.first().is_some_and(|entry| entry.event == Event::RecordOpened && entry.by == Some(by.clone()));
        if !is_noted {
            let entry = self.entry(&person, Event::RecordOpened, None, by);
            environment.append(&mut *transaction, entry, Some(&person)).await?;
        }
        let cards = transaction.cards_of(number).await?;
        let issuances = transaction.issuances_of(number).await?;
        let mails = transaction.mails_of(&person.trail_name(), RECENT).await?;
        let registration = transaction.registration(number).await?;
        let now = environment.now();
        let record = PersonRecord {
            cards: cards.iter().map(|card| CardOnRecord { guid: card.guid, state: card.state }).collect(),
            waiting: issuances.iter().filter(|found| found.waits().is_some()).map(|found| found.guid).collect(),
            registration: registration.filter(Registration::is_to_be_shown).map(|registration| RegistrationOnRecord {
                codes_elsewhere_until: registration.pending_former(now).map(|former| former.until),
                attempts_left: registration.attempts_left(&environment.policy),
                standing: registration.standing,
                registered_at: registration.registered_at,
                email: registration.email,
            }),
            recent,
            mails,
            person,
        };
        transaction.commit().await?;
        Ok(record)
    }

    /// Gives the challenge that the officer's card signs for an order (purpose `ra-action`): it stands for this order, in
    /// this session, and nothing else. Writes nothing.
    ///
    /// # Errors
    ///
    /// [`DeskError`]: what the order itself would meet now.
    pub async fn challenge(&self, officer: &RaOfficer, order: &Order) -> Result<Challenge, DeskError> {
        let environment = &self.environment;
        let mut transaction = environment.store.begin().await?;
        self.carry_out(&mut *transaction, officer, order).await?;
        let binding = Binding::Order { session: officer.session, digest: order.digest() };
        Ok(environment.challenge_key.issue(Purpose::RaAction, binding, environment.now(), &*environment.randomness))
    }

    /// Does what was ordered. The person is told, and it goes on the trail with who, why and how they were recognised.
    ///
    /// # Errors
    ///
    /// [`DeskError`].
    pub async fn act(&self, officer: &RaOfficer, order: &Order, proof: &CardProof) -> Result<Given, DeskError> {
        retry_on_conflict!(self.try_act(officer, order, proof))
    }

    async fn try_act(&self, officer: &RaOfficer, order: &Order, proof: &CardProof) -> Result<Given, DeskError> {
        let mut transaction = self.environment.store.begin().await?;
        let card = self.take_signature(&mut *transaction, officer, order.digest(), proof).await?;
        let given = match self.carry_out(&mut *transaction, officer, order).await? {
            Allows::Nothing => Given::Nothing,
            Allows::Unlock(token) => {
                // The keyboard goes to somebody else now.
                transaction.delete_session(officer.session).await?;
                Given::Unlock(token)
            }
            Allows::Issuance(begun) => {
                let secrets = self.send_secrets(&mut *transaction, officer, order, begun, &card, proof).await?;
                Given::Issuing(secrets)
            }
            Allows::Loading(issuance) => {
                let loading =
                    self.send_certificates(&mut *transaction, officer, order, *issuance, &card, proof).await?;
                Given::Loading(loading)
            }
        };
        transaction.commit().await?;
        Ok(given)
    }

    /// Takes the signature of an officer's card for an order with this digest, once, in the caller's transaction. Gives that card.
    pub(super) async fn take_signature(
        &self,
        transaction: &mut dyn Transaction,
        officer: &RaOfficer,
        digest: [u8; 32],
        proof: &CardProof,
    ) -> Result<Card, DeskError> {
        let environment = &self.environment;
        let binding = Binding::Order { session: officer.session, digest };
        environment.check_challenge(proof, Purpose::RaAction, binding)?;
        let card = transaction.card(&officer.card).await?.filter(|card| card.state != CardState::Cancelled);
        let card = card.filter(|card| card.holder == officer.number && card.signed(proof, &environment.origin));
        let card = card.ok_or(ProofFault::Refused)?;
        // The role may have been taken away since the request began.
        let now = transaction.person(&officer.number).await?.map(|person| person.role);
        if now.is_none_or(|role| role < officer.role) {
            return Err(Forbidden::NoOfficer.into());
        }
        if transaction.used_challenge(&proof.challenge).await?.is_some() {
            return Err(ProofFault::Stale.into());
        }
        let at = environment.now();
        let used = UsedChallenge { challenge: proof.challenge, flow: None, outcome: String::new(), at };
        transaction.insert_used_challenge(&used).await?;
        Ok(card)
    }

    /// Gives a person a role: how the first manager comes to be, by whoever runs the service.
    ///
    /// # Errors
    ///
    /// [`DeskError::Unknown`], [`DeskError::NothingToDo`] where they have it already, [`DeskError::Store`].
    pub async fn grant(&self, number: &UserNumber, role: Role) -> Result<(), DeskError> {
        retry_on_conflict!(async {
            let environment = &self.environment;
            let mut transaction = environment.store.begin().await?;
            let person = transaction.person(number).await?.ok_or(DeskError::Unknown)?;
            let person = with_role(person, role)?;
            transaction.save_person(&person).await?;
            transaction.delete_sessions(number, None).await?;
            environment.record_person(&mut *transaction, Event::RoleGranted, &person).await?;
            Ok::<_, DeskError>(transaction.commit().await?)
        })
    }

    /// All of an order but its proof, in the caller's transaction.
    async fn carry_out(
        &self,
        transaction: &mut dyn Transaction,
        officer: &RaOfficer,
        order: &Order,
    ) -> Result<Allows, DeskError> {
        let environment = &self.environment;
        let person = transaction.person(&order.person).await?.ok_or(DeskError::Unknown)?;
        officer.may(order.action.deed(), &person)?;
        let before = transaction.registration(&order.person).await?;
        let mut told: Vec<_> = addresses(&person, before.as_ref(), environment.now()).into_iter().cloned().collect();
        let Change { event, card, allows } = self.change(transaction, officer, &person, before, &order.action).await?;
        let entry = self.entry(&person, event, card, officer.by(order));
        environment.append(transaction, entry, Some(&person)).await?;
        if matches!(allows, Allows::Issuance(_) | Allows::Loading(_)) {
            // They are told when there is a card.
            return Ok(allows);
        }
        // A new address is told too.
        let after = transaction.person(&order.person).await?.ok_or(DeskError::Unknown)?;
        told.extend(after.email.filter(|email| !told.contains(email)));
        for address in &told {
            let message = Message::RaHelped { deed: order.action.deed(), reason: order.reason, check: order.check };
            environment.post(transaction, &person, address, message).await?;
        }
        Ok(allows)
    }

    pub(super) fn entry(&self, person: &Person, event: Event, card: Option<Guid>, by: ByOfficer) -> TrailEntry {
        TrailEntry {
            at: self.environment.now(),
            event,
            outcome: Outcome::Done,
            person: Some(person.trail_name()),
            card: card.map(|card| person.trail_salt.name_card(&card)),
            reference: None,
            by: Some(by),
        }
    }
}
