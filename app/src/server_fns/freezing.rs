//! Freezing self-service by the link of a mail.

use leptos::{prelude::*, server_fn::codec::Json};
use serde::{Deserialize, Serialize};

use super::{LogReference, fault::server_fn_fault};
use crate::moment::Moment;
#[cfg(feature = "ssr")]
use {
    super::services,
    domain::freezing::{self, FreezeToken, FreezingError},
};

/// The page that the link opens.
pub const FREEZE_PAGE: &str = "/not-me";

/// What its address names the token of the link.
pub const FREEZE_PARAMETER: &str = "of";

/// Why a link does nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FreezingFault {
    /// It is not ours, or too old.
    NoLink,
    /// The request did not arrive.
    Unreachable,
    /// The service cannot do it now.
    Unavailable(LogReference),
}

server_fn_fault!(FreezingFault);

#[cfg(feature = "ssr")]
impl From<FreezingError> for FreezingFault {
    fn from(fault: FreezingError) -> Self {
        match fault {
            FreezingError::NoLink => Self::NoLink,
            FreezingError::Store(fault) => fault.into(),
        }
    }
}

/// What a link can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Freezable {
    /// Self-service can be frozen.
    Yes,
    /// It is frozen already, since then.
    Frozen(Moment),
    /// Its person is not registered: there is nothing to freeze.
    NotRegistered,
}

#[cfg(feature = "ssr")]
impl From<freezing::Freezable> for Freezable {
    fn from(freezable: freezing::Freezable) -> Self {
        match freezable {
            freezing::Freezable::Yes => Self::Yes,
            freezing::Freezable::Frozen { since } => Self::Frozen(since.into()),
            freezing::Freezable::NotRegistered => Self::NotRegistered,
        }
    }
}

/// Says what a link can do. Changes nothing.
///
/// # Errors
///
/// [`FreezingFault`].
#[server(prefix = "/api", endpoint = "freezing/look", input = Json, output = Json)]
pub async fn look_at_link(token: String) -> Result<Freezable, FreezingFault> {
    Ok(services().freezing.look(&FreezeToken::new(token)).await?.into())
}

/// Freezes self-service.
///
/// # Errors
///
/// [`FreezingFault`].
#[server(prefix = "/api", endpoint = "freezing/freeze")]
pub async fn freeze(token: String) -> Result<(), FreezingFault> {
    services().freezing.freeze(&FreezeToken::new(token)).await?;
    leptos_axum::redirect("/not-me?frozen");
    Ok(())
}
