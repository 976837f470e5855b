//! What a person changes of their own: the card first, then its holder, then what is changed. No passcode is among it: the
//! card has changed that, and says so.

use card_protocol::{CardProof, Challenge};
use leptos::{prelude::*, server_fn::codec::Json};
use serde::{Deserialize, Serialize};

use super::registration::RegistrationFault;
#[cfg(feature = "ssr")]
use {
    super::{registration::required, services},
    crate::cookies::Cookie,
    domain::{challenge::Binding, change::Change},
};

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OwnChange {
    /// The passcode of the card.
    Passcode,
    /// Questions, or recovery codes instead.
    Factor,
    /// The address.
    Email,
    /// The registration: it ends.
    EndRegistration,
}

#[cfg(feature = "ssr")]
impl From<OwnChange> for Change {
    fn from(change: OwnChange) -> Self {
        match change {
            OwnChange::Passcode => Self::Passcode,
            OwnChange::Factor => Self::Factor,
            OwnChange::Email => Self::Email,
            OwnChange::EndRegistration => Self::EndRegistration,
        }
    }
}

/// Gives the challenge with which the card of the session proves itself again.
///
/// # Errors
///
/// [`RegistrationFault`].
#[server(prefix = "/api", endpoint = "change/start", input = Json, output = Json)]
pub async fn start_change() -> Result<Challenge, RegistrationFault> {
    let session = required().await?.session;
    Ok(services().sign_in.challenge(Binding::Session(session.id)))
}

/// Confirms that it is the card of the session, and its connection key; gives the challenge for its holder.
///
/// # Errors
///
/// [`RegistrationFault`].
#[server(prefix = "/api", endpoint = "change/confirm-card", input = Json, output = Json)]
pub async fn confirm_changing_card(proof: CardProof, change: OwnChange) -> Result<Challenge, RegistrationFault> {
    Ok(services().changes.confirm_card(&required().await?, &proof, change.into()).await?)
}

/// Carries out what the holder of the card has proved to want. Questions, recovery codes and address are changed in steps
/// from here on.
///
/// # Errors
///
/// [`RegistrationFault`].
#[server(prefix = "/api", endpoint = "change/carry-out", input = Json, output = Json)]
pub async fn carry_out_change(proof: CardProof, change: OwnChange) -> Result<(), RegistrationFault> {
    let signed_in = required().await?;
    let changes = services().changes;
    let token = match change {
        OwnChange::Passcode => changes.passcode_changed(&signed_in, &proof).await?,
        OwnChange::EndRegistration => changes.end_registration(&signed_in, &proof).await?,
        OwnChange::Factor => return Ok(changes.begin_factor(&signed_in, &proof).await?),
        OwnChange::Email => return Ok(changes.begin_email(&signed_in, &proof).await?),
    };
    Cookie::Session.set(&token);
    Ok(())
}
