//! Registrations, unlocks and sessions, and what was used in them.

use async_trait::async_trait;
use card_protocol::{Challenge, Guid};
use domain::{
    Timestamp,
    person::UserNumber,
    ports::{
        CodeMails, HandledForms, RegistrationFlows, Registrations, Sessions, StoreError, UnlockFlows, UsedChallenge,
        UsedChallenges,
    },
    registration::{Registration, RegistrationFlow},
    session::Session,
    token::{FlowId, FormId, SessionId, TokenHash},
    unlock::UnlockFlow,
};

use super::{MemoryTransaction, insert, save};

#[async_trait]
impl Registrations for MemoryTransaction {
    async fn registration(&mut self, person: &UserNumber) -> Result<Option<Registration>, StoreError> {
        Ok(self.working.registrations.get(person).cloned())
    }

    async fn insert_registration(&mut self, registration: &Registration) -> Result<(), StoreError> {
        insert(&mut self.working.registrations, registration.person.clone(), registration.clone())
    }

    async fn delete_registration(&mut self, registration: &Registration) -> Result<(), StoreError> {
        let row = self.working.registrations.remove(&registration.person).ok_or(StoreError::Conflict)?;
        if row.version == registration.version { Ok(()) } else { Err(StoreError::Conflict) }
    }

    async fn save_registration(&mut self, registration: &Registration) -> Result<(), StoreError> {
        save!(self.working.registrations.get_mut(&registration.person), registration)
    }
}

#[async_trait]
impl RegistrationFlows for MemoryTransaction {
    async fn registration_flow(&mut self, session: SessionId) -> Result<Option<RegistrationFlow>, StoreError> {
        Ok(self.working.registration_flows.get(&session).cloned())
    }

    async fn replace_registration_flow(&mut self, flow: &RegistrationFlow) -> Result<(), StoreError> {
        self.working.registration_flows.insert(flow.session, flow.clone());
        Ok(())
    }

    async fn touch_registration_flow(&mut self, id: FlowId, at: Timestamp) -> Result<(), StoreError> {
        for flow in self.working.registration_flows.values_mut().filter(|flow| flow.id == id) {
            flow.last_active = at;
        }
        Ok(())
    }

    async fn save_registration_flow(&mut self, flow: &RegistrationFlow) -> Result<(), StoreError> {
        let row = self.working.registration_flows.get_mut(&flow.session).filter(|row| row.id == flow.id);
        save!(row, flow)
    }
}

#[async_trait]
impl UnlockFlows for MemoryTransaction {
    async fn unlock_flow(&mut self, token: TokenHash) -> Result<Option<UnlockFlow>, StoreError> {
        Ok(self.working.unlock_flows.iter().find(|flow| flow.token == token).cloned())
    }

    async fn open_unlock_flows(&mut self, guid: &Guid) -> Result<Vec<UnlockFlow>, StoreError> {
        let open = |flow: &&UnlockFlow| flow.card == *guid && flow.step.is_open();
        Ok(self.working.unlock_flows.iter().filter(open).cloned().collect())
    }

    async fn unlock_flows_begun_since(&mut self, guid: &Guid, after: Timestamp) -> Result<Vec<Timestamp>, StoreError> {
        let flows = self.working.unlock_flows.iter().filter(|flow| flow.card == *guid && flow.began_at > after);
        let mut begun: Vec<Timestamp> = flows.map(|flow| flow.began_at).collect();
        begun.sort_unstable();
        Ok(begun)
    }

    async fn insert_unlock_flow(&mut self, flow: &UnlockFlow) -> Result<(), StoreError> {
        let taken = self.working.unlock_flows.iter().any(|row| row.card == flow.card && row.step.is_open());
        if taken {
            return Err(StoreError::Conflict);
        }
        self.working.unlock_flows.push(flow.clone());
        Ok(())
    }

    async fn touch_unlock_flow(&mut self, id: FlowId, at: Timestamp) -> Result<(), StoreError> {
        for flow in self.working.unlock_flows.iter_mut().filter(|flow| flow.id == id) {
            flow.last_active = at;
        }
        Ok(())
    }

    async fn save_unlock_flow(&mut self, flow: &UnlockFlow) -> Result<(), StoreError> {
        save!(self.working.unlock_flows.iter_mut().find(|row| row.id == flow.id), flow)
    }
}

#[async_trait]
impl Sessions for MemoryTransaction {
    async fn session(&mut self, token: TokenHash) -> Result<Option<Session>, StoreError> {
        Ok(self.working.sessions.iter().find(|session| session.token == token).cloned())
    }

    async fn insert_session(&mut self, session: &Session) -> Result<(), StoreError> {
        self.working.sessions.push(session.clone());
        Ok(())
    }

    async fn touch_session(&mut self, id: SessionId, at: Timestamp) -> Result<(), StoreError> {
        for session in self.working.sessions.iter_mut().filter(|session| session.id == id) {
            session.last_active = at;
        }
        Ok(())
    }

    async fn renew_session(&mut self, id: SessionId, token: TokenHash) -> Result<(), StoreError> {
        for session in self.working.sessions.iter_mut().filter(|session| session.id == id) {
            session.token = token;
        }
        Ok(())
    }

    async fn delete_session(&mut self, id: SessionId) -> Result<(), StoreError> {
        self.working.sessions.retain(|session| session.id != id);
        Ok(())
    }

    async fn delete_sessions(&mut self, person: &UserNumber, but: Option<SessionId>) -> Result<(), StoreError> {
        self.working.sessions.retain(|session| session.person != *person || Some(session.id) == but);
        Ok(())
    }
}

#[async_trait]
impl UsedChallenges for MemoryTransaction {
    async fn used_challenge(&mut self, challenge: &Challenge) -> Result<Option<UsedChallenge>, StoreError> {
        Ok(self.working.used_challenges.get(challenge).cloned())
    }

    async fn insert_used_challenge(&mut self, used: &UsedChallenge) -> Result<(), StoreError> {
        match self.working.used_challenges.insert(used.challenge, used.clone()) {
            Some(_) => Err(StoreError::Conflict),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl HandledForms for MemoryTransaction {
    async fn handled_form(&mut self, flow: FlowId, form: FormId) -> Result<Option<String>, StoreError> {
        Ok(self.working.handled_forms.get(&(flow, form)).cloned())
    }

    async fn insert_handled_form(&mut self, flow: FlowId, form: FormId, outcome: &str) -> Result<(), StoreError> {
        match self.working.handled_forms.insert((flow, form), outcome.to_owned()) {
            Some(_) => Err(StoreError::Conflict),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl CodeMails for MemoryTransaction {
    async fn code_mails_since(&mut self, person: &UserNumber, after: Timestamp) -> Result<Vec<Timestamp>, StoreError> {
        let theirs = self.working.code_mails.iter().filter(|(to, at)| to == person && *at > after);
        Ok(theirs.map(|(_, at)| *at).collect())
    }

    async fn insert_code_mail(&mut self, person: &UserNumber, at: Timestamp) -> Result<(), StoreError> {
        self.working.code_mails.push((person.clone(), at));
        Ok(())
    }
}
