//! A registration that is under way, or the change of one.
//!
//! ```text
//! Questions --answers or codes--> Email --address--> Code --right code--> Completed
//!     ^---------- change -----------'  ^--- change ----'  '--tries used up--> Ended
//!
//! Factor --answers--> Completed          Keep --kept--> Completed
//!    '--codes--> Keep                    Keep --answers--> Completed
//! ```
//!
//! A change of the address begins at Email, and leaves what the person answers with as it is.

use card_protocol::Guid;
use serde::{Deserialize, Serialize};

use super::{NewFactor, StoredAnswer};
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
    /// Other questions are to be set for a registration, or recovery codes made.
    Factor(ChangeFactor),
    /// Recovery codes were made for it, and are to be kept.
    Keep(KeepRecoveryCodes),
    /// The registration, or the change of one, is complete.
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
    /// What the person answers with.
    #[serde(flatten)]
    pub factor: FlowFactor,
}

/// The code is to be entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnterCode {
    /// What the person answers with.
    #[serde(flatten)]
    pub factor: FlowFactor,
    /// Where the code was sent.
    pub email: EmailAddress,
    /// The codes sent.
    pub codes: Codes,
}

/// What a person answers with once their address is confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FlowFactor {
    /// What was set up in this flow.
    New(NewFactor),
    /// What the registration has: only the address changes.
    Kept {},
}

/// Other questions are to be set, or recovery codes made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeFactor {}

/// Recovery codes were made. What the registration has works until the person says that they have kept them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeepRecoveryCodes {
    /// The codes.
    pub recovery_codes: Vec<StoredRecoveryCode>,
}

impl NewFactor {
    /// Questions are set.
    pub fn questions(answers: Vec<StoredAnswer>) -> Self {
        Self { answers, recovery_codes: Vec::new() }
    }

    /// Recovery codes were made instead.
    pub fn recovery_codes(recovery_codes: Vec<StoredRecoveryCode>) -> Self {
        Self { answers: Vec::new(), recovery_codes }
    }
}

impl SetQuestions {
    /// Questions are set, or recovery codes made instead.
    pub fn set(self, factor: NewFactor) -> ConfirmEmail {
        ConfirmEmail { factor: FlowFactor::New(factor) }
    }
}

impl ConfirmEmail {
    /// Another address for a registration that is there.
    pub fn of_registration() -> Self {
        Self { factor: FlowFactor::Kept {} }
    }

    /// The address is confirmed and a code sent there.
    pub fn confirm(self, email: EmailAddress, code: IssuedCode, policy: &Policy) -> EnterCode {
        let codes = Codes { issued: vec![code], tries_left: policy.code_tries };
        EnterCode { factor: self.factor, email, codes }
    }

    /// The questions are to be set anew; not where they stay as they are.
    pub fn change_questions(self) -> Option<SetQuestions> {
        match self.factor {
            FlowFactor::New(_) => Some(SetQuestions {}),
            FlowFactor::Kept {} => None,
        }
    }
}

impl ChangeFactor {
    /// Recovery codes were made.
    pub fn made(self, recovery_codes: Vec<StoredRecoveryCode>) -> KeepRecoveryCodes {
        KeepRecoveryCodes { recovery_codes }
    }
}

impl KeepRecoveryCodes {
    /// Others were made: these were not kept.
    #[must_use]
    pub fn made_anew(self, recovery_codes: Vec<StoredRecoveryCode>) -> Self {
        Self { recovery_codes }
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
        ConfirmEmail { factor: self.factor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_was_stored_before_there_were_changes_is_read() {
        let stored = r#"{"step":"email","answers":[]}"#;
        let factor = FlowFactor::New(NewFactor { answers: Vec::new(), recovery_codes: Vec::new() });
        assert_eq!(
            serde_json::from_str::<RegistrationStep>(stored).unwrap(),
            RegistrationStep::Email(ConfirmEmail { factor })
        );
    }

    #[test]
    fn what_stays_as_it_is_is_stored_as_nothing_and_read_as_that() {
        let step = RegistrationStep::Email(ConfirmEmail::of_registration());
        let stored = serde_json::to_string(&step).unwrap();
        assert_eq!(stored, r#"{"step":"email"}"#);
        assert_eq!(serde_json::from_str::<RegistrationStep>(&stored).unwrap(), step);
    }
}
