//! Unlock: the way from a genuine card to a new passcode.
//!
//! The state machine stands in [`flow`], the use cases in [`service`].

pub mod flow;
pub mod service;

pub use flow::{EndReason, UnlockFlow, UnlockStep};
pub use service::{UnlockService, UnlockView};

use card_protocol::Guid;

use crate::{
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

/// Ends the unlocks of a card that are under way.
pub(crate) async fn end_unlocks_of(
    transaction: &mut dyn Transaction,
    card: &Guid,
    ended: &UnlockStep,
) -> Result<(), StoreError> {
    for flow in transaction.open_unlock_flows(card).await? {
        transaction.save_unlock_flow(&UnlockFlow { step: ended.clone(), ..flow }).await?;
    }
    Ok(())
}
