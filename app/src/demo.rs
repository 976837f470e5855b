//! The mailbox of a demonstration: the mails that were sent, in memory, to be read on `/demo/mailbox`.

use serde::{Deserialize, Serialize};

use crate::moment::Moment;

/// A mail that the demonstration has sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemoMail {
    /// Its number, from 1.
    pub number: u32,
    /// When it was sent.
    pub at: Moment,
    /// To whom.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its text part.
    pub text: String,
}

impl DemoMail {
    /// Where its HTML part is served: a page of its own, with a policy of its own.
    pub fn html_path(&self) -> String {
        ["/demo/mail/", &self.number.to_string()].concat()
    }
}

#[cfg(feature = "ssr")]
pub use mailbox::{DemoMailbox, SentMail};

#[cfg(feature = "ssr")]
mod mailbox {
    use std::sync::{Arc, Mutex, PoisonError};

    use super::DemoMail;

    /// The mails that were sent: provided as a context in a demonstration, and filled by the server's mail worker.
    #[derive(Clone, Default)]
    pub struct DemoMailbox(Arc<Mutex<Vec<Kept>>>);

    struct Kept {
        mail: DemoMail,
        html: String,
    }

    /// A mail on its way into the mailbox.
    pub struct SentMail {
        /// When it was sent.
        pub at: domain::Timestamp,
        /// To whom.
        pub to: String,
        /// Its subject.
        pub subject: String,
        /// Its text part.
        pub text: String,
        /// Its HTML part.
        pub html: String,
    }

    /// How many mails are kept.
    const KEPT: usize = 100;

    impl DemoMailbox {
        /// Takes a mail in; the oldest goes where there are too many.
        pub fn deliver(&self, mail: SentMail) {
            let SentMail { at, to, subject, text, html } = mail;
            let mut mails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let number = mails.last().map_or(1, |last| last.mail.number + 1);
            mails.push(Kept { mail: DemoMail { number, at: at.into(), to, subject, text }, html });
            if mails.len() > KEPT {
                mails.remove(0);
            }
        }

        /// All mails, the newest first.
        pub fn newest_first(&self) -> Vec<DemoMail> {
            let mails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            mails.iter().rev().map(|kept| kept.mail.clone()).collect()
        }

        /// The HTML part of a mail, while it is kept.
        pub fn html(&self, number: u32) -> Option<String> {
            let mails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            mails.iter().find(|kept| kept.mail.number == number).map(|kept| kept.html.clone())
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_newest_mail_comes_first_and_the_oldest_goes() {
            let mailbox = DemoMailbox::default();
            for number in 1..=KEPT + 1 {
                mailbox.deliver(SentMail {
                    at: domain::Timestamp::UNIX_EPOCH,
                    to: "jane@nhs.net".to_owned(),
                    subject: number.to_string(),
                    text: String::new(),
                    html: String::new(),
                });
            }
            let mails = mailbox.newest_first();
            assert_eq!(mails.len(), KEPT);
            assert_eq!(mails[0].subject, (KEPT + 1).to_string());
            assert_eq!(mails[KEPT - 1].number, 2);
        }
    }
}
