//! An unlock that is under way.
//!
//! ```text
//! AnswerQuestions --right--> EnterCode --right code--> ChoosePasscode --completion proof--> Completed
//!        | third failure         | tries used up            | keys refused
//!        '-----------------------'-------> Ended <----------'   (also: stopped, another flow of the card)
//! ```
//!
//! Where recovery codes were made in place of questions, `EnterRecoveryCode` stands where `AnswerQuestions` does. The profile
//! `code-only` begins with `EnterCode`; so does `strict`, and asks for a recovery code after it.

use card_protocol::{Challenge, ConnectionKey, Guid};
use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    code::{Codes, IssuedCode},
    person::UserNumber,
    policy::Policy,
    question::QuestionId,
    token::{FlowId, KeyId, TokenHash},
    trail::Reference,
};

/// One person's way through an unlock. A card has at most one that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnlockFlow {
    /// Which flow.
    pub id: FlowId,
    /// What is stored of its cookie.
    pub token: TokenHash,
    /// The card that was proved.
    pub card: Guid,
    /// Its holder.
    pub person: UserNumber,
    /// How far it is.
    pub step: UnlockStep,
    /// When it began.
    pub began_at: Timestamp,
    /// When it was used last.
    pub last_active: Timestamp,
    /// The version that was read.
    pub version: u32,
}

impl UnlockFlow {
    /// When it ends unless it is used.
    pub fn ends_at(&self, policy: &Policy) -> Timestamp {
        (self.last_active + policy.flow_idle).min(self.began_at + policy.flow_life)
    }
}

/// How far an unlock is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum UnlockStep {
    /// The questions are to be answered.
    Questions(AnswerQuestions),
    /// The code is to be entered.
    Code(EnterCode),
    /// A recovery code is to be entered.
    RecoveryCode(EnterRecoveryCode),
    /// The passcode is to be chosen, and the card to be written.
    Passcode(ChoosePasscode),
    /// The card is unlocked.
    Completed(Completed),
    /// It ended without that.
    Ended {
        /// Why.
        reason: EndReason,
        /// What the person quotes to the RA, where only the RA can help.
        #[serde(default)]
        reference: Option<Reference>,
    },
}

/// Why an unlock ended before the card was unlocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndReason {
    /// The person stopped it.
    Stopped,
    /// The card began another.
    Superseded,
    /// Too many attempts failed.
    LockedOut,
    /// The tries of its code are used up.
    CodeTriesUsedUp,
    /// The card refused every unlock key.
    UnlockKeyRefused,
    /// The person had self-service frozen.
    Frozen,
}

/// The questions are to be answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerQuestions {
    /// Those of the registration when the flow began.
    pub asked: Vec<QuestionId>,
}

/// The code is to be entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnterCode {
    /// The codes sent.
    pub codes: Codes,
}

/// A recovery code is to be entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnterRecoveryCode {}

/// The passcode is to be chosen, and the card to be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChoosePasscode {
    /// The releases so far: each without an outcome.
    pub releases: Vec<Released>,
    /// Who has opened this step.
    #[serde(default)]
    pub opened_by: OpenedBy,
}

/// Who has opened the last step of an unlock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OpenedBy {
    /// The person, by the steps before.
    #[default]
    Person,
    /// An officer of the RA, who has the person in front of them.
    Officer,
}

/// Unlock keys were sealed for the card's bridge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// The key that the card gets.
    pub next: KeyId,
    /// What the card signs when it has it.
    pub completion: Challenge,
    /// The connection that the keys were sealed to.
    pub connection_key: ConnectionKey,
}

/// The card is unlocked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completed {
    /// The completion challenge that the card signed, so that the same proof again is answered alike.
    pub completion: Challenge,
}

impl AnswerQuestions {
    /// The answers are right: a code was sent, unless the mails of the hour are used up.
    pub fn right(self, code: Option<IssuedCode>, policy: &Policy) -> EnterCode {
        EnterCode::sent(code, policy)
    }
}

impl EnterRecoveryCode {
    /// It is right, and a code was sent, unless the mails of the hour are used up.
    pub fn right_before_code(self, code: Option<IssuedCode>, policy: &Policy) -> EnterCode {
        EnterCode::sent(code, policy)
    }

    /// It is right, and the code was before.
    pub fn right_after_code(self) -> ChoosePasscode {
        ChoosePasscode::opened(OpenedBy::Person)
    }
}

impl EnterCode {
    /// A code was sent, unless the mails of the hour are used up.
    pub fn sent(code: Option<IssuedCode>, policy: &Policy) -> Self {
        Self { codes: Codes { issued: code.into_iter().collect(), tries_left: policy.code_tries } }
    }

    /// The code is right, and a recovery code is asked for.
    pub fn right_before_recovery_code(self) -> EnterRecoveryCode {
        EnterRecoveryCode {}
    }

    /// Another code was sent.
    #[must_use]
    pub fn resent(mut self, code: IssuedCode) -> Self {
        self.codes.issued.push(code);
        self
    }

    /// The code is right.
    pub fn right(self) -> ChoosePasscode {
        ChoosePasscode::opened(OpenedBy::Person)
    }

    /// The code is wrong: one try less, or the end.
    pub fn wrong(mut self) -> UnlockStep {
        self.codes.tries_left = self.codes.tries_left.saturating_sub(1);
        if self.codes.tries_left == 0 { UnlockStep::ended(EndReason::CodeTriesUsedUp) } else { UnlockStep::Code(self) }
    }
}

impl ChoosePasscode {
    fn opened(opened_by: OpenedBy) -> Self {
        Self { releases: Vec::new(), opened_by }
    }

    /// An officer has the person in front of them.
    pub(crate) fn allowed_by_officer() -> Self {
        Self::opened(OpenedBy::Officer)
    }

    /// The unlock keys were released.
    #[must_use]
    pub fn release(mut self, released: Released) -> Self {
        self.releases.push(released);
        self
    }

    /// The release whose completion challenge this is.
    pub fn released(&self, completion: &Challenge) -> Option<&Released> {
        self.releases.iter().find(|released| released.completion == *completion)
    }

    /// The card has signed the completion challenge.
    pub fn complete(self, completion: Challenge) -> Completed {
        Completed { completion }
    }
}

impl UnlockStep {
    /// The end of a flow after which the person may begin another.
    pub fn ended(reason: EndReason) -> Self {
        Self::Ended { reason, reference: None }
    }

    /// Whether the flow can go on.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Questions(_) | Self::Code(_) | Self::RecoveryCode(_) | Self::Passcode(_))
    }
}
