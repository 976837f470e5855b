//! What an organisation can decide about the rules.

use serde::Deserialize;
use time::Duration;

use crate::email::ApprovedDomains;

/// What is asked for to register and to unlock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// Questions or recovery codes, then a code by e-mail.
    #[default]
    Classic,
    /// A code by e-mail, to the address that the RA holds; nobody registers.
    CodeOnly,
    /// A code by e-mail, then a recovery code.
    Strict,
}

impl Profile {
    /// How long a code lives unless something else is configured.
    pub fn code_life(self) -> Duration {
        match self {
            Self::Classic | Self::CodeOnly => Duration::minutes(15),
            Self::Strict => Duration::minutes(10),
        }
    }

    /// Whether a code is mailed as soon as a card asks to be unlocked.
    pub fn begins_with_code(self) -> bool {
        match self {
            Self::Classic => false,
            Self::CodeOnly | Self::Strict => true,
        }
    }

    /// Whether people register.
    pub fn registers(self) -> bool {
        self != Self::CodeOnly
    }

    /// Whether security questions may be set.
    pub fn has_questions(self) -> bool {
        self == Self::Classic
    }
}

/// The numbers and times of the rules. [`Policy::default`] is the profile `classic`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What is asked for.
    pub profile: Profile,
    /// How many of the questions set are asked at an unlock: 2 to 4.
    pub questions_asked: usize,
    /// How many failed attempts lock self-service.
    pub attempts: u8,
    /// How long a code lives.
    pub code_life: Duration,
    /// How many times a code may be entered wrongly in one flow.
    pub code_tries: u8,
    /// How long to wait before another code may be asked for.
    pub resend_after: Duration,
    /// How many code mails one person may get within an hour.
    pub codes_an_hour: usize,
    /// How many unlocks one card may begin within an hour.
    pub unlocks_an_hour: usize,
    /// How long unlock codes still go to the former address after a change.
    pub address_settles: Duration,
    /// How long a flow lives without a request.
    pub flow_idle: Duration,
    /// How long a flow lives at most.
    pub flow_life: Duration,
    /// How long a session lives without a request.
    pub session_idle: Duration,
    /// How long a session lives at most.
    pub session_life: Duration,
    /// The domains whose addresses may receive codes.
    pub approved_domains: ApprovedDomains,
}

/// How many questions are set at registration.
pub const QUESTIONS_SET: usize = 4;

impl Default for Policy {
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            questions_asked: 3,
            attempts: 3,
            code_life: Profile::default().code_life(),
            code_tries: 5,
            resend_after: Duration::seconds(60),
            codes_an_hour: 4,
            unlocks_an_hour: 20,
            address_settles: Duration::hours(24),
            flow_idle: Duration::minutes(30),
            flow_life: Duration::hours(2),
            session_idle: Duration::minutes(15),
            session_life: Duration::hours(1),
            approved_domains: ApprovedDomains::new(["nhs.net", "nhs.uk", "gov.uk", "mod.uk"].map(str::to_owned)),
        }
    }
}
