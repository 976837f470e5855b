//! Mails of a demonstration: they stay in memory, to be read on `/demo/mailbox`.

use std::sync::Arc;

use app::demo::{DemoMailbox, SentMail};
use async_trait::async_trait;
use domain::ports::Clock;

use super::{DeliveryError, Letter, Postman};

/// Delivers into the demonstration's mailbox.
pub struct MailboxPostman {
    mailbox: DemoMailbox,
    clock: Arc<dyn Clock>,
}

impl MailboxPostman {
    /// Takes the mailbox that the pages show.
    pub fn new(mailbox: DemoMailbox, clock: Arc<dyn Clock>) -> Self {
        Self { mailbox, clock }
    }
}

#[async_trait]
impl Postman for MailboxPostman {
    async fn deliver(&self, letter: &Letter) -> Result<(), DeliveryError> {
        self.mailbox.deliver(SentMail {
            at: self.clock.now(),
            to: letter.to.as_str().to_owned(),
            subject: letter.subject.clone(),
            text: letter.text.clone(),
            html: letter.html.clone(),
        });
        Ok(())
    }
}
