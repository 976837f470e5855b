//! What the errors of all server functions share.

#[cfg(feature = "ssr")]
use http::StatusCode;

/// Makes a type the error of server functions: it travels as JSON, and a request that did not arrive or was not answered
/// becomes its variants `Unreachable` and `Unavailable`. The status of the answer is 503 for `Unavailable` and 422 for
/// all others: what was sent is understood and refused.
macro_rules! server_fn_fault {
    ($name:ident) => {
        impl leptos::server_fn::error::FromServerFnError for $name {
            type Encoder = leptos::server_fn::codec::JsonEncoding;

            fn from_server_fn_error(fault: leptos::server_fn::error::ServerFnErrorErr) -> Self {
                match fault {
                    leptos::server_fn::error::ServerFnErrorErr::Request(_) => Self::Unreachable,
                    _ => Self::Unavailable,
                }
            }

            fn ser(&self) -> leptos::server_fn::Bytes {
                #[cfg(feature = "ssr")]
                {
                    $crate::refusal::Refusal::note(self);
                    $crate::server_fns::fault::answer_with(match self {
                        Self::Unavailable => http::StatusCode::SERVICE_UNAVAILABLE,
                        _ => http::StatusCode::UNPROCESSABLE_ENTITY,
                    });
                }
                <Self::Encoder as leptos::server_fn::Encodes<Self>>::encode(self).unwrap_or_default()
            }
        }

        #[cfg(feature = "ssr")]
        impl From<domain::ports::StoreError> for $name {
            fn from(fault: domain::ports::StoreError) -> Self {
                $crate::server_fns::fault::log(&fault);
                Self::Unavailable
            }
        }

        #[cfg(feature = "ssr")]
        impl From<domain::ports::HasherError> for $name {
            fn from(fault: domain::ports::HasherError) -> Self {
                $crate::server_fns::fault::log(&fault);
                Self::Unavailable
            }
        }
    };
}
pub(super) use server_fn_fault;

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
