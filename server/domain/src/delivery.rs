//! How far a mail is, as far as it concerns somebody: whoever waits for a code is told when none will come, and of every
//! mail that could not be delivered the trail keeps that it was not.

use std::sync::Arc;

use crate::{
    Environment, Timestamp,
    code::Codes,
    environment::retry_on_conflict,
    mail::Mail,
    person::Person,
    ports::{StoreError, Transaction},
    token::MailId,
    trail::{Event, Outcome, TrailEntry},
};

/// How long a mail may wait before it counts as delayed: one that goes at the first try is gone by then.
const DELAYED_AFTER: time::Duration = time::Duration::seconds(15);

/// How far a mail in the outbox is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailState {
    /// It waits.
    Waiting {
        /// Since when.
        since: Timestamp,
    },
    /// A mail server took it.
    Sent,
    /// It will not be sent.
    Undelivered(Undelivered),
}

/// A mail of a person, as far as the RA's desk sees it: not what stands in it, nor to which address it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailOnRecord {
    /// When it was put into the outbox.
    pub at: Timestamp,
    /// How far it is.
    pub state: MailState,
}

/// Why a mail is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undelivered {
    /// The mail server refused its address.
    Refused,
    /// It could not be sent in its time.
    GivenUp,
}

/// How far the mail with the latest code of a flow is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeDelivery {
    /// It is to be sent in a moment.
    OnItsWay,
    /// It waits for the mail server.
    Delayed,
    /// A mail server took it.
    Sent,
    /// The mail server refused its address.
    Refused,
    /// It could not be sent before its code expired.
    GivenUp,
}

impl CodeDelivery {
    /// Finds out. A mail that is forgotten was sent long ago.
    pub(crate) async fn of(
        codes: &Codes,
        transaction: &mut dyn Transaction,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let latest = codes.issued.last().and_then(|code| code.mail);
        let state = match latest {
            Some(mail) => transaction.mail_state(mail).await?,
            None => None,
        };
        Ok(match state {
            Some(MailState::Waiting { since }) if now - since < DELAYED_AFTER => Self::OnItsWay,
            Some(MailState::Waiting { .. }) => Self::Delayed,
            Some(MailState::Undelivered(Undelivered::Refused)) => Self::Refused,
            Some(MailState::Undelivered(Undelivered::GivenUp)) => Self::GivenUp,
            Some(MailState::Sent) | None => Self::Sent,
        })
    }
}

/// What is noted of mails that were not delivered.
#[derive(Clone)]
pub struct Deliveries {
    environment: Arc<Environment>,
}

impl Deliveries {
    pub(crate) fn new(environment: Arc<Environment>) -> Self {
        Self { environment }
    }

    /// Notes that a mail is not sent, and on the trail whose it was, where the mail could be read.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn undelivered(&self, id: MailId, mail: Option<&Mail>, why: Undelivered) -> Result<(), StoreError> {
        retry_on_conflict!(async {
            let environment = &self.environment;
            let mut transaction = environment.store.begin().await?;
            transaction.end_mail(id, why, environment.now()).await?;
            // Whoever was erased meanwhile has no name on the trail any more.
            let person = match mail.and_then(|mail| mail.person.as_ref()) {
                Some(number) => transaction.person(number).await?,
                None => None,
            };
            let entry = TrailEntry {
                at: environment.now(),
                event: Event::MailUndelivered,
                outcome: Outcome::Refused,
                person: person.as_ref().map(Person::trail_name),
                card: None,
                reference: None,
                by: None,
            };
            environment.append(&mut *transaction, entry, person.as_ref()).await?;
            transaction.commit().await
        })
    }
}
