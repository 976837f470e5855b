//! Registration: what a person set up to help themself later, and the use cases that lead there.
//!
//! The state machine of a registration that is under way stands in [`flow`], the use cases in [`service`].

pub mod flow;
pub mod service;

pub use flow::{RegistrationFlow, RegistrationStep};
pub use service::{RegistrationService, RegistrationView};

use crate::{
    Timestamp,
    answer::AnswerSet,
    email::EmailAddress,
    person::{Person, UserNumber},
    policy::{Policy, Profile},
    ports::{Randomness, SecretHash},
    question::QuestionId,
    recovery::StoredRecoveryCode,
};
use serde::{Deserialize, Serialize};

/// A completed registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Whose.
    pub person: UserNumber,
    /// The address on file: unlock codes go there, unless it is too new.
    pub email: EmailAddress,
    /// The address before, while the one on file is new.
    pub former: Option<FormerAddress>,
    /// The questions set and the hashes of their answers; none where recovery codes were made.
    pub answers: Vec<StoredAnswer>,
    /// The recovery codes that are left; none where questions were set.
    pub recovery_codes: Vec<StoredRecoveryCode>,
    /// The questions that the next unlock asks: they stay the same until an unlock completes, so that nobody can
    /// look for an easier set.
    pub asked: Vec<QuestionId>,
    /// Whether the person may try.
    pub standing: Standing,
    /// When it was completed.
    pub registered_at: Timestamp,
    /// When its person ended it. Address and standing stay, so that nobody ends and begins anew to be rid of failed
    /// attempts, or of the day for which the former address receives the codes.
    pub ended_at: Option<Timestamp>,
    /// The version that was read.
    pub version: u32,
}

/// The address before the one on file. Unlock codes go there for a while yet, so that whoever gets hold of a session
/// and changes the address gains nothing by it before its person was told and had a day to object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerAddress {
    /// The address.
    pub email: EmailAddress,
    /// Until when unlock codes go there.
    pub until: Timestamp,
}

/// A question set, and the hash of its folded answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAnswer {
    /// The question.
    pub question: QuestionId,
    /// The hash of the answer.
    pub hash: SecretHash,
}

/// What a person has set up to answer with: questions, or recovery codes instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewFactor {
    /// The questions set and the hashes of their answers; none where recovery codes were made.
    pub answers: Vec<StoredAnswer>,
    /// The recovery codes that were made; none where questions were set.
    #[serde(default)]
    pub recovery_codes: Vec<StoredRecoveryCode>,
}

/// Whether a person may try to unlock a card. It belongs to the registration, not to a flow or a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// They may.
    Open {
        /// How many attempts have failed since the last completed unlock.
        failed_attempts: u8,
    },
    /// Too many attempts have failed: only the RA can help.
    LockedOut {
        /// Since when.
        since: Timestamp,
    },
    /// The person said that something was not done by them: only the RA can help.
    Frozen {
        /// Since when.
        since: Timestamp,
    },
}

impl Registration {
    /// Whether it has what an unlock asks for.
    pub fn suits(&self, profile: Profile) -> bool {
        match profile {
            Profile::Classic => !self.answers.is_empty() || !self.recovery_codes.is_empty(),
            Profile::CodeOnly => true,
            Profile::Strict => !self.recovery_codes.is_empty(),
        }
    }

    /// Whether there is still something of it to be told: its person has not ended it, or it is closed to them.
    pub fn is_to_be_shown(&self) -> bool {
        self.ended_at.is_none() || !matches!(self.standing, Standing::Open { .. })
    }

    /// Where unlock codes go.
    pub fn code_address(&self, now: Timestamp) -> &EmailAddress {
        self.pending_former(now).map_or(&self.email, |former| &former.email)
    }

    /// Who is told of what happens: the address on file, and the former one while that one still receives the codes.
    pub fn addresses(&self, now: Timestamp) -> impl Iterator<Item = &EmailAddress> {
        [&self.email].into_iter().chain(self.pending_former(now).map(|former| &former.email))
    }

