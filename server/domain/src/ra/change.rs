//! What each action of an officer changes.

use card_protocol::{Guid, Slot};

use super::{Action, Desk, DeskError, RaOfficer};
use crate::{
    card::{Card, CardState},
    issuance::Issuance,
    milestone::Milestone,
    person::{Person, UserNumber},
    ports::{StoreError, Transaction},
    registration::{FormerAddress, Registration, Standing},
    role::Role,
    token::{FlowId, Token},
    trail::{ByOfficer, Event, TrailRecord},
    unlock::{EndReason, UnlockFlow, UnlockStep, end_unlocks, end_unlocks_of, flow::ChoosePasscode, supersede},
};

/// How far back on a person's trail it is looked for who has set their address: much more than happens within a day.
const SETTERS_WITHIN: u64 = 1_000;

/// What an action has changed.
pub(super) struct Change {
    /// What it is called on the trail.
    pub(super) event: Event,
    /// The card that it was about.
    pub(super) card: Option<Guid>,
    /// What may be done now.
    pub(super) allows: Allows,
}

/// What an action lets somebody do.
pub(super) enum Allows {
    /// Nothing: it is done.
    Nothing,
    /// The person may choose a passcode; the token opens the unlock.
    Unlock(Token),
    /// A card may be issued: one that was begun before, or a fresh one.
    Issuance(Option<Box<Issuance>>),
    /// The certificates of a card may be loaded.
    Loading(Box<Issuance>),
}

impl Change {
    fn of(event: Event) -> Self {
        Self { event, card: None, allows: Allows::Nothing }
    }
}

impl Desk {
    /// Does what an action says.
    pub(super) async fn change(
        &self,
        transaction: &mut dyn Transaction,
        officer: &RaOfficer,
        person: &Person,
        registration: Option<Registration>,
        action: &Action,
    ) -> Result<Change, DeskError> {
        let environment = self.environment();
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
                Ok(Change::of(Event::LockOutCleared))
            }
            Action::Freeze => {
                let registration = registration.ok_or(DeskError::NothingToDo)?;
                if matches!(registration.standing, Standing::Frozen { .. }) {
                    return Err(DeskError::NothingToDo);
                }
                transaction.save_registration(&registration.freeze(now)).await?;
                transaction.delete_sessions(number, None).await?;
                end_unlocks(transaction, number, &UnlockStep::ended(EndReason::Frozen)).await?;
                Ok(Change::of(Event::SelfServiceFrozen))
            }
            Action::EndRegistration => {
                let registration = registration.ok_or(DeskError::NothingToDo)?;
                transaction.delete_registration(&registration).await?;
                transaction.delete_sessions(number, None).await?;
                end_unlocks(transaction, number, &UnlockStep::ended(EndReason::Stopped)).await?;
                Ok(Change::of(Event::RegistrationEnded))
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
                Ok(Change::of(Event::EmailSet))
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
                Ok(Change::of(Event::EmailConfirmed))
            }
            Action::CancelCard { card } => {
                let card = card_in_use(transaction, card, number).await?;
                cancel(transaction, card).await
            }
            Action::IssueCard { card, replaces } => {
                if let Some(replaced) = replaces {
                    card_in_use(transaction, replaced, number).await?;
                }
                let begun = self.begun_issuance(transaction, officer, card.as_ref()).await?;
                Ok(Change { allows: Allows::Issuance(begun.map(Box::new)), ..Change::of(Event::IssuingBegun) })
            }
            Action::LoadCertificates { card, authentication, card_authentication } => {
                let certificates =
                    [(Slot::Authentication, authentication), (Slot::CardAuthentication, card_authentication)];
                let issuance = self.waiting_card(transaction, card, number, certificates).await?;
                let allows = Allows::Loading(Box::new(issuance));
                Ok(Change { card: Some(*card), allows, ..Change::of(Event::IssuingBegun) })
            }
            Action::UnlockCard { card } => {
                let card = card_in_use(transaction, card, number).await?;
                let token = self.open_unlock(transaction, &card).await?;
                Ok(Change { card: Some(card.guid), allows: Allows::Unlock(token), ..Change::of(Event::UnlockAllowed) })
            }
            Action::Appoint { role } => {
                transaction.save_person(&with_role(person.clone(), *role)?).await?;
                transaction.delete_sessions(number, None).await?;
                Ok(Change::of(Event::RoleGranted))
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

    /// Opens an unlock at its last step.
    async fn open_unlock(&self, transaction: &mut dyn Transaction, card: &Card) -> Result<Token, StoreError> {
        let environment = self.environment();
        supersede(environment, transaction, &card.guid).await?;
        let token = Token::generate(&*environment.randomness);
        let now = environment.now();
        let flow = UnlockFlow {
            id: FlowId::generate(&*environment.randomness),
            token: token.hash(),
            card: card.guid,
            person: card.holder.clone(),
            step: UnlockStep::Passcode(ChoosePasscode::allowed_by_officer()),
            began_at: now,
            last_active: now,
            version: 0,
        };
        transaction.insert_unlock_flow(&flow).await?;
        transaction.count_milestone(Some(Milestone::unlock_begun()));
        Ok(token)
    }
}

/// A card of the person that is not cancelled.
async fn card_in_use(transaction: &mut dyn Transaction, card: &Guid, holder: &UserNumber) -> Result<Card, DeskError> {
    let card = transaction.card(card).await?.filter(|card| card.holder == *holder).ok_or(DeskError::Unknown)?;
    if card.state == CardState::Cancelled { Err(DeskError::NothingToDo) } else { Ok(card) }
}

/// Cancels a card, and ends what was under way with it.
pub(super) async fn cancel(transaction: &mut dyn Transaction, card: Card) -> Result<Change, DeskError> {
    let (guid, holder) = (card.guid, card.holder.clone());
    transaction.save_card(&Card { state: CardState::Cancelled, ..card }).await?;
    end_unlocks_of(transaction, &guid, &UnlockStep::ended(EndReason::Stopped)).await?;
    transaction.delete_sessions(&holder, None).await?;
    Ok(Change { card: Some(guid), ..Change::of(Event::CardCancelled) })
}

/// The person with another role than before.
pub(super) fn with_role(person: Person, role: Role) -> Result<Person, DeskError> {
    if person.role == role { Err(DeskError::NothingToDo) } else { Ok(Person { role, ..person }) }
}
