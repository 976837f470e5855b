//! A card in software, of somebody whom the service of a test knows.

use std::ops::{Deref, DerefMut};

use card_protocol::{CardProof, Challenge, Purpose, Slot, sealed::Sealed};
use domain::{
    card::CardPublicKey,
    email::EmailAddress,
    enrolment::{NewCard, NewHolder},
    person::UserNumber,
};
use load_generator::card::SoftwareCard;

use crate::test_app::{ORIGIN, TestApp};

/// A card, and the connection key of its bridge.
pub struct Card(SoftwareCard);

impl Deref for Card {
    type Target = SoftwareCard;

    fn deref(&self) -> &SoftwareCard {
        &self.0
    }
}

impl DerefMut for Card {
    fn deref_mut(&mut self) -> &mut SoftwareCard {
        &mut self.0
    }
}

impl Card {
    /// A card whose keys follow from a number.
    pub fn number(number: u8) -> Self {
        Self(SoftwareCard::number(number.into()))
    }

    /// Takes the card into the service.
    pub async fn enrol(&self, app: &TestApp, user_number: &str, name: &str, email: &str) {
        let new = NewCard {
            holder: NewHolder {
                user_number: UserNumber::parse(user_number).unwrap(),
                name: name.to_owned(),
                email: Some(EmailAddress::parse(email).unwrap()),
                organisation: None,
            },
            guid: self.guid,
            authentication_key: self.public_key(Slot::Authentication),
            card_authentication_key: self.public_key(Slot::CardAuthentication),
            unlock_key: self.unlock_key.clone(),
        };
        app.services().enrolment.enrol(&new).await.unwrap();
    }

    pub fn public_key(&self, slot: Slot) -> CardPublicKey {
        CardPublicKey::from_der(&self.0.public_key(slot)).unwrap()
    }

    /// A proof for the service's own origin.
    pub fn prove(&self, purpose: Purpose, challenge: Challenge) -> CardProof {
        self.prove_to(ORIGIN, purpose, challenge)
    }

    /// A proof that the bridge signed for a page of this origin.
    pub fn prove_to(&self, origin: &str, purpose: Purpose, challenge: Challenge) -> CardProof {
        self.0.prove(origin, purpose, challenge)
    }

    /// What the bridge does with sealed unlock keys. Gives the challenge of the completion proof.
    pub fn reset_passcode(&mut self, app: &TestApp, release: &CardProof, sealed: &Sealed) -> Challenge {
        let unlocked = self.0.reset_passcode(ORIGIN, &app.service_key(), release, sealed);
        unlocked.expect("the card's unlock key is among those released")
    }
}
