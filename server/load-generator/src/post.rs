//! What came by mail.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use load_generator::mail_server::{self, MailServer};
use tokio::sync::watch;

use crate::browser::Fault;

/// How long somebody waits for a code by e-mail.
const CODE_WITHIN: Duration = Duration::from_secs(40);

/// The codes that came by mail, and the latest links.
pub struct Post {
    codes: Mutex<HashMap<String, Vec<String>>>,
    links: Mutex<HashMap<String, String>>,
    came: watch::Sender<()>,
}

impl Post {
    pub fn new() -> Self {
        Self { codes: Mutex::default(), links: Mutex::default(), came: watch::Sender::new(()) }
    }

    /// Hands out what comes to a mail server, until the program ends.
    pub async fn deliver(&self, mail_server: &MailServer) {
        loop {
            mail_server.until_one_came().await;
            for mail in mail_server.take_all() {
                let to = mail_server::header(&mail, "To").to_owned();
                if let Some(code) = mail_server::code(&mail) {
                    let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
                    codes.entry(to).or_default().push(code.to_owned());
                } else if let Some(token) = mail_server::freeze_token(&mail) {
                    self.links.lock().unwrap_or_else(PoisonError::into_inner).insert(to, token);
                }
            }
            self.came.send_replace(());
        }
    }

    /// The latest code for an address that was not used.
    pub async fn code(&self, address: &str, used: &HashSet<String>) -> Result<String, Fault> {
        let found = || {
            let codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
            codes.get(address)?.iter().rev().find(|code| !used.contains(*code)).cloned()
        };
        self.wait("code", found).await
    }

    /// Takes the token of the latest link by which somebody can say that it was not them.
    pub async fn take_freeze_token(&self, address: &str) -> Result<String, Fault> {
        let found = || self.links.lock().unwrap_or_else(PoisonError::into_inner).remove(address);
        self.wait("link", found).await
    }

    async fn wait(&self, what: &str, found: impl Fn() -> Option<String>) -> Result<String, Fault> {
        let mut came = self.came.subscribe();
        let waits = async {
            loop {
                if let Some(found) = found() {
                    return found;
                }
                // Its sender lives as long as this.
                let _ = came.changed().await;
            }
        };
        let came = tokio::time::timeout(CODE_WITHIN, waits).await;
        came.map_err(|_| Fault::Other(format!("no {what} came")))
    }
}