    /// The former address, while unlock codes go there.
    pub fn pending_former(&self, now: Timestamp) -> Option<&FormerAddress> {
        self.former.as_ref().filter(|former| now < former.until)
    }

    /// Counts a failed attempt.
    #[must_use]
    pub fn fail(self, policy: &Policy, now: Timestamp) -> Self {
        let standing = match self.standing {
            Standing::Open { failed_attempts } if failed_attempts + 1 < policy.attempts => {
                Standing::Open { failed_attempts: failed_attempts + 1 }
            }
            Standing::Open { .. } => Standing::LockedOut { since: now },
            closed @ (Standing::LockedOut { .. } | Standing::Frozen { .. }) => closed,
        };
        Self { standing, ..self }
    }

    /// The person said that something was not done by them.
    #[must_use]
    pub fn freeze(self, now: Timestamp) -> Self {
        Self { standing: Standing::Frozen { since: now }, ..self }
    }

    /// An unlock was completed: the failed attempts are cleared, and the next unlock asks other questions. What is
    /// frozen stays so.
    #[must_use]
    pub fn unlocked(self, policy: &Policy, randomness: &dyn Randomness) -> Self {
        let asked = choose_asked(&self.answers, policy, randomness);
        let standing = match self.standing {
            Standing::Open { .. } | Standing::LockedOut { .. } => Standing::Open { failed_attempts: 0 },
            frozen @ Standing::Frozen { .. } => frozen,
        };
        Self { asked, standing, ..self }
    }

    /// Other questions were set, or recovery codes made. Failed attempts stay.
    #[must_use]
    pub fn with_factor(self, factor: NewFactor, policy: &Policy, randomness: &dyn Randomness) -> Self {
        let NewFactor { answers, recovery_codes } = factor;
        let asked = choose_asked(&answers, policy, randomness);
        Self { answers, recovery_codes, asked, ..self }
    }

    /// Its person ended it: nothing is left by which a card could be unlocked.
    #[must_use]
    pub fn end(self, now: Timestamp) -> Self {
        Self { answers: Vec::new(), recovery_codes: Vec::new(), asked: Vec::new(), ended_at: Some(now), ..self }
    }

    /// How many attempts are left.
    pub fn attempts_left(&self, policy: &Policy) -> u8 {
        match self.standing {
            Standing::Open { failed_attempts } => policy.attempts.saturating_sub(failed_attempts),
            Standing::LockedOut { .. } | Standing::Frozen { .. } => 0,
        }
    }
}

/// Every address that is a person's now, each once.
pub(crate) fn addresses<'a>(
    person: &'a Person,
    registration: Option<&'a Registration>,
    now: Timestamp,
) -> Vec<&'a EmailAddress> {
    let mut addresses: Vec<_> = registration.into_iter().flat_map(|found| found.addresses(now)).collect();
    addresses.extend(person.email.as_ref().filter(|email| !addresses.contains(email)));
    addresses
}

/// Chooses which of the questions the next unlock asks.
pub(crate) fn choose_asked(answers: &[StoredAnswer], policy: &Policy, randomness: &dyn Randomness) -> Vec<QuestionId> {
    let mut questions: Vec<(u64, QuestionId)> = answers
        .iter()
        .map(|answer| {
            let mut key = [0; 8];
            randomness.fill(&mut key);
            (u64::from_be_bytes(key), answer.question)
        })
        .collect();
    questions.sort_unstable();
    questions.truncate(policy.questions_asked);
    questions.into_iter().map(|(_, question)| question).collect()
}

/// Hashes the answers of a set.
pub(crate) async fn hash_answers(
    set: &AnswerSet,
    hashing: &dyn crate::ports::Hashing,
) -> Result<Vec<StoredAnswer>, crate::ports::HasherError> {
    let mut answers = Vec::with_capacity(set.as_slice().len());
    for (question, answer) in set.as_slice() {
        answers.push(StoredAnswer { question: *question, hash: hashing.hash(answer.expose_secret()).await? });
    }
    Ok(answers)
}
