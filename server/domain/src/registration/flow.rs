//! A registration that is under way.
//!
//! ```text
//! SetQuestions --answers--> ConfirmEmail --address--> EnterCode --right code--> Completed
//!       ^------ change -------'   ^------ change --------'  '--tries used up--> Ended
//! ```

use card_protocol::Guid;
use serde::{Deserialize, Serialize};

use super::StoredAnswer;
use crate::{
    Timestamp,
    code::{Codes, IssuedCode},
    email::EmailAddress,
    person::UserNumber,
    policy::Policy,
    recovery::StoredRecoveryCode,
    token::{FlowId, SessionId},
};

/// One person's way through registration. Nothing of an earlier registration changes before it completes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationFlow {
    /// Which flow.
    pub id: FlowId,
    /// The session that it belongs to.
    pub session: SessionId,
    /// Who registers.
    pub person: UserNumber,
    /// The card that was proved.
    pub card: Guid,
    /// How far it is.
    pub step: RegistrationStep,
    /// When it was used last.
    pub last_active: Timestamp,
    /// The version that was read.
    pub version: u32,
}

/// How far a registration is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum RegistrationStep {
    /// The questions are to be set.
    Questions(SetQuestions),
    /// The address is to be confirmed.
    Email(ConfirmEmail),
    /// The code is to be entered.
    Code(EnterCode),
    /// The registration is complete.
    Completed,
    /// It was stopped, or the tries of its code are used up.
    Ended,
}

/// The questions are to be set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetQuestions {}

/// The address is to be confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmEmail {
    /// The questions set.
    pub answers: Vec<StoredAnswer>,
    /// The recovery codes that were made instead.
    #[serde(default)]
    pub recovery_codes: Vec<StoredRecoveryCode>,
}

/// The code is to be entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnterCode {
    /// The questions set.
    pub answers: Vec<StoredAnswer>,
    /// The recovery codes that were made instead.
    #[serde(default)]
    pub recovery_codes: Vec<StoredRecoveryCode>,
    /// Where the code was sent.
    pub email: EmailAddress,
    /// The codes sent.
    pub codes: Codes,
}

impl SetQuestions {
    /// The questions are set.
    pub fn set(self, answers: Vec<StoredAnswer>) -> ConfirmEmail {
        ConfirmEmail { answers, recovery_codes: Vec::new() }
    }

    /// Recovery codes were made instead.
    pub fn made_recovery_codes(self, recovery_codes: Vec<StoredRecoveryCode>) -> ConfirmEmail {
        ConfirmEmail { answers: Vec::new(), recovery_codes }
    }
}

impl ConfirmEmail {
    /// The address is confirmed and a code sent there.
    pub fn confirm(self, email: EmailAddress, code: IssuedCode, policy: &Policy) -> EnterCode {
        let Self { answers, recovery_codes } = self;
        EnterCode { answers, recovery_codes, email, codes: Codes { issued: vec![code], tries_left: policy.code_tries } }
    }

    /// The questions are to be set anew.
    pub fn change_questions(self) -> SetQuestions {
        SetQuestions {}
    }
}

impl EnterCode {
    /// Another code was sent.
    #[must_use]
    pub fn resent(mut self, code: IssuedCode) -> Self {
        self.codes.issued.push(code);
        self
    }

    /// A wrong code was entered: one try less, or the end.
    pub fn wrong(mut self) -> RegistrationStep {
        self.codes.tries_left = self.codes.tries_left.saturating_sub(1);
        if self.codes.tries_left == 0 { RegistrationStep::Ended } else { RegistrationStep::Code(self) }
    }

    /// Another address is to be confirmed. The codes sent to this one end.
    pub fn change_email(self) -> ConfirmEmail {
        ConfirmEmail { answers: self.answers, recovery_codes: self.recovery_codes }
    }
}
