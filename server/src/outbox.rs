//! The worker that empties the outbox: mails leave here and never inside a request.
//!
//! Mails that are due are claimed with a lease, so that several servers share the work and what one of them had when
//! it died is tried again by another. A mail can go twice then, with the same Message-ID; it is never lost. It goes once while
//! nobody dies, and the mail server says in time that it has taken it.

use std::{sync::Arc, time::Duration};

use domain::{
    Timestamp,
    delivery::{Deliveries, Undelivered},
    mail::{Mail, OutboxMail},
    ports::{Clock, Store, StoreError, Vault},
    token::MailId,
};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::Instant,
};
use tracing::Instrument;

use crate::{
    mail::{DeliveryError, Postman, Stationery, smtp},
    masking::masked,
    metrics::{MailEnd, Metrics},
};

/// How long a claimed mail is left alone by others: longer than the mail server may take for it, and than it may take to
/// note that it did.
const LEASE: time::Duration =
    time::Duration::seconds((smtp::DIALOGUE.as_secs() + NOTED_WITHIN.as_secs() + 40).cast_signed());

/// How long it is tried to note that a mail was sent, within its lease, and how soon again.
const NOTED_WITHIN: Duration = Duration::from_mins(1);
const NOTED_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// How long mails that are on their way when the service stops may take to end. What has not ended by then is tried again
/// by whoever is there when its lease ends, and may go twice.
const ENDS_WITHIN: Duration = Duration::from_secs(15);

/// How long a mail is tried.
const GIVE_UP_AFTER: time::Duration = time::Duration::days(1);

/// The pause after the first failure; it doubles with each.
const FIRST_PAUSE: time::Duration = time::Duration::seconds(15);

/// The longest pause.
const LONGEST_PAUSE: time::Duration = time::Duration::hours(1);

/// Empties the outbox.
#[derive(Clone)]
pub struct OutboxWorker {
    /// How long it sleeps when nobody wakes it: another server's mails, and those whose time comes.
    pub sleep: Duration,
    /// How many mails are on their way at once.
    pub at_once: usize,
    /// Where the mails wait.
    pub store: Arc<dyn Store>,
    /// Who notes those that are not delivered.
    pub deliveries: Deliveries,
    /// What they are sealed by.
    pub vault: Arc<dyn Vault>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who takes them away.
    pub postman: Arc<dyn Postman>,
    /// What they are written on.
    pub stationery: Stationery,
    /// Wakes the worker: a mail was put in.
    pub wake: Arc<Notify>,
    /// Who counts what becomes of them.
    pub metrics: Metrics,
}

/// What becomes of a mail after a try.
enum Fate {
    Sent,
    TryAgain,
    /// The mail is told where it could be read.
    Ends(Undelivered, Option<Mail>),
}

impl Fate {
    /// As it is counted.
    fn end(&self) -> MailEnd {
        match self {
            Self::Sent => MailEnd::Sent,
            Self::TryAgain => MailEnd::PutOff,
            Self::Ends(Undelivered::Refused, _) => MailEnd::Refused,
            Self::Ends(Undelivered::GivenUp, _) => MailEnd::GivenUp,
        }
    }
}

impl OutboxWorker {
    /// Empties the outbox until the service stops; what is on its way then has a while to end. As soon as one mail has left the
    /// next is taken, so that one that takes long keeps no other waiting.
    pub async fn run(self, mut stopping: watch::Receiver<()>) {
        let mut on_their_way = JoinSet::new();
        loop {
            while on_their_way.try_join_next().is_some() {}
            let free = self.at_once - on_their_way.len();
            let may_be_more = free == 0
                || match self.claim(free, &mut on_their_way).await {
                    Ok(claimed) => claimed == free,
                    Err(fault) => {
                        tracing::error!(fault = &fault as &dyn std::error::Error, "the outbox cannot be read");
                        false
                    }
                };
            tokio::select! {
                biased;
                _ = stopping.changed() => break,
                Some(_) = on_their_way.join_next(), if may_be_more => {}
                () = self.wake.notified() => {}
                () = tokio::time::sleep(self.sleep) => {}
            }
        }
        let all_ended = async { while on_their_way.join_next().await.is_some() {} };
        if tokio::time::timeout(ENDS_WITHIN, all_ended).await.is_err() {
            tracing::warn!(mails = on_their_way.len(), "some mails did not leave in time; they are tried again");
        }
    }

    /// Sends what is due, once, and says how many mails were tried.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the outbox cannot be read. A mail that does not go is no error: it is put off.
    pub async fn round(&self) -> Result<usize, StoreError> {
        let mut on_their_way = JoinSet::new();
        let claimed = self.claim(self.at_once, &mut on_their_way).await?;
        while on_their_way.join_next().await.is_some() {}
        Ok(claimed)
    }

