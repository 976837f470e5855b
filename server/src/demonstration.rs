//! The demonstration: the manifest of made-up cards, what is taken into the service of it, and what pages show of it.
//!
//! The manifest is written by `virtual-card make`. Its passcodes and answers are for whoever tries the service out, and
//! its unlock keys stand in a file, so a demonstration only runs on the machine that it is shown on.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use app::config::{Demonstration, DemonstrationCard};
use base64ct::{Base64UrlUnpadded, Encoding};
use card_protocol::Guid;
use domain::{
    Services,
    answer::{AnswerSet, AnswerSetFault},
    card::{CardPublicKey, UnsupportedKey},
    email::{EmailAddress, NotAnEmailAddress},
    enrolment::{EnrolError, Enrolled, NewCard, NewHolder, RegisterError},
    person::{NotAUserNumber, UserNumber},
    policy::QUESTIONS_SET,
};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::import::parse_unlock_key;

/// The cards that were made.
#[derive(Deserialize)]
pub struct Manifest {
    cards: Vec<ManifestCard>,
}

#[derive(Deserialize)]
struct ManifestCard {
    card: String,
    user_number: String,
    name: String,
    email: String,
    guid: String,
    piv_authentication_key: String,
    card_authentication_key: String,
    #[serde(deserialize_with = "written_out")]
    unlock_key: Zeroizing<String>,
    #[serde(deserialize_with = "written_out")]
    passcode: Zeroizing<String>,
    locked: bool,
    registered: Option<ManifestRegistration>,
}

#[derive(Deserialize)]
struct ManifestRegistration {
    email: String,
    answers: Vec<ManifestAnswer>,
}

#[derive(Deserialize)]
struct ManifestAnswer {
    question: u8,
    answer: String,
}

/// The manifest cannot be taken in.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Its file cannot be read.
    #[error("{} cannot be read", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is no manifest.
    #[error("{} is no manifest of cards", file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A card of it cannot be taken in.
    #[error("the card {card} cannot be taken in")]
    Card {
        /// Its name.
        card: String,
        /// Why.
        #[source]
        source: CardError,
    },
}

/// A card of a manifest cannot be taken in.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    /// Its user number is none.
    #[error(transparent)]
    UserNumber(#[from] NotAUserNumber),
    /// An address is none.
    #[error(transparent)]
    Email(#[from] NotAnEmailAddress),
    /// Its GUID is none.
    #[error("the GUID is not 32 hexadecimal digits")]
    Guid,
    /// A public key is none that a card may have.
    #[error(transparent)]
    Key(#[from] UnsupportedKey),
    /// Its unlock key is none.
    #[error("the unlock key is not 16 hexadecimal digits")]
    UnlockKey,
    /// Its answers break the rules.
    #[error("the answers break the rules: {0:?}")]
    Answers(Vec<AnswerSetFault>),
    /// The service does not take it.
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    /// The service does not register its holder.
    #[error(transparent)]
    Register(#[from] RegisterError),
}

/// How many cards and registrations of a manifest were new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TakenIn {
    /// Cards.
    pub cards: usize,
    /// Registrations.
    pub registrations: usize,
}

impl Manifest {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// [`ManifestError`].
    pub fn read(file: &Path) -> Result<Self, ManifestError> {
        let text = fs::read_to_string(file)
            .map(Zeroizing::new)
            .map_err(|source| ManifestError::Unreadable { file: file.to_owned(), source })?;
        serde_json::from_str(&text).map_err(|source| ManifestError::Malformed { file: file.to_owned(), source })
    }

    /// Takes its cards into the service, and registers those who shall be registered. The same again changes nothing.
    ///
    /// # Errors
    ///
    /// [`ManifestError`] at the first card that is not taken.
    pub async fn take_in(&self, services: &Services) -> Result<TakenIn, ManifestError> {
        let mut taken_in = TakenIn::default();
        for card in &self.cards {
            let fault = |source| ManifestError::Card { card: card.card.clone(), source };
            let new = card.to_new_card().map_err(fault)?;
            if services.enrolment.enrol(&new).await.map_err(|source| fault(source.into()))? == Enrolled::Added {
                taken_in.cards += 1;
            }
            if let Some(registration) = &card.registered
                && registration.take_in(services, &new.holder.user_number).await.map_err(fault)? == Enrolled::Added
            {
                taken_in.registrations += 1;
            }
        }
        Ok(taken_in)
    }

    /// What the pages show of it. A registration stands on one card of its holder and is shown with all of them.
    pub fn to_demonstration(&self) -> Demonstration {
        let registration_of = |user_number: &str| {
            self.cards.iter().filter(|card| card.user_number == user_number).find_map(|card| card.registered.as_ref())
        };
        let cards = self.cards.iter().map(|card| {
            let registration = registration_of(&card.user_number);
            DemonstrationCard {
                name: card.card.clone(),
                holder: card.name.clone(),
                passcode: card.passcode.to_string(),
                is_registered: registration.is_some(),
                is_locked: card.locked,
                answers: registration.map(ManifestRegistration::to_answers).unwrap_or_default(),
            }
        });
        Demonstration { cards: cards.collect() }
    }
}

impl ManifestCard {
    fn to_new_card(&self) -> Result<NewCard, CardError> {
        Ok(NewCard {
            holder: NewHolder {
                user_number: UserNumber::parse(&self.user_number)?,
                name: self.name.clone(),
                email: Some(EmailAddress::parse(&self.email)?),
                organisation: None,
            },
            guid: self.guid.parse::<Guid>().map_err(|_| CardError::Guid)?,
            authentication_key: public_key(&self.piv_authentication_key)?,
            card_authentication_key: public_key(&self.card_authentication_key)?,
            unlock_key: parse_unlock_key(&self.unlock_key).ok_or(CardError::UnlockKey)?,
        })
    }
}

impl ManifestRegistration {
    async fn take_in(&self, services: &Services, holder: &UserNumber) -> Result<Enrolled, CardError> {
        let email = EmailAddress::parse(&self.email)?;
        let mut chosen = [(None, ""); QUESTIONS_SET];
        for (chosen, answer) in chosen.iter_mut().zip(&self.answers) {
            *chosen = (Some(answer.question), answer.answer.as_str());
        }
        let answers = AnswerSet::parse(&chosen).map_err(CardError::Answers)?;
        Ok(services.enrolment.register_for_demonstration(holder, &email, &answers).await?)
    }

    fn to_answers(&self) -> Vec<(u8, String)> {
        self.answers.iter().map(|answer| (answer.question, answer.answer.clone())).collect()
    }
}

/// A secret that is written out for whoever tries the service.
fn written_out<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(deserializer).map(Zeroizing::new)
}

fn public_key(text: &str) -> Result<CardPublicKey, UnsupportedKey> {
    CardPublicKey::from_der(&Base64UrlUnpadded::decode_vec(text).map_err(|_| UnsupportedKey)?)
}
