//! Erasing a person.

use async_trait::async_trait;
use card_protocol::Guid;
use domain::{
    Timestamp,
    person::UserNumber,
    ports::{ErasedRows, Erasing, Forgetting, StoreError},
    token::FlowId,
};

use super::MemoryTransaction;

/// Removes the rows of a table that are somebody's, and says how many there were.
macro_rules! remove {
    ($table:expr, $is_theirs:expr) => {{
        let before = $table.len();
        $table.retain($is_theirs);
        (before - $table.len()) as u64
    }};
}

#[async_trait]
impl Erasing for MemoryTransaction {
    async fn erase_person(&mut self, number: &UserNumber) -> Result<ErasedRows, StoreError> {
        let tables = &mut self.working;
        let mut flows: Vec<FlowId> =
            tables.unlock_flows.iter().filter(|flow| flow.person == *number).map(|flow| flow.id).collect();
        flows.extend(tables.registration_flows.values().filter(|flow| flow.person == *number).map(|flow| flow.id));
        let cards: Vec<Guid> =
            tables.cards.values().filter(|card| card.holder == *number).map(|card| card.guid).collect();
        tables.key_rings.retain(|guid, _| !cards.contains(guid));
        let rows = ErasedRows {
            cards: remove!(tables.cards, |guid, _| !cards.contains(guid)),
            unlock_keys: remove!(tables.unlock_keys, |_, key| !cards.contains(&key.guid)),
            issuances: remove!(tables.issuances, |_, issuance| issuance.person != *number),
            references: remove!(tables.references, |_, person| person != number),
            registrations: remove!(tables.registrations, |person, _| person != number),
            sessions: remove!(tables.sessions, |session| session.person != *number),
            flows: remove!(tables.unlock_flows, |flow| flow.person != *number)
                + remove!(tables.registration_flows, |_, flow| flow.person != *number),
            forms: remove!(tables.handled_forms, |(flow, _), _| !flows.contains(flow)),
            challenges: remove!(tables.used_challenges, |_, used| used.flow.is_none_or(|flow| !flows.contains(&flow))),
            code_mails: remove!(tables.code_mails, |(person, _)| person != number),
        };
        tables.people.remove(number);
        Ok(rows)
    }
}

/// No rule forgets; it is the server's work, and is tested there.
#[async_trait]
impl Forgetting for MemoryTransaction {
    async fn forget_before(&mut self, _: Timestamp) -> Result<(), StoreError> {
        Err(StoreError::Unavailable("the domain forgets nothing".into()))
    }
}
