//! The mails that the service sends, as facts; their words stand in the server's templates.

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    email::EmailAddress,
    freezing::FreezeToken,
    language::Language,
    person::UserNumber,
    ports::{Vault, VaultCiphertext, VaultError},
    ra::{Deed, IdentityCheck, Reason},
    token::MailId,
    trail::TrailName,
};

/// A mail to be sent. It can hold a code, so it is stored only in a sealed [`OutboxMail`].
#[derive(Clone, Serialize, Deserialize)]
pub struct Mail {
    /// To whom.
    pub to: EmailAddress,
    /// Whose it is.
    #[serde(default)]
    pub person: Option<UserNumber>,
    /// The name of the person.
    pub name: String,
    /// In which language it is written.
    #[serde(default)]
    pub language: Language,
    /// When what it tells happened.
    #[serde(with = "crate::milliseconds")]
    pub at: Timestamp,
    /// What it tells.
    pub message: Message,
    /// What the link for whoever did not do that holds.
    #[serde(default)]
    pub freeze: Option<FreezeToken>,
}

/// What a mail tells.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Message {
    /// The code that completes a registration.
    RegistrationCode {
        /// As it is shown: `KTRW-MGBD`.
        code: String,
        /// Until when it works.
        #[serde(with = "crate::milliseconds")]
        valid_until: Timestamp,
    },
    /// A registration is complete.
    RegistrationComplete,
    /// Another address is on file. Goes to both.
    EmailChanged {
        /// The address before.
        former: EmailAddress,
        /// The address on file now.
        new: EmailAddress,
        /// From when unlock codes go to it.
        #[serde(with = "crate::milliseconds")]
        codes_from: Timestamp,
    },
    /// A person changed the passcode of their card.
    PasscodeChanged,
    /// A person set other security questions.
    QuestionsChanged,
    /// A person made recovery codes, in place of what they answered with before.
    RecoveryCodesChanged,
    /// A person ended their registration.
    RegistrationEnded,
    /// A card that others issued was taken in, in the name of the person.
    CardEnrolled,
    /// The code that lets a person choose a new passcode.
    UnlockCode {
        /// As it is shown: `KTRW-MGBD`.
        code: String,
        /// Until when it works.
        #[serde(with = "crate::milliseconds")]
        valid_until: Timestamp,
    },
    /// A card was unlocked.
    CardUnlocked,
    /// Self-service was locked after too many failed attempts.
    SelfServiceLocked,
    /// A card refused every unlock key: it cannot be unlocked by its person.
    UnlockKeyRefused,
    /// Self-service was frozen by the link of a mail.
    SelfServiceFrozen,
    /// An officer of the RA did something for the person.
    RaHelped {
        /// What.
        deed: Deed,
        /// Why.
        reason: Reason,
        /// How they were recognised.
        check: IdentityCheck,
    },
    /// All that was kept of the person was erased.
    Erased,
}

impl Message {
    /// Until when the code in it works, where it holds one.
    pub fn code_valid_until(&self) -> Option<Timestamp> {
        match self {
            Self::UnlockCode { valid_until, .. } | Self::RegistrationCode { valid_until, .. } => Some(*valid_until),
            Self::RegistrationComplete
            | Self::EmailChanged { .. }
            | Self::PasscodeChanged
            | Self::QuestionsChanged
            | Self::RecoveryCodesChanged
            | Self::RegistrationEnded
            | Self::CardEnrolled
            | Self::CardUnlocked
            | Self::SelfServiceLocked
            | Self::UnlockKeyRefused
            | Self::SelfServiceFrozen
            | Self::RaHelped { .. }
            | Self::Erased => None,
        }
    }

    /// Whether it has a link by which self-service can be frozen. The mail of a code has none, so that nobody gets used
    /// to follow one from there.
    pub(crate) fn has_freeze_link(&self) -> bool {
        self.code_valid_until().is_none() && !matches!(self, Self::SelfServiceFrozen | Self::Erased)
    }
}

/// A mail in the outbox: sealed by the vault until it is sent, then erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxMail {
    /// Which mail.
    pub id: MailId,
    /// The [`Mail`], sealed.
    pub sealed: VaultCiphertext,
    /// When it was put in.
    pub created_at: Timestamp,
    /// How often it was tried to send it.
    pub attempts: u32,
    /// Whether it holds a code: somebody waits for it.
    pub holds_code: bool,
    /// Whose it is: their name on the trail, so that nobody can say whose it was once they are erased.
    pub owner: Option<TrailName>,
}

/// A mail that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableMail {
    /// The vault does not open it.
    #[error("the mail does not open")]
    Vault(#[from] VaultError),
    /// It holds something else.
    #[error("the mail is malformed")]
    Malformed(#[from] serde_json::Error),
}

impl OutboxMail {
    /// Seals a mail.
    ///
    /// # Panics
    ///
    /// Never: a mail is made of text and numbers.
    pub fn seal(id: MailId, mail: &Mail, vault: &dyn Vault, now: Timestamp) -> Self {
        let plaintext = zeroize::Zeroizing::new(serde_json::to_vec(mail).expect("a mail is text and numbers"));
        let holds_code = mail.message.code_valid_until().is_some();
        Self { id, sealed: vault.seal(&plaintext, &context(id)), created_at: now, attempts: 0, holds_code, owner: None }
    }

    /// Opens it.
    ///
    /// # Errors
    ///
    /// [`UnreadableMail`].
    pub fn open(&self, vault: &dyn Vault) -> Result<Mail, UnreadableMail> {
        Ok(serde_json::from_slice(&vault.open(&self.sealed, &context(self.id))?)?)
    }
}

fn context(id: MailId) -> Vec<u8> {
    [b"mail", &id.0.as_bytes()[..]].concat()
}
