//! Issuing a card at the desk.
//!
//! The officer's order makes the card's secrets durable and sends them to the bridge, sealed to the connection that the
//! officer's card has vouched for. The card reports under its new key that it has them, gets its certificates, and is
//! somebody's once it has proved the other key too.

use card_protocol::{
    CardProof, Challenge, Der, Guid, Purpose, Slot,
    issuing::{FirstTried, IssuingSecrets},
    message::PreparedCard,
    sealed::Sealed,
};

use super::{
    Desk, DeskError, Order, RaOfficer,
    change::{Change, cancel},
    order::Action,
    permission::Deed,
};
use crate::{
    authority::{AuthorityError, CertificateSubject},
    card::{Card, CardState},
    certificate_request,
    challenge::Binding,
    enrolment::{check, with_unlock_key},
    environment::{ProofFault, retry_on_conflict},
    issuance::{Begun, CertificateSource, Issuance, IssuanceStep, Prepared, day},
    mail::Message,
    person::Person,
    ports::{NewlyEnrolled, StoreError, Transaction, UsedChallenge},
    trail::Event,
};

/// The secrets of a card are on their way to the bridge.
pub struct IssuingSecretsSent {
    /// The GUID that the card is given.
    pub guid: Guid,
    /// The [`IssuingSecrets`], sealed.
    pub secrets: Sealed,
}

/// The certificates of a card that was prepared.
pub struct CardCertificates {
    /// Of the key of slot 9A, DER.
    pub authentication: Vec<u8>,
    /// Of the key of slot 9E, DER.
    pub card_authentication: Vec<u8>,
    /// What the card signs once they are written (purpose `hello`).
    pub challenge: Challenge,
}

/// How a card that was prepared gets its certificates.
pub enum Certification {
    /// Here they are.
    Done(CardCertificates),
    /// Another authority makes them: the card waits for them on its person's record.
    Requested,
}

impl Desk {
    /// The issuance that a card on its way names, if it names one.
    pub(super) async fn begun_issuance(
        &self,
        transaction: &mut dyn Transaction,
        officer: &RaOfficer,
        card: Option<&Guid>,
    ) -> Result<Option<Issuance>, DeskError> {
        let Some(card) = card else { return Ok(None) };
        if transaction.card(card).await?.is_some() {
            return Err(DeskError::CardTaken);
        }
        let begun = transaction.issuance(card).await?;
        // The card may have its secrets already, so it was theirs in a way.
        if let Some(begun) = &begun {
            let person = transaction.person(&begun.person).await?.ok_or(DeskError::Unknown)?;
            officer.may(Deed::IssueCard, &person)?;
        }
        Ok(begun)
    }

    /// Seals the secrets of a card for the officer's connection: those that it may have already, or fresh ones.
    pub(super) async fn send_secrets(
        &self,
        transaction: &mut dyn Transaction,
        officer: &RaOfficer,
        order: &Order,
        begun: Option<Box<Issuance>>,
        officers_card: &Card,
        proof: &CardProof,
    ) -> Result<IssuingSecretsSent, DeskError> {
        let environment = self.environment();
        let now = environment.now();
        let (person, by) = (order.person.clone(), officer.by(order));
        let Action::IssueCard { replaces, .. } = order.action else { return Err(DeskError::NothingToDo) };
        let is_new = begun.is_none();
        let mut issuance = begun.map_or_else(
            || Issuance::fresh(person.clone(), by.clone(), now, &*environment.randomness, &*environment.vault),
            |begun| *begun,
        );
        let guid = issuance.guid;
        let binding = Binding::Issuance(guid);
        let completion = environment.challenge_key.issue(Purpose::Prepared, binding, now, &*environment.randomness);
        // After an attempt without an outcome the other unlock key goes first: tries are spread evenly.
        let first = if issuance.attempts.is_multiple_of(2) { FirstTried::Transport } else { FirstTried::Own };
        let step = IssuanceStep::Begun(Begun { completion, connection_key: proof.connection_key });
        // A card that was begun for somebody else becomes this person's: nothing but its secrets is on it.
        issuance = Issuance { person, by, replaces, attempts: issuance.attempts + 1, step, ..issuance };
        if is_new {
            transaction.insert_issuance(&issuance).await?;
        } else {
            transaction.save_issuance(&issuance).await?;
        }
        let holder = match environment.issuing.certificates {
            CertificateSource::Own => None,
            CertificateSource::Requested => transaction.person(&order.person).await?.map(|person| person.common_name()),
        };
        let secrets = self.secrets(&issuance, completion)?;
        let secrets = self.seal_secrets(&IssuingSecrets { first, holder, ..secrets }, officers_card, proof)?;
        Ok(IssuingSecretsSent { guid, secrets })
    }

