//! Issuing a card at the desk, once it was ordered: what the card reports, and where its certificates come from.

use card_protocol::{CardProof, Challenge, Der, message::PreparedCard};
use leptos::{prelude::*, server_fn::codec::Json};
use serde::{Deserialize, Serialize};

use super::ra::DeskFault;
#[cfg(feature = "ssr")]
use {
    super::{ra::officer, services},
    card_protocol::Slot,
    domain::ra,
};

/// The certificates of a card that was prepared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificates {
    /// Of the PIV authentication key.
    pub authentication: Der,
    /// Of the card authentication key.
    pub card_authentication: Der,
    /// What the card signs once they are written (purpose `hello`).
    pub challenge: Challenge,
}

/// How a card that was prepared gets its certificates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Certification {
    /// Here they are.
    Done(Certificates),
    /// Another authority makes them: the card waits for them.
    Requested,
}

/// What stands in the address of a card's request for a certificate.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestParameters {
    /// Which card.
    pub card: String,
    /// Which of its keys.
    pub key: Slot,
}

/// Takes the word of a card that it has its secrets and keys, and gives the certificates of these, where they are the
/// service's own to make.
///
/// # Errors
///
/// [`DeskFault`].
#[server(prefix = "/api", endpoint = "ra/card-prepared", input = Json, output = Json)]
pub async fn card_prepared(prepared: PreparedCard) -> Result<Certification, DeskFault> {
    let (_, officer) = officer().await?;
    Ok(match services().desk.prepared(&officer, &prepared).await? {
        ra::Certification::Done(certificates) => Certification::Done(certificates.into()),
        ra::Certification::Requested => Certification::Requested,
    })
}

/// Takes the last proof of a card that is issued: it is somebody's from now on.
///
/// # Errors
///
/// [`DeskFault`].
#[server(prefix = "/api", endpoint = "ra/card-issued", input = Json, output = Json)]
pub async fn card_issued(proof: CardProof) -> Result<(), DeskFault> {
    let (_, officer) = officer().await?;
    Ok(services().desk.issued(&officer, &proof).await?)
}

#[cfg(feature = "ssr")]
impl From<ra::CardCertificates> for Certificates {
    fn from(certificates: ra::CardCertificates) -> Self {
        Self {
            authentication: Der(certificates.authentication),
            card_authentication: Der(certificates.card_authentication),
            challenge: certificates.challenge,
        }
    }
}
