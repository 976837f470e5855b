//! The server functions: for each its signature, its typed error and one call on a use case of the domain.
//!
//! None takes a passcode or an unlock key. Cookies are set here, by actions, and nowhere else.

pub mod changes;
pub mod demo;
mod fault;
pub mod freezing;
pub mod importing;
pub mod issuing;
pub mod ra;
pub mod registration;
pub mod reports;
pub mod session;
pub mod trail;
pub mod unlock;

pub use fault::{LogReference, Referred};
use serde::{Deserialize, Serialize};

/// A security question, to be chosen or to be answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionText {
    /// Its number.
    pub id: u8,
    /// The question.
    pub text: String,
    /// What form of answer is wanted; may be empty.
    pub hint: String,
}

#[cfg(feature = "ssr")]
impl From<&domain::question::Question> for QuestionText {
    fn from(question: &domain::question::Question) -> Self {
        let wording = question.wording(crate::Language::current().into());
        Self { id: question.id.into(), text: wording.text.to_owned(), hint: wording.hint.to_owned() }
    }
}

/// How far the mail with a code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CodeDelivery {
    /// It is to be sent in a moment.
    OnItsWay,
    /// It waits for the mail server.
    Delayed,
    /// A mail server took it.
    Sent,
    /// The mail server refused its address.
    Refused,
    /// It could not be sent before its code expired.
    GivenUp,
}

impl CodeDelivery {
    /// Whether the mail is there or may still come.
    pub fn may_arrive(self) -> bool {
        matches!(self, Self::OnItsWay | Self::Delayed | Self::Sent)
    }
}

#[cfg(feature = "ssr")]
impl From<domain::delivery::CodeDelivery> for CodeDelivery {
    fn from(delivery: domain::delivery::CodeDelivery) -> Self {
        use domain::delivery::CodeDelivery;
        match delivery {
            CodeDelivery::OnItsWay => Self::OnItsWay,
            CodeDelivery::Delayed => Self::Delayed,
            CodeDelivery::Sent => Self::Sent,
            CodeDelivery::Refused => Self::Refused,
            CodeDelivery::GivenUp => Self::GivenUp,
        }
    }
}

/// A time as pages count it; one that is over is 0.
#[cfg(feature = "ssr")]
fn whole_seconds(left: time::Duration) -> u32 {
    u32::try_from(left.whole_seconds()).unwrap_or(0)
}

/// The use cases, which the server provides.
#[cfg(feature = "ssr")]
fn services() -> domain::Services {
    leptos::prelude::expect_context()
}
