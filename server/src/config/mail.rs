//! Section `mail`: the SMTP server.

use std::{net::IpAddr, num::NonZeroU8, path::PathBuf};

use lettre::message::Mailbox;
use serde::Deserialize;

use super::FieldError;

/// The SMTP server, and who mails are from.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailSection {
    /// Its host name.
    pub host: Option<String>,
    /// Its port; where nothing is said the usual one: 587 with STARTTLS, 465 with TLS, 25 with nothing.
    pub port: Option<u16>,
    /// How the connection is protected.
    pub security: MailSecurity,
    /// A file with certificates (PEM) that are trusted besides the public ones.
    pub ca_file: Option<PathBuf>,
    /// The user to sign in as.
    pub user: Option<String>,
    /// The file that holds this user's password.
    pub password_file: Option<PathBuf>,
    /// How many mails a server has on their way at once; some mail servers take few connections of one user.
    pub at_once: Option<NonZeroU8>,
    /// Who mails are from: `Smartcard Service Centre <no-reply@example.org>`.
    pub from: Option<Sender>,
}

/// How a connection to the SMTP server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailSecurity {
    /// TLS after STARTTLS, which must succeed (RFC 3207).
    #[default]
    Starttls,
    /// TLS from the beginning (RFC 8314, 3.3).
    Tls,
    /// Nothing: for a server on the same machine.
    None,
}

impl MailSecurity {
    /// The port that is usual for it.
    pub fn usual_port(self) -> u16 {
        match self {
            Self::Starttls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }
}

/// Who mails are from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Sender(pub Mailbox);

/// The text is no sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is an address, or a name and an address: Smartcard Service Centre <no-reply@example.org>")]
pub struct NotASender;

impl TryFrom<String> for Sender {
    type Error = NotASender;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.contains(char::is_control) {
            return Err(NotASender);
        }
        text.parse().map(Self).map_err(|_| NotASender)
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl MailSection {
    /// How many mails are on their way at once: 8 where nothing is said.
    pub fn at_once(&self) -> usize {
        self.at_once.map_or(8, |many| many.get().into())
    }

    /// In a demonstration mails can stay in memory instead.
    pub(super) fn validate(&self, is_demonstration: bool) -> Result<(), FieldError> {
        if self.host.is_none() {
            return if is_demonstration { Ok(()) } else { Err(FieldError::new("mail.host", "is missing")) };
        }
        if self.from.is_none() {
            return Err(FieldError::new("mail.from", "is missing"));
        }
        if self.security == MailSecurity::None && !self.host.as_deref().is_some_and(is_this_machine) {
            return Err(FieldError::new("mail.security", "is starttls or tls for a server on another machine"));
        }
        if self.user.is_some() != self.password_file.is_some() {
            return Err(FieldError::new("mail.password_file", "goes with mail.user, and mail.user with it"));
        }
        Ok(())
    }
}
