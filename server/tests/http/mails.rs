//! Mails that are kept instead of sent. Each is to be looked at: a mail that nobody expected fails the test.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use domain::token::MailId;
use load_generator::mail_server;
use server::mail::{DeliveryError, Letter, Postman};
use uuid::Uuid;

/// A mail that was sent.
pub struct SentMail {
    pub id: MailId,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl SentMail {
    /// A mail as it came over the wire.
    pub fn as_it_came(text: String) -> Self {
        let header = |name| mail_server::header(&text, name).to_owned();
        let id = header("Message-ID");
        let id = id.trim_start_matches('<').split('@').next().unwrap();
        let id = MailId(Uuid::parse_str(id).unwrap());
        Self { id, to: header("To"), subject: header("Subject"), html: String::new(), text }
    }

    /// The code that stands alone on a line.
    pub fn code(&self) -> String {
        self.try_code().unwrap_or_else(|| panic!("no code in {}", self.text))
    }

    /// The same, where there is one.
    pub fn try_code(&self) -> Option<String> {
        mail_server::code(&self.text).map(str::to_owned)
    }
}

/// Keeps the mails.
#[derive(Clone, Default)]
pub struct KeptMails {
    mails: Arc<Mutex<Vec<SentMail>>>,
    is_down: Arc<AtomicBool>,
    refuses_addresses: Arc<AtomicBool>,
}

impl KeptMails {
    /// Takes the oldest that was not looked at.
    pub fn take(&self) -> Option<SentMail> {
        let mut mails = self.mails.lock().unwrap();
        (!mails.is_empty()).then(|| mails.remove(0))
    }

    /// From now on the mail server takes nothing.
    pub fn go_down(&self) {
        self.is_down.store(true, Ordering::SeqCst);
    }

    /// From now on it refuses every address.
    pub fn refuse_addresses(&self) {
        self.refuses_addresses.store(true, Ordering::SeqCst);
    }

    /// From now on it takes mails again.
    pub fn come_back(&self) {
        self.is_down.store(false, Ordering::SeqCst);
        self.refuses_addresses.store(false, Ordering::SeqCst);
    }
}

#[async_trait]
impl Postman for KeptMails {
    async fn deliver(&self, letter: &Letter) -> Result<(), DeliveryError> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(DeliveryError::NotNow("the mail server is down".into()));
        }
        if self.refuses_addresses.load(Ordering::SeqCst) {
            return Err(DeliveryError::AddressRefused("no such user".into()));
        }
        self.mails.lock().unwrap().push(SentMail {
            id: letter.id,
            to: letter.to.as_str().to_owned(),
            subject: letter.subject.clone(),
            text: letter.text.clone(),
            html: letter.html.clone(),
        });
        Ok(())
    }
}
