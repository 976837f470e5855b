//! What the errors of all server functions share.

#[cfg(feature = "ssr")]
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::t;

/// By what a request is found in the log of the service: `LOG-7KQM-4TXB`. It knows no person; empty where the request
/// never arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogReference(String);

/// How many letters it has.
#[cfg(feature = "ssr")]
const LETTERS: usize = 8;

/// What it begins with, to be told from a reference to the trail.
#[cfg(feature = "ssr")]
const PREFIX: &str = "LOG";

#[cfg(feature = "ssr")]
fn letter(byte: u8) -> char {
    let alphabet = domain::code::ALPHABET;
    char::from(alphabet[usize::from(byte) % alphabet.len()])
}

#[cfg(feature = "ssr")]
impl LogReference {
    /// Makes one. Of a million some twenty pairs are alike, which the time tells apart.
    pub fn generate(randomness: &dyn domain::ports::Randomness) -> Self {
        let mut bytes = [0; LETTERS];
        randomness.fill(&mut bytes);
        let letters: String = bytes.iter().map(|byte| letter(*byte)).collect();
        Self::of_letters(&letters)
    }

    /// Reads one as it is quoted: case, spaces and hyphens do not matter.
    pub fn parse(text: &str) -> Option<Self> {
        let signs: String =
            text.chars().filter(|sign| !matches!(sign, ' ' | '-')).map(|sign| sign.to_ascii_uppercase()).collect();
        let letters = signs.strip_prefix(PREFIX)?;
        (letters.len() == LETTERS && letters.bytes().all(|letter| domain::code::ALPHABET.contains(&letter)))
            .then(|| Self::of_letters(letters))
    }

    fn of_letters(letters: &str) -> Self {
        Self([PREFIX, "-", &letters[..LETTERS / 2], "-", &letters[LETTERS / 2..]].concat())
    }

    /// That of the request that is being answered.
    pub(super) fn current() -> Self {
        let parts = leptos::prelude::use_context::<http::request::Parts>();
        parts.and_then(|parts| parts.extensions.get().cloned()).unwrap_or_default()
    }
}

impl LogReference {
    /// The reference as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is to be done, and what to quote where that does not help.
    pub fn quoted(&self, text: &str) -> String {
        if self.0.is_empty() { text.to_owned() } else { [text, " ", &t::fault_reference(&self.0)].concat() }
    }
}

/// A fault that may be found in the log.
pub trait Referred {
    /// By what its request is found there; empty where nothing is said.
    fn reference(&self) -> LogReference;

    /// That the service cannot do it now, and what to quote; or that it is busy.
    fn unavailable(&self) -> String;
}

/// Makes a type the error of server functions: it travels as JSON, and a request that did not arrive or was not answered
/// becomes its variants `Unreachable` and `Unavailable`. The status of the answer is 503 for `Unavailable` and 422 for
/// all others: what was sent is understood and refused. Where it can need the hasher it has a variant for a queue that is
/// too long (`Busy`), which is 503 too.
macro_rules! server_fn_fault {
    ($name:ident $(, $busy:ident)?) => {
        impl leptos::server_fn::error::FromServerFnError for $name {
            type Encoder = leptos::server_fn::codec::JsonEncoding;

            fn from_server_fn_error(fault: leptos::server_fn::error::ServerFnErrorErr) -> Self {
                match fault {
                    leptos::server_fn::error::ServerFnErrorErr::Request(_) => Self::Unreachable,
                    _ => Self::Unavailable($crate::server_fns::fault::unanswered()),
                }
            }

            fn ser(&self) -> leptos::server_fn::Bytes {
                #[cfg(feature = "ssr")]
                {
                    $crate::refusal::Refusal::note(self);
                    $crate::server_fns::fault::answer_with(match self {
                        Self::Unavailable(_) $(| Self::$busy)? => http::StatusCode::SERVICE_UNAVAILABLE,
                        _ => http::StatusCode::UNPROCESSABLE_ENTITY,
                    });
                }
                <Self::Encoder as leptos::server_fn::Encodes<Self>>::encode(self).unwrap_or_default()
            }
        }

        impl $crate::server_fns::fault::Referred for $name {
            fn reference(&self) -> $crate::server_fns::fault::LogReference {
                match self {
                    Self::Unavailable(reference) => reference.clone(),
                    _ => $crate::server_fns::fault::LogReference::default(),
                }
            }

            fn unavailable(&self) -> String {
                $(if matches!(self, Self::$busy) {
                    return $crate::t::fault_busy().to_owned();
                })?
                self.reference().quoted($crate::t::fault_unavailable())
            }
        }

        #[cfg(feature = "ssr")]
        impl From<domain::ports::StoreError> for $name {
            fn from(fault: domain::ports::StoreError) -> Self {
                $crate::server_fns::fault::log(&fault);
                Self::Unavailable($crate::server_fns::fault::LogReference::current())
            }
        }

        $(#[cfg(feature = "ssr")]
        impl From<domain::ports::HasherError> for $name {
            fn from(fault: domain::ports::HasherError) -> Self {
                match fault {
                    // Counted, not logged: it happens to many at once, and says nothing of any of them.
                    domain::ports::HasherError::Busy => {
                        $crate::server_fns::fault::answer_with(http::StatusCode::SERVICE_UNAVAILABLE);
                        Self::$busy
                    }
                    domain::ports::HasherError::Unreadable => {
                        $crate::server_fns::fault::log(&fault);
                        Self::Unavailable($crate::server_fns::fault::LogReference::current())
                    }
                }
            }
        })?
    };
}
pub(super) use server_fn_fault;

/// The reference of an answer that cannot be read: only the server knows which request it is about.
pub(super) fn unanswered() -> LogReference {
    #[cfg(feature = "ssr")]
    return LogReference::current();
    #[cfg(not(feature = "ssr"))]
    LogReference::default()
}

/// Sets the status of the answer that is being made.
#[cfg(feature = "ssr")]
pub(super) fn answer_with(status: StatusCode) {
    if let Some(response) = leptos::prelude::use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(status);
    }
}

/// Says in the answer that is being made after how many seconds to ask again.
#[cfg(feature = "ssr")]
pub(super) fn retry_after(seconds: u32) {
    if let Some(response) = leptos::prelude::use_context::<leptos_axum::ResponseOptions>() {
        response.insert_header(http::header::RETRY_AFTER, http::HeaderValue::from(seconds));
    }
}

/// Logs that a card proof was refused. To whom is on the trail, where somebody had a session or an unlock.
#[cfg(feature = "ssr")]
pub(super) fn log_refused_proof() {
    tracing::warn!("a card proof was refused");
}

/// Logs a failure of the service itself: once, here, where it becomes an answer. A page that is rendered with it has the
/// status of the failure too.
#[cfg(feature = "ssr")]
pub(super) fn log(fault: &(dyn std::error::Error + 'static)) {
    tracing::error!(error = fault, "a server function failed");
    answer_with(StatusCode::SERVICE_UNAVAILABLE);
}
