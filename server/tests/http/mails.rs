//! Mails that are kept instead of sent. Each is to be looked at: a mail that nobody expected fails the test.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use domain::token::MailId;
use server::mail::{DeliveryError, Letter, Postman};

/// A mail that was sent.
pub struct SentMail {
    pub id: MailId,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl SentMail {
    /// The code that stands alone on a line.
    pub fn code(&self) -> String {
        self.try_code().unwrap_or_else(|| panic!("no code in {}", self.text))
    }

    /// The same, where there is one.
    pub fn try_code(&self) -> Option<String> {
        let is_code = |line: &&str| {
            line.len() == 9
                && line.chars().enumerate().all(|(at, letter)| (at == 4) == (letter == '-') && !letter.is_ascii_digit())
        };
        self.text.lines().find(is_code).map(str::to_owned)
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
