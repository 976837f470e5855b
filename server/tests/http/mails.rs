//! Mails that are kept instead of sent. Each is to be looked at: a mail that nobody expected fails the test.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use server::mail::{DeliveryError, Letter, Postman};

/// A mail that was sent.
pub struct SentMail {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl SentMail {
    /// The code that stands alone on a line.
    pub fn code(&self) -> String {
        let is_code = |line: &&str| {
            line.len() == 9
                && line.chars().enumerate().all(|(at, letter)| (at == 4) == (letter == '-') && !letter.is_ascii_digit())
        };
        self.text.lines().find(is_code).unwrap_or_else(|| panic!("no code in {}", self.text)).to_owned()
    }
}

/// Keeps the mails.
#[derive(Clone, Default)]
pub struct KeptMails(Arc<Mutex<Vec<SentMail>>>);

impl KeptMails {
    /// Takes the oldest that was not looked at.
    pub fn take(&self) -> Option<SentMail> {
        let mut mails = self.0.lock().unwrap();
        (!mails.is_empty()).then(|| mails.remove(0))
    }
}

#[async_trait]
impl Postman for KeptMails {
    async fn deliver(&self, letter: &Letter) -> Result<(), DeliveryError> {
        self.0.lock().unwrap().push(SentMail {
            to: letter.to.as_str().to_owned(),
            subject: letter.subject.clone(),
            text: letter.text.clone(),
            html: letter.html.clone(),
        });
        Ok(())
    }
}
