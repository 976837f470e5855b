//! The mailbox of a demonstration.

#![cfg_attr(feature = "ssr", expect(clippy::unused_async, reason = "server functions are asynchronous"))]

use leptos::{prelude::*, server_fn::codec::Json};
use serde::{Deserialize, Serialize};

use super::{LogReference, fault::server_fn_fault};
use crate::demo::DemoMail;

/// Why the mailbox is not shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DemoFault {
    /// This is no demonstration.
    NoDemonstration,
    /// The request did not arrive.
    Unreachable,
    /// The service cannot do it now.
    Unavailable(LogReference),
}

server_fn_fault!(DemoFault);

/// All mails of the demonstration, the newest first.
///
/// # Errors
///
/// [`DemoFault`].
#[server(prefix = "/api", endpoint = "demo/mails", input = Json, output = Json)]
pub async fn demo_mails() -> Result<Vec<DemoMail>, DemoFault> {
    let mailbox = use_context::<crate::demo::DemoMailbox>().ok_or(DemoFault::NoDemonstration)?;
    Ok(mailbox.newest_first())
}
