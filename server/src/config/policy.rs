//! Section `policy`: what an organisation can decide about the rules.

use domain::{
    email::{ApprovedDomains, EmailAddress},
    policy::{Policy, Profile, QUESTIONS_SET},
};
use serde::Deserialize;
use time::Duration;

use super::FieldError;

/// The rules. How many failed attempts lock self-service is not among them: it is three.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicySection {
    /// What is asked for to register and to unlock: classic, code-only or strict.
    pub profile: Profile,
    /// How many of the four questions are asked at an unlock: 2 to 4.
    pub questions_asked: usize,
    /// How many digits a new passcode has at least: 6 to 8, which is as many as a PIV card takes.
    pub passcode_digits: u8,
    /// How long a code lives, in minutes: 1 to 60. What is usual for the profile where it is not said.
    pub code_minutes: Option<u8>,
    /// How many times a code may be entered wrongly: 1 to 10.
    pub code_tries: u8,
    /// How long to wait before another code may be asked for, in seconds: at most 600.
    pub resend_seconds: u16,
    /// How many code mails one person may get within an hour: 1 to 60.
    pub codes_an_hour: u8,
    /// How many unlocks one card may begin within an hour: 3 to 1000.
    pub unlocks_an_hour: u16,
    /// How long a flow lives without a request, in minutes: 5 to 120.
    pub flow_idle_minutes: u8,
    /// How long a session lives without a request, in minutes: 2 to 60.
    pub session_idle_minutes: u8,
    /// How long a session lives at most, in minutes: up to 720.
    pub session_minutes: u16,
    /// The domains whose addresses may receive codes, each with everything below it.
    pub approved_domains: Vec<String>,
}

impl Default for PolicySection {
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            questions_asked: 3,
            passcode_digits: 6,
            code_minutes: None,
            code_tries: 5,
            resend_seconds: 60,
            codes_an_hour: 4,
            unlocks_an_hour: 20,
            flow_idle_minutes: 30,
            session_idle_minutes: 15,
            session_minutes: 60,
            approved_domains: ["nhs.net", "nhs.uk", "gov.uk", "mod.uk"].map(str::to_owned).to_vec(),
        }
    }
}

impl PolicySection {
    pub(super) fn validate(&self) -> Result<(), FieldError> {
        let ranges = [
            ("policy.questions_asked", self.questions_asked, 2, QUESTIONS_SET),
            ("policy.passcode_digits", self.passcode_digits.into(), 6, 8),
            ("policy.code_minutes", self.code_minutes.unwrap_or(1).into(), 1, 60),
            ("policy.code_tries", self.code_tries.into(), 1, 10),
            ("policy.resend_seconds", self.resend_seconds.into(), 0, 600),
            ("policy.codes_an_hour", self.codes_an_hour.into(), 1, 60),
            ("policy.unlocks_an_hour", self.unlocks_an_hour.into(), 3, 1000),
            ("policy.flow_idle_minutes", self.flow_idle_minutes.into(), 5, 120),
            ("policy.session_idle_minutes", self.session_idle_minutes.into(), 2, 60),
            ("policy.session_minutes", self.session_minutes.into(), self.session_idle_minutes.into(), 720),
        ];
        if let Some((field, _, least, most)) =
            ranges.iter().find(|(_, value, least, most)| !(least..=most).contains(&value))
        {
            return Err(FieldError::new(field, format!("is a number from {least} to {most}")));
        }
        let address_below = |domain: &String| EmailAddress::parse(&format!("name@{domain}")).is_ok();
        if self.approved_domains.is_empty() || !self.approved_domains.iter().all(address_below) {
            return Err(FieldError::new("policy.approved_domains", "is a list of domains, like nhs.net"));
        }
        Ok(())
    }

    /// The rules as the domain takes them.
    pub fn to_policy(&self) -> Policy {
        let code_life = self.code_minutes.map(|minutes| Duration::minutes(minutes.into()));
        Policy {
            profile: self.profile,
            questions_asked: self.questions_asked,
            code_life: code_life.unwrap_or_else(|| self.profile.code_life()),
            code_tries: self.code_tries,
            resend_after: Duration::seconds(self.resend_seconds.into()),
            codes_an_hour: self.codes_an_hour.into(),
            unlocks_an_hour: self.unlocks_an_hour.into(),
            flow_idle: Duration::minutes(self.flow_idle_minutes.into()),
            session_idle: Duration::minutes(self.session_idle_minutes.into()),
            session_life: Duration::minutes(self.session_minutes.into()),
            approved_domains: ApprovedDomains::new(self.approved_domains.iter().cloned()),
            ..Policy::default()
        }
    }
}
