//! Unlock: the way from a genuine card to a new passcode.
//!
//! The state machine stands in [`flow`], the use cases in [`service`].

pub mod flow;
pub mod service;

pub use flow::{EndReason, UnlockFlow, UnlockStep};
pub use service::{UnlockService, UnlockView};

use card_protocol::Guid;

use crate::{
    Environment, Timestamp,
    milestone::{Milestone, StageEnd},
    person::UserNumber,
    ports::{StoreError, Transaction},
};

/// Ends the unlocks that are under way, of all cards of a person.
pub(crate) async fn end_unlocks(
    transaction: &mut dyn Transaction,
    person: &UserNumber,
    ended: &UnlockStep,
) -> Result<(), StoreError> {
    for card in transaction.cards_of(person).await? {
        end_unlocks_of(transaction, &card.guid, ended).await?;
    }
    Ok(())
}

/// Writes down to which step an unlock has come.
pub(crate) async fn go_on(
    transaction: &mut dyn Transaction,
    flow: UnlockFlow,
    step: UnlockStep,
    last_active: Timestamp,
) -> Result<(), StoreError> {
    transaction.count_milestone(Milestone::of_unlock(&flow.step, &step));
    transaction.save_unlock_flow(&UnlockFlow { step, last_active, ..flow }).await
}

/// Ends the unlocks of a card that are under way, as another takes their place.
pub(crate) async fn supersede(
    environment: &Environment,
    transaction: &mut dyn Transaction,
    card: &Guid,
) -> Result<(), StoreError> {
    let ended = UnlockStep::ended(EndReason::Superseded);
    for flow in transaction.open_unlock_flows(card).await? {
        let is_over = environment.now() >= flow.ends_at(&environment.policy);
        let end = if is_over { StageEnd::Expired } else { StageEnd::Superseded };
        transaction.count_milestone(Milestone::unlock_ended(&flow.step, end));
        transaction.save_unlock_flow(&UnlockFlow { step: ended.clone(), ..flow }).await?;
    }
    Ok(())
}

/// Ends the unlocks of a card that are under way.
pub(crate) async fn end_unlocks_of(
    transaction: &mut dyn Transaction,
    card: &Guid,
    ended: &UnlockStep,
) -> Result<(), StoreError> {
    for flow in transaction.open_unlock_flows(card).await? {
        let last_active = flow.last_active;
        go_on(transaction, flow, ended.clone(), last_active).await?;
    }
    Ok(())
}
