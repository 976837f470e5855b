//! The outbox.

use async_trait::async_trait;
use domain::{
    Timestamp,
    delivery::{MailOnRecord, MailState, Undelivered},
    mail::OutboxMail,
    ports::{Outbox, StoreError},
    token::MailId,
    trail::TrailName,
};

use super::MemoryTransaction;

/// The domain fills the outbox; emptying it is the server's work, and is tested there.
#[async_trait]
impl Outbox for MemoryTransaction {
    async fn insert_mail(&mut self, mail: &OutboxMail) -> Result<(), StoreError> {
        self.working.outbox.push(mail.clone());
        Ok(())
    }

    async fn end_mail(&mut self, id: MailId, why: Undelivered, _: Timestamp) -> Result<(), StoreError> {
        self.working.undelivered.insert(id, why);
        Ok(())
    }

    async fn mails_of(&mut self, owner: &TrailName, limit: u64) -> Result<Vec<MailOnRecord>, StoreError> {
        let theirs = self.working.outbox.iter().rev().filter(|mail| mail.owner.as_ref() == Some(owner));
        let state = |mail: &OutboxMail| match self.working.undelivered.get(&mail.id) {
            Some(why) => MailState::Undelivered(*why),
            None => MailState::Waiting { since: mail.created_at },
        };
        let mails = theirs.map(|mail| MailOnRecord { at: mail.created_at, state: state(mail) });
        Ok(mails.take(usize::try_from(limit).unwrap()).collect())
    }

    async fn mail_state(&mut self, id: MailId) -> Result<Option<MailState>, StoreError> {
        let mail = self.working.outbox.iter().find(|mail| mail.id == id);
        Ok(mail.map(|mail| match self.working.undelivered.get(&id) {
            Some(why) => MailState::Undelivered(*why),
            None => MailState::Waiting { since: mail.created_at },
        }))
    }
}