    /// Takes so many mails that are due, at most, and sends them on their way. Says how many there were.
    async fn claim(&self, many: usize, on_their_way: &mut JoinSet<()>) -> Result<usize, StoreError> {
        let mut transaction = self.store.begin_dispatch().await?;
        let now = self.clock.now();
        let due = transaction.claim_due_mails(now, now + LEASE, many as u64).await?;
        if due.is_empty() {
            return Ok(0);
        }
        transaction.commit().await?;
        let claimed = due.len();
        for mail in due {
            let worker = self.clone();
            let span = tracing::info_span!("outbox.mail.send", mail.id = %mail.id, mail.attempts = mail.attempts);
            let sending = async move {
                if let Err(fault) = worker.send(mail).await {
                    tracing::error!(fault = &fault as &dyn std::error::Error, "the outbox cannot be written");
                }
            };
            on_their_way.spawn(sending.instrument(span));
        }
        Ok(claimed)
    }

    async fn send(&self, outbox_mail: OutboxMail) -> Result<(), StoreError> {
        let id = outbox_mail.id;
        let fate = self.try_to_send(&outbox_mail).await;
        self.metrics.mail_tried(fate.end());
        let now = self.clock.now();
        match fate {
            Fate::Sent => self.note_sent(id).await,
            Fate::TryAgain => {
                let mut transaction = self.store.begin_dispatch().await?;
                transaction.put_off_mail(&outbox_mail, now + pause(outbox_mail.attempts)).await?;
                transaction.commit().await
            }
            Fate::Ends(why, mail) => self.deliveries.undelivered(id, mail.as_ref(), why).await,
        }
    }

    /// Notes that a mail was sent, again and again for a minute where the database is away: without the note another worker
    /// would send it once more.
    async fn note_sent(&self, id: MailId) -> Result<(), StoreError> {
        let until = Instant::now() + NOTED_WITHIN;
        loop {
            match self.try_to_note_sent(id).await {
                Err(_) if Instant::now() < until => tokio::time::sleep(NOTED_AGAIN_AFTER).await,
                ended => return ended,
            }
        }
    }

    async fn try_to_note_sent(&self, id: MailId) -> Result<(), StoreError> {
        let mut transaction = self.store.begin_dispatch().await?;
        transaction.mark_mail_sent(id, self.clock.now()).await?;
        transaction.commit().await
    }

    async fn try_to_send(&self, outbox_mail: &OutboxMail) -> Fate {
        let mail = match outbox_mail.open(&*self.vault) {
            Ok(mail) => mail,
            Err(fault) => {
                tracing::error!(fault = &fault as &dyn std::error::Error, "a mail cannot be read and is given up");
                return Fate::Ends(Undelivered::GivenUp, None);
            }
        };
        let to = masked(&mail.to);
        if is_too_late(&mail, outbox_mail, self.clock.now()) {
            tracing::error!(to, "a mail could not be sent in its time and is given up");
            return Fate::Ends(Undelivered::GivenUp, Some(mail));
        }
        let letter = match self.stationery.write(outbox_mail.id, &mail) {
            Ok(letter) => letter,
            Err(fault) => {
                tracing::error!(fault = &fault as &dyn std::error::Error, "a mail cannot be written and is given up");
                return Fate::Ends(Undelivered::GivenUp, Some(mail));
            }
        };
        match self.postman.deliver(&letter).await {
            Ok(()) => {
                tracing::info!(to, "a mail was sent");
                Fate::Sent
            }
            // What the mail server said can quote the address, so it is not logged.
            Err(fault @ DeliveryError::NotNow(_)) => {
                tracing::warn!(to, "{fault}; it is tried again");
                Fate::TryAgain
            }
            Err(fault @ DeliveryError::AddressRefused(_)) => {
                tracing::error!(to, "{fault}; it is given up");
                Fate::Ends(Undelivered::Refused, Some(mail))
            }
        }
    }
}

/// A code that has expired helps nobody, nor does anything else after a day.
fn is_too_late(mail: &Mail, outbox_mail: &OutboxMail, now: Timestamp) -> bool {
    let expired = mail.message.code_valid_until().is_some_and(|valid_until| now >= valid_until);
    expired || now - outbox_mail.created_at >= GIVE_UP_AFTER
}

/// How long to wait after this many tries before.
fn pause(attempts: u32) -> time::Duration {
    let doubled = 1_i32.checked_shl(attempts).filter(|factor| *factor > 0 && attempts < 30).unwrap_or(i32::MAX);
    FIRST_PAUSE.checked_mul(doubled).map_or(LONGEST_PAUSE, |pause| pause.min(LONGEST_PAUSE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour() {
        let pauses: Vec<_> = [0, 1, 2, 7, 8, 31, 32, u32::MAX].map(|attempts| pause(attempts).whole_seconds()).into();
        assert_eq!(pauses, [15, 30, 60, 1920, 3600, 3600, 3600, 3600]);
    }
}
