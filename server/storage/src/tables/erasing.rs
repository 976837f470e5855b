//! The rows of several tables that are one person's.

use async_trait::async_trait;
use domain::{
    person::UserNumber,
    ports::{ErasedRows, Erasing, StoreError},
};
use sea_orm::{QuerySelect, QueryTrait, entity::prelude::*, sea_query::SelectStatement};

use super::{
    card_keys, cards, code_mails, handled_forms, issuances, key_rings, people, references_shown, registration_flows,
    registrations, sessions, unlock_flows, unlock_keys, used_challenges,
};
use crate::SqlTransaction;

/// The ids of a person's flows of registration, and of their unlocks: one who holds a card may have begun any number of
/// them, so they are not read.
fn flows(number: &str) -> [SelectStatement; 2] {
    let registration = registration_flows::Entity::find().select_only().column(registration_flows::Column::Id);
    let unlock = unlock_flows::Entity::find().select_only().column(unlock_flows::Column::Id);
    [
        registration.filter(registration_flows::Column::Person.eq(number)).into_query(),
        unlock.filter(unlock_flows::Column::Person.eq(number)).into_query(),
    ]
}

fn cards(number: &str) -> SelectStatement {
    let cards = cards::Entity::find().select_only().column(cards::Column::Guid);
    cards.filter(cards::Column::Holder.eq(number)).into_query()
}

#[async_trait]
impl Erasing for SqlTransaction {
    async fn erase_person(&mut self, number: &UserNumber) -> Result<ErasedRows, StoreError> {
        self.erased();
        let number = number.as_str();
        let mut rows = ErasedRows::default();
        for flows in flows(number) {
            let forms = handled_forms::Column::Flow.in_subquery(flows.clone());
            rows.forms += self.delete(handled_forms::Entity::delete_many().filter(forms)).await?;
            let challenges = used_challenges::Column::Flow.in_subquery(flows);
            rows.challenges += self.delete(used_challenges::Entity::delete_many().filter(challenges)).await?;
        }
        let registering = registration_flows::Entity::delete_many();
        rows.flows += self.delete(registering.filter(registration_flows::Column::Person.eq(number))).await?;
        let unlocking = unlock_flows::Entity::delete_many();
        rows.flows += self.delete(unlocking.filter(unlock_flows::Column::Person.eq(number))).await?;
        let sessions = sessions::Entity::delete_many().filter(sessions::Column::Person.eq(number));
        rows.sessions = self.delete(sessions).await?;
        let code_mails = code_mails::Entity::delete_many().filter(code_mails::Column::Person.eq(number));
        rows.code_mails = self.delete(code_mails).await?;
        let shown = references_shown::Entity::delete_many().filter(references_shown::Column::Person.eq(number));
        rows.references = self.delete(shown).await?;
        let registered = registrations::Entity::delete_many().filter(registrations::Column::Person.eq(number));
        rows.registrations = self.delete(registered).await?;

        let issuances = issuances::Entity::delete_many().filter(issuances::Column::Person.eq(number));
        rows.issuances = self.delete(issuances).await?;
        let rings = key_rings::Column::Card.in_subquery(cards(number));
        self.delete(key_rings::Entity::delete_many().filter(rings)).await?;
        let keys = unlock_keys::Column::Card.in_subquery(cards(number));
        rows.unlock_keys = self.delete(unlock_keys::Entity::delete_many().filter(keys)).await?;
        let public_keys = card_keys::Column::Card.in_subquery(cards(number));
        self.delete(card_keys::Entity::delete_many().filter(public_keys)).await?;
        rows.cards = self.delete(cards::Entity::delete_many().filter(cards::Column::Holder.eq(number))).await?;
        self.delete(people::Entity::delete_many().filter(people::Column::UserNumber.eq(number))).await?;
        Ok(rows)
    }
}
