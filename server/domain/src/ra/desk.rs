//! The use cases of the desk.

use std::sync::Arc;

use card_protocol::{CardProof, Challenge, Purpose};

use super::{
    Action, Deed, Forbidden, Order, PersonQuery, RaOfficer, SEARCH_LIMIT,
    record::{CardOnRecord, PersonRecord, RECENT, RegistrationOnRecord},
};
use crate::{
    Environment,
    card::{Card, CardState},
    challenge::Binding,
    environment::{ProofFault, retry_on_conflict},
    mail::Message,
    person::{Person, UserNumber},
    ports::{StoreError, Transaction, UsedChallenge},
    registration::{FormerAddress, Registration, Standing, addresses},
    role::Role,
    sign_in::SignedIn,
    trail::{ByOfficer, Event, Outcome, TrailEntry, TrailRecord},
    unlock::{EndReason, UnlockStep, end_unlocks, end_unlocks_of},
};

/// The use cases of the desk.
#[derive(Clone)]
pub struct Desk {
    environment: Arc<Environment>,
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
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DeskError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(StoreError::Conflict))
    }
}

impl Desk {
    pub(crate) fn new(environment: Arc<Environment>) -> Self {
        Self { environment }
    }

    /// The permission of whoever is signed in, where they have one.
    ///
    /// # Errors
    ///
    /// [`Forbidden::NoOfficer`].
    pub fn officer(&self, signed_in: &SignedIn) -> Result<RaOfficer, Forbidden> {
        RaOfficer::of(signed_in)
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
        let by = ByOfficer { officer: officer.trail_name.clone(), reason: None, check: None };
        // Looked at again and again by the same officer, it stands there once.
        let is_noted =
            recent.first().is_some_and(|entry| entry.event == Event::RecordOpened && entry.by == Some(by.clone()));
        if !is_noted {
            let entry = self.entry(&person, Event::RecordOpened, None, by);
            environment.trail_key.append(&mut *transaction, entry).await?;
        }
        let cards = transaction.cards_of(number).await?;
        let registration = transaction.registration(number).await?;
        let now = environment.now();
        let record = PersonRecord {
            cards: cards.iter().map(|card| CardOnRecord { guid: card.guid, state: card.state }).collect(),
            registration: registration.filter(Registration::is_to_be_shown).map(|registration| RegistrationOnRecord {
                codes_elsewhere_until: registration.pending_former(now).map(|former| former.until),
                attempts_left: registration.attempts_left(&environment.policy),
                standing: registration.standing,
                registered_at: registration.registered_at,
                email: registration.email,
            }),
            recent,
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
    pub async fn act(&self, officer: &RaOfficer, order: &Order, proof: &CardProof) -> Result<(), DeskError> {
        retry_on_conflict!(self.try_act(officer, order, proof))
    }

    async fn try_act(&self, officer: &RaOfficer, order: &Order, proof: &CardProof) -> Result<(), DeskError> {
        let environment = &self.environment;
        let binding = Binding::Order { session: officer.session, digest: order.digest() };
        environment.check_challenge(proof, Purpose::RaAction, binding)?;
        let mut transaction = environment.store.begin().await?;
        let card = transaction.card(&officer.card).await?.filter(|card| card.state != CardState::Cancelled);
        if !card.is_some_and(|card| card.holder == officer.number && card.signed(proof, &environment.origin)) {
            return Err(ProofFault::Refused.into());
        }
        if transaction.used_challenge(&proof.challenge).await?.is_some() {
            return Err(ProofFault::Stale.into());
        }
        let at = environment.now();
        let used = UsedChallenge { challenge: proof.challenge, flow: None, outcome: String::new(), at };
        transaction.insert_used_challenge(&used).await?;
        self.carry_out(&mut *transaction, officer, order).await?;
        Ok(transaction.commit().await?)
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
    ) -> Result<(), DeskError> {
        let environment = &self.environment;
        let person = transaction.person(&order.person).await?.ok_or(DeskError::Unknown)?;
        officer.may(order.action.deed(), &person)?;
        let before = transaction.registration(&order.person).await?;
        let mut told: Vec<_> = addresses(&person, before.as_ref(), environment.now()).into_iter().cloned().collect();
        let (event, card) = self.change(transaction, officer, &person, before, &order.action).await?;
        let by =
            ByOfficer { officer: officer.trail_name.clone(), reason: Some(order.reason), check: Some(order.check) };
        let entry = self.entry(&person, event, card.as_ref(), by);
        environment.trail_key.append(transaction, entry).await?;
        // A new address is told too.
        let after = transaction.person(&order.person).await?.ok_or(DeskError::Unknown)?;
        told.extend(after.email.filter(|email| !told.contains(email)));
        for address in &told {
            let message = Message::RaHelped { deed: order.action.deed(), reason: order.reason, check: order.check };
            environment.post(transaction, &person, address, message).await?;
        }
        Ok(())
    }

    /// What an action changes, and what it is called on the trail.
    async fn change(
        &self,
        transaction: &mut dyn Transaction,
        officer: &RaOfficer,
        person: &Person,
        registration: Option<Registration>,
        action: &Action,
    ) -> Result<(Event, Option<Card>), DeskError> {
        let environment = &self.environment;
        let now = environment.now();
        let number = &person.user_number;
        match action {
            Action::ClearLockOut => {
                let registration = registration.ok_or(DeskError::NothingToDo)?;
                if registration.standing == (Standing::Open { failed_attempts: 0 }) {
                    return Err(DeskError::NothingToDo);
                }
                let standing = Standing::Open { failed_attempts: 0 };
                transaction.save_registration(&Registration { standing, ..registration }).await?;
                Ok((Event::LockOutCleared, None))
            }
            Action::Freeze => {
                let registration = registration.ok_or(DeskError::NothingToDo)?;
                if matches!(registration.standing, Standing::Frozen { .. }) {
                    return Err(DeskError::NothingToDo);
                }
                transaction.save_registration(&registration.freeze(now)).await?;
                transaction.delete_sessions(number, None).await?;
                end_unlocks(transaction, number, &UnlockStep::ended(EndReason::Frozen)).await?;
                Ok((Event::SelfServiceFrozen, None))
            }
            Action::EndRegistration => {
                let registration = registration.ok_or(DeskError::NothingToDo)?;
                transaction.delete_registration(&registration).await?;
                transaction.delete_sessions(number, None).await?;
                end_unlocks(transaction, number, &UnlockStep::ended(EndReason::Stopped)).await?;
                Ok((Event::RegistrationEnded, None))
            }
            Action::SetEmail { email } => {
                if !environment.policy.approved_domains.approve(email) {
                    return Err(DeskError::DomainNotApproved);
                }
                let is_there = registration.as_ref().map_or(person.email.as_ref(), |found| Some(&found.email));
                if is_there == Some(email) {
                    return Err(DeskError::NothingToDo);
                }
                transaction.save_person(&Person { email: Some(email.clone()), ..person.clone() }).await?;
                if let Some(registration) = registration {
                    let former = registration.code_address(now).clone();
                    let former = Some(FormerAddress { email: former, until: now + environment.policy.address_settles });
                    let registration = Registration { email: email.clone(), former, ..registration };
                    transaction.save_registration(&registration).await?;
                }
                Ok((Event::EmailSet, None))
            }
            Action::ConfirmEmail => {
                let registration = registration.ok_or(DeskError::NothingToDo)?;
                if registration.pending_former(now).is_none() {
                    return Err(DeskError::NothingToDo);
                }
                let setter = self.setter_of_email(transaction, person).await?.ok_or(DeskError::NothingToDo)?;
                if setter.officer == officer.trail_name {
                    return Err(DeskError::SameOfficer);
                }
                transaction.save_registration(&Registration { former: None, ..registration }).await?;
                Ok((Event::EmailConfirmed, None))
            }
            Action::CancelCard { card } => {
                let card = transaction.card(card).await?.filter(|card| card.holder == *number);
                let card = card.ok_or(DeskError::Unknown)?;
                if card.state == CardState::Cancelled {
                    return Err(DeskError::NothingToDo);
                }
                transaction.save_card(&Card { state: CardState::Cancelled, ..card.clone() }).await?;
                end_unlocks_of(transaction, &card.guid, &UnlockStep::ended(EndReason::Stopped)).await?;
                transaction.delete_sessions(number, None).await?;
                Ok((Event::CardCancelled, Some(card)))
            }
            Action::Appoint { role } => {
                transaction.save_person(&with_role(person.clone(), *role)?).await?;
                transaction.delete_sessions(number, None).await?;
                Ok((Event::RoleGranted, None))
            }
        }
    }

    /// Who has set the address that is on file, if an officer has.
    async fn setter_of_email(
        &self,
        transaction: &mut dyn Transaction,
        person: &Person,
    ) -> Result<Option<ByOfficer>, StoreError> {
        let records = transaction.trail_of(&person.trail_name(), SETTERS_WITHIN).await?;
        let mut entries = records.iter().filter_map(TrailRecord::read);
        let latest =
            entries.find(|entry| matches!(entry.event, Event::EmailSet | Event::EmailChanged | Event::Registered));
        Ok(latest.and_then(|entry| entry.by))
    }

    fn entry(&self, person: &Person, event: Event, card: Option<&Card>, by: ByOfficer) -> TrailEntry {
        TrailEntry {
            at: self.environment.now(),
            event,
            outcome: Outcome::Done,
            person: Some(person.trail_name()),
            card: card.map(|card| person.trail_salt.name_card(&card.guid)),
            reference: None,
            by: Some(by),
        }
    }
}

/// How far back on a person's trail it is looked for who has set their address: much more than happens within a day.
const SETTERS_WITHIN: u64 = 1_000;

fn with_role(person: Person, role: Role) -> Result<Person, DeskError> {
    if person.role == role { Err(DeskError::NothingToDo) } else { Ok(Person { role, ..person }) }
}
