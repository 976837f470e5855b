//! Certificates of another authority: what a card asks it for, and loading them, once they are there, onto that card and no
//! other. By then it may be in another officer's hands.

use card_protocol::{CardProof, Challenge, Der, Guid, Slot, sealed::Sealed};
use sha2::{Digest, Sha256};

use super::{CardCertificates, Deed, Desk, DeskError, Order, RaOfficer, order::Action};
use crate::{
    card::{Card, CardPublicKey},
    certificate::subject_public_key_info,
    issuance::Issuance,
    person::UserNumber,
    ports::Transaction,
};

/// Certificates are on their way to the card.
pub struct Loading {
    /// The secrets that the card has ([`IssuingSecrets`](card_protocol::issuing::IssuingSecrets)), sealed.
    pub secrets: Sealed,
    /// The certificates.
    pub certificates: CardCertificates,
}

impl Desk {
    /// What a card asks for: the request of one of its keys, DER (RFC 2986).
    ///
    /// # Errors
    ///
    /// [`DeskError`]; [`DeskError::Unknown`] where no such card waits for its certificates.
    pub async fn certificate_request(
        &self,
        officer: &RaOfficer,
        card: &Guid,
        slot: Slot,
    ) -> Result<Vec<u8>, DeskError> {
        let mut transaction = self.environment().store.begin().await?;
        let issuance = transaction.issuance(card).await?.ok_or(DeskError::Unknown)?;
        let person = transaction.person(&issuance.person).await?.ok_or(DeskError::Unknown)?;
        officer.may(Deed::IssueCard, &person)?;
        let (_, requests) = issuance.waits().ok_or(DeskError::Unknown)?;
        Ok(match slot {
            Slot::Authentication => requests.authentication.0.clone(),
            Slot::CardAuthentication => requests.card_authentication.0.clone(),
        })
    }

    /// A card of the person that waits for its certificates; these must be of its keys.
    pub(super) async fn waiting_card(
        &self,
        transaction: &mut dyn Transaction,
        card: &Guid,
        person: &UserNumber,
        certificates: [(Slot, &Der); 2],
    ) -> Result<Issuance, DeskError> {
        let issuance = transaction.issuance(card).await?.filter(|found| found.person == *person);
        let issuance = issuance.ok_or(DeskError::Unknown)?;
        let (prepared, _) = issuance.waits().ok_or(DeskError::NothingToDo)?;
        let card = prepared.card(issuance.guid, person.clone()).ok_or(DeskError::UnfitKeys)?;
        for (slot, certificate) in certificates {
            let key = subject_public_key_info(&certificate.0).ok_or(DeskError::NotACertificate(slot))?;
            if CardPublicKey::from_der(key).as_ref() != Ok(card.key(slot)) {
                return Err(DeskError::ForeignCertificate(slot));
            }
        }
        Ok(issuance)
    }

    /// Seals the secrets that the card has for the officer's connection, beside its certificates. The officer goes on with it.
    pub(super) async fn send_certificates(
        &self,
        transaction: &mut dyn Transaction,
        officer: &RaOfficer,
        order: &Order,
        issuance: Issuance,
        officers_card: &Card,
        proof: &CardProof,
    ) -> Result<Loading, DeskError> {
        let Action::LoadCertificates { authentication, card_authentication, .. } = &order.action else {
            return Err(DeskError::NothingToDo);
        };
        issuance.waits().ok_or(DeskError::NothingToDo)?;
        // The bridge writes these and no others.
        let both = [authentication.0.as_slice(), card_authentication.0.as_slice()].concat();
        let secrets = self.secrets(&issuance, Challenge(Sha256::digest(both).into()))?;
        let secrets = self.seal_secrets(&secrets, officers_card, proof)?;
        let certificates = CardCertificates {
            authentication: authentication.0.clone(),
            card_authentication: card_authentication.0.clone(),
            challenge: self.last_challenge(issuance.guid),
        };
        transaction.save_issuance(&Issuance { by: officer.by(order), ..issuance }).await?;
        Ok(Loading { secrets, certificates })
    }
}
