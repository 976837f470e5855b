//! What the errors of all server functions share.

/// Makes a type the error of server functions: it travels as JSON, and a request that did not arrive or was not answered
/// becomes its variants `Unreachable` and `Unavailable`.
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

/// Logs a failure of the service itself: once, here, where it becomes an answer.
#[cfg(feature = "ssr")]
pub(super) fn log(fault: &(dyn std::error::Error + 'static)) {
    tracing::error!(error = fault, "a server function failed");
}