    /// What the card of an issuance has, or shall have.
    pub(super) fn secrets(&self, issuance: &Issuance, completion: Challenge) -> Result<IssuingSecrets, DeskError> {
        let environment = self.environment();
        let terms = &environment.issuing;
        Ok(IssuingSecrets {
            guid: issuance.guid,
            expires: day(environment.now() + terms.card_life),
            algorithm: terms.algorithm,
            first: FirstTried::Own,
            transport_unlock_key: terms.transport_unlock_key.clone(),
            unlock_key: issuance.open_unlock_key(&*environment.vault)?,
            transport_management_key: terms.transport_management_key.clone(),
            management_key: issuance.open_management_key(&*environment.vault)?,
            completion,
            holder: None,
        })
    }

    /// Seals secrets for the connection that the officer's card has vouched for in an order.
    pub(super) fn seal_secrets(
        &self,
        secrets: &IssuingSecrets,
        officers_card: &Card,
        proof: &CardProof,
    ) -> Result<Sealed, DeskError> {
        let environment = self.environment();
        let digest = officers_card.proof_digest(proof, &environment.origin);
        Ok(environment.service_secret.seal_issuing(&proof.connection_key, &digest, secrets)?)
    }

    /// Takes the word of a card that it has its secrets, passcode and keys, pins the keys, and gives their certificates, or
    /// keeps what the card asks for another authority's. The same again is answered alike.
    ///
    /// # Errors
    ///
    /// [`DeskError`].
    pub async fn prepared(&self, officer: &RaOfficer, prepared: &PreparedCard) -> Result<Certification, DeskError> {
        retry_on_conflict!(self.try_prepared(officer, prepared))
    }

    async fn try_prepared(
        &self,
        officer: &RaOfficer,
        PreparedCard { authentication_key, card_authentication_key, proof, requests }: &PreparedCard,
    ) -> Result<Certification, DeskError> {
        let environment = self.environment();
        let source = environment.issuing.certificates;
        let mut transaction = environment.store.begin().await?;
        let (issuance, person) = self.own_issuance(&mut *transaction, officer, &proof.guid).await?;
        let prepared = Prepared {
            completion: proof.challenge,
            authentication_key: authentication_key.0.clone(),
            card_authentication_key: card_authentication_key.0.clone(),
            requests: requests.clone().filter(|_| source == CertificateSource::Requested),
        };
        let card = prepared.card(issuance.guid, person.user_number.clone()).ok_or(DeskError::UnfitKeys)?;
        if proof.purpose != Purpose::Prepared || !card.signed(proof, &environment.origin) {
            return Err(ProofFault::Refused.into());
        }
        match &issuance.step {
            IssuanceStep::Begun(begun) => {
                if begun.completion != proof.challenge || begun.connection_key != proof.connection_key {
                    return Err(ProofFault::Refused.into());
                }
                check(card.guid, &card.authentication_key, &card.card_authentication_key)
                    .map_err(|_| DeskError::UnfitKeys)?;
                if source == CertificateSource::Requested && !has_asked(&card, &prepared) {
                    return Err(DeskError::NoRequests);
                }
                for key in [&card.authentication_key, &card.card_authentication_key] {
                    if transaction.card_with_key(key).await?.is_some() {
                        return Err(DeskError::UnfitKeys);
                    }
                }
                let step = IssuanceStep::Prepared(prepared);
                transaction.save_issuance(&Issuance { step, ..issuance.clone() }).await?;
            }
            IssuanceStep::Prepared(before) if *before == prepared => {}
            IssuanceStep::Fresh | IssuanceStep::Prepared(_) | IssuanceStep::Issued => {
                return Err(ProofFault::Stale.into());
            }
        }
        if source == CertificateSource::Requested {
            transaction.commit().await?;
            return Ok(Certification::Requested);
        }
        let authority = environment.authority(&mut *transaction).await?;
        let (now, name) = (environment.now(), person.common_name());
        let certify = |slot, key| {
            let (from, until) = (now, now + environment.issuing.card_life);
            let subject = CertificateSubject { name: &name, guid: card.guid, slot, key, from, until };
            environment.certifier.certify(&authority, &subject)
        };
        let certificates = CardCertificates {
            authentication: certify(Slot::Authentication, &card.authentication_key)?,
            card_authentication: certify(Slot::CardAuthentication, &card.card_authentication_key)?,
            challenge: self.last_challenge(card.guid),
        };
        transaction.commit().await?;
        Ok(Certification::Done(certificates))
    }

    /// What a card signs once its certificates are written.
    pub(super) fn last_challenge(&self, guid: Guid) -> Challenge {
        let environment = self.environment();
        let binding = Binding::Issuance(guid);
        environment.challenge_key.issue(Purpose::Hello, binding, environment.now(), &*environment.randomness)
    }

    /// Takes the last proof of a card: it has its certificates, and is the person's from now on. The card that it replaces is
    /// cancelled. The same again is answered alike.
    ///
    /// # Errors
    ///
    /// [`DeskError`].
    pub async fn issued(&self, officer: &RaOfficer, proof: &CardProof) -> Result<(), DeskError> {
        retry_on_conflict!(self.try_issued(officer, proof))
    }

    async fn try_issued(&self, officer: &RaOfficer, proof: &CardProof) -> Result<(), DeskError> {
        let environment = self.environment();
        environment.check_challenge(proof, Purpose::Hello, Binding::Issuance(proof.guid))?;
        let mut transaction = environment.store.begin().await?;
        let (issuance, person) = self.own_issuance(&mut *transaction, officer, &proof.guid).await?;
        let prepared = match &issuance.step {
            IssuanceStep::Prepared(prepared) => prepared,
            IssuanceStep::Issued => return Ok(()),
            IssuanceStep::Fresh | IssuanceStep::Begun(_) => return Err(ProofFault::Stale.into()),
        };
        let card = prepared.card(issuance.guid, person.user_number.clone()).ok_or(DeskError::UnfitKeys)?;
        if !card.signed(proof, &environment.origin) {
            return Err(ProofFault::Refused.into());
        }
        let used =
            UsedChallenge { challenge: proof.challenge, flow: None, outcome: String::new(), at: environment.now() };
        transaction.insert_used_challenge(&used).await?;
        let unlock_key = issuance.open_unlock_key(&*environment.vault)?;
        let NewlyEnrolled { card, unlock_key, key_ring } = with_unlock_key(card, &unlock_key, environment);
        transaction.insert_card(&card).await?;
        transaction.insert_unlock_key(&unlock_key).await?;
        transaction.insert_key_ring(&key_ring).await?;
        transaction.save_issuance(&Issuance { step: IssuanceStep::Issued, ..issuance.clone() }).await?;
        let entry = self.entry(&person, Event::CardIssued, Some(card.guid), issuance.by.clone());
        environment.append(&mut *transaction, entry, Some(&person)).await?;
        if let Some(replaced) = &issuance.replaces {
            let replaced = transaction.card(replaced).await?.filter(|card| card.state != CardState::Cancelled);
            if let Some(replaced) = replaced.filter(|card| card.holder == person.user_number) {
                let Change { event, card, .. } = cancel(&mut *transaction, replaced).await?;
                let entry = self.entry(&person, event, card, issuance.by.clone());
                environment.append(&mut *transaction, entry, Some(&person)).await?;
            }
        }
        self.tell_of_card(&mut *transaction, &person, &issuance).await?;
        Ok(transaction.commit().await?)
    }

    /// The certificate of the authority behind the cards that are issued here, DER: for whoever is to trust them.
    ///
    /// # Errors
    ///
    /// [`AuthorityError`].
    pub async fn authority_certificate(&self) -> Result<Vec<u8>, AuthorityError> {
        self.environment().authority_certificate().await
    }

    async fn tell_of_card(
        &self,
        transaction: &mut dyn Transaction,
        person: &Person,
        issuance: &Issuance,
    ) -> Result<(), StoreError> {
        let environment = self.environment();
        let (Some(reason), Some(check)) = (issuance.by.reason, issuance.by.check) else { return Ok(()) };
        let registration = transaction.registration(&person.user_number).await?;
        let message = Message::RaHelped { deed: Deed::IssueCard, reason, check };
        environment.tell_everywhere(transaction, person, registration.as_ref(), &message).await
    }

    /// An issuance of this officer, and whose card it will be.
    async fn own_issuance(
        &self,
        transaction: &mut dyn Transaction,
        officer: &RaOfficer,
        guid: &Guid,
    ) -> Result<(Issuance, Person), DeskError> {
        let issuance = transaction.issuance(guid).await?.filter(|found| found.by.officer == officer.trail_name);
        let issuance = issuance.ok_or(DeskError::Unknown)?;
        let person = transaction.person(&issuance.person).await?.ok_or(DeskError::Unknown)?;
        officer.may(Deed::IssueCard, &person)?;
        Ok((issuance, person))
    }
}

/// Whether both keys of a card have asked for their certificates.
fn has_asked(card: &Card, prepared: &Prepared) -> bool {
    prepared.requests.as_ref().is_some_and(|requests| {
        let by = |slot, request: &Der| certificate_request::is_by(card.key(slot), &request.0);
        by(Slot::Authentication, &requests.authentication)
            && by(Slot::CardAuthentication, &requests.card_authentication)
    })
}
