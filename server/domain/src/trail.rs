//! The audit trail: who, which card, what, and how it ended. Numbered, append-only, chained by HMAC under a key that is
//! not in the database. No secret is in it, and nobody's name: see [`TrailName`].

mod name;

use std::{fmt, str::FromStr};

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    Timestamp,
    code::ALPHABET,
    ports::{Randomness, StoreError, Transaction},
    ra::{IdentityCheck, ImportOrder, Reason},
};

pub use name::{TrailName, TrailSalt};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// A card was taken into the service.
    CardEnrolled,
    /// A card and its passcode opened a session.
    SignedIn,
    /// A session was ended by its person.
    SignedOut,
    /// A registration was begun.
    RegistrationBegun,
    /// A registration code was mailed.
    RegistrationCodeSent,
    /// A registration code was entered.
    RegistrationCodeEntered,
    /// A registration was completed.
    Registered,
    /// A proof did not hold, of whoever has a session or an unlock of the card.
    CardProofRefused,
    /// A card asked to be unlocked.
    UnlockBegun,
    /// Security questions were answered.
    QuestionsAnswered,
    /// A recovery code was entered.
    RecoveryCodeEntered,
    /// An unlock code was mailed.
    UnlockCodeSent,
    /// An unlock code was entered.
    UnlockCodeEntered,
    /// Self-service was locked after too many failed attempts.
    SelfServiceLocked,
    /// Self-service was frozen by the link of a mail.
    SelfServiceFrozen,
    /// A mail could not be delivered.
    MailUndelivered,
    /// The unlock keys of a card were released to its bridge.
    UnlockKeyReleased,
    /// A card reported that it was unlocked.
    CardUnlocked,
    /// A card refused every unlock key.
    UnlockKeyRefused,
    /// A flow was stopped by its person.
    FlowEnded,
    /// An officer opened a person's record.
    RecordOpened,
    /// An officer cleared what had locked self-service.
    LockOutCleared,
    /// A registration was ended.
    RegistrationEnded,
    /// An officer set the address.
    EmailSet,
    /// Another officer confirmed it.
    EmailConfirmed,
    /// An officer began to issue a card.
    IssuingBegun,
    /// A card was issued.
    CardIssued,
    /// An officer let a person unlock a card in front of them.
    UnlockAllowed,
    /// A person began to change something of their registration.
    ChangeBegun,
    /// A person set other questions.
    QuestionsChanged,
    /// A person made recovery codes, in place of what they answered with before.
    RecoveryCodesMade,
    /// A person changed the address.
    EmailChanged,
    /// A person changed the passcode of a card.
    PasscodeChanged,
    /// A card was cancelled.
    CardCancelled,
    /// A person got another role.
    RoleGranted,
    /// An officer searched the trail.
    TrailRead,
    /// An officer took a copy of the trail.
    TrailExported,
    /// An officer began to take people and cards in out of files.
    ImportBegun,
    /// That came to its end.
    ImportEnded,
    /// A person was erased: whose name this was cannot be found out any more.
    PersonErased,
}

impl Event {
    /// All. The last variant stays the last.
    pub const ALL: [Self; 40] = [
        Self::CardEnrolled,
        Self::SignedIn,
        Self::SignedOut,
        Self::RegistrationBegun,
        Self::RegistrationCodeSent,
        Self::RegistrationCodeEntered,
        Self::Registered,
        Self::CardProofRefused,
        Self::UnlockBegun,
        Self::QuestionsAnswered,
        Self::RecoveryCodeEntered,
        Self::UnlockCodeSent,
        Self::UnlockCodeEntered,
        Self::SelfServiceLocked,
        Self::SelfServiceFrozen,
        Self::MailUndelivered,
        Self::UnlockKeyReleased,
        Self::CardUnlocked,
        Self::UnlockKeyRefused,
        Self::FlowEnded,
        Self::RecordOpened,
        Self::LockOutCleared,
        Self::RegistrationEnded,
        Self::EmailSet,
        Self::EmailConfirmed,
        Self::IssuingBegun,
        Self::CardIssued,
        Self::UnlockAllowed,
        Self::ChangeBegun,
        Self::QuestionsChanged,
        Self::RecoveryCodesMade,
        Self::EmailChanged,
        Self::PasscodeChanged,
        Self::CardCancelled,
        Self::RoleGranted,
        Self::TrailRead,
        Self::TrailExported,
        Self::ImportBegun,
        Self::ImportEnded,
        Self::PersonErased,
    ];

    /// As it is written in an entry.
    ///
    /// # Panics
    ///
    /// Never: an event is a word.
    pub fn name(self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(name)) => name,
            other => panic!("an event is a word, not {other:?}"),
        }
    }

    /// Reads [`Self::name`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == text)
    }
}

/// Somebody added an event and forgot the list.
const _: () = assert!(Event::ALL.len() == Event::PersonErased as usize + 1);

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// As it was meant to.
    Done,
    /// It was refused: wrong answers, a wrong code, a card that may not.
    Refused,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrailEntry {
    /// When.
    #[serde(with = "crate::milliseconds")]
    pub at: Timestamp,
    /// What.
    pub event: Event,
    /// How it ended.
    pub outcome: Outcome,
    /// Whose.
    pub person: Option<TrailName>,
    /// Which card.
    pub card: Option<TrailName>,
    /// What the person was shown, to be quoted to the RA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// Which officer did it, why, and how they recognised the person; nothing where no officer did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<ByOfficer>,
}

/// An officer's part in what happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByOfficer {
    /// Who.
    pub officer: TrailName,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// How they recognised the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<IdentityCheck>,
    /// Which files they signed for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<ImportOrder>,
}

impl ByOfficer {
    /// Somebody who did it without a reason of its own.
    pub fn only(officer: TrailName) -> Self {
        Self { officer, reason: None, check: None, files: None }
    }
}

/// What a person quotes to the RA so that their entry is found: `7KQ-M4T`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference(String);

impl Reference {
    /// Makes a new one: six letters, so that two of the same day are unlikely to be alike.
    pub fn generate(randomness: &dyn Randomness) -> Self {
        let mut bytes = [0; 6];
        randomness.fill(&mut bytes);
        let letters: String = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 20)])).collect();
        Self(format!("{}-{}", &letters[..3], &letters[3..]))
    }

    /// Reads one as it is quoted: case, spaces and the hyphen do not matter.
    pub fn parse(text: &str) -> Option<Self> {
        let letters: String =
            text.chars().filter(|char| !matches!(char, ' ' | '-')).map(|char| char.to_ascii_uppercase()).collect();
        let fits = letters.len() == 6 && letters.bytes().all(|byte| ALPHABET.contains(&byte));
        fits.then(|| Self(format!("{}-{}", &letters[..3], &letters[3..])))
    }

    /// The reference as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An entry in its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailRecord {
    /// Its number, from 1.
    pub number: u64,
    /// The entry as JSON: what the chain covers, to the letter.
    pub entry: String,
    /// Whose, to search by; says the same as the entry.
    pub person: Option<TrailName>,
    /// HMAC-SHA-256 over number (8), the HMAC of the record before (32, zero for the first) and the entry.
    pub mac: [u8; 32],
}

impl TrailRecord {
    /// The entry; nothing where it cannot be read, which the chain shows.
    pub fn read(&self) -> Option<TrailEntry> {
        serde_json::from_str(&self.entry).ok()
    }

    /// The chain up to here.
    pub fn end(&self) -> ChainEnd {
        ChainEnd { number: self.number, mac: self.mac }
    }
}

/// A record that does not fit the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("record {number} does not fit the chain")]
pub struct BrokenChain {
    /// The first number that is missing, changed or out of place.
    pub number: u64,
}

/// The key of the chain: 32 bytes.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct TrailKey([u8; 32]);

/// The end of the chain as far as it was followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainEnd {
    /// The number of the last record, 0 for none.
    pub number: u64,
    /// Its HMAC, zero for none.
    pub mac: [u8; 32],
}

impl ChainEnd {
    /// Before the first record.
    pub const START: Self = Self { number: 0, mac: [0; 32] };
}

/// The number, a colon and the HMAC in hexadecimal.
impl fmt::Display for ChainEnd {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:", self.number)?;
        self.mac.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// A text names no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the number of a record, a colon and 64 hexadecimal digits")]
pub struct NotARecord;

impl FromStr for ChainEnd {
    type Err = NotARecord;

    fn from_str(text: &str) -> Result<Self, NotARecord> {
        let (number, digits) = text.split_once(':').ok_or(NotARecord)?;
        let mut mac = [0; 32];
        base16ct::mixed::decode(digits, &mut mac).ok().filter(|read| read.len() == 32).ok_or(NotARecord)?;
        Ok(Self { number: number.parse().map_err(|_| NotARecord)?, mac })
    }
}

impl TrailKey {
    /// Takes the key's bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Adds an entry to the trail, in the caller's transaction.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when another record came first: the whole transaction is then to be tried again.
    pub async fn append(&self, transaction: &mut dyn Transaction, entry: TrailEntry) -> Result<(), StoreError> {
        for record in self.chain(transaction, vec![entry]).await? {
            transaction.insert_trail_record(&record).await?;
        }
        Ok(())
    }

    /// Makes entries the next records of the trail, in their order; the caller inserts them in the same transaction.
    pub(crate) async fn chain(
        &self,
        transaction: &mut dyn Transaction,
        entries: Vec<TrailEntry>,
    ) -> Result<Vec<TrailRecord>, StoreError> {
        let mut end = transaction.trail_head().await?.map_or(ChainEnd::START, |record| record.end());
        let records = entries.into_iter().map(|entry| {
            let number = end.number + 1;
            let text = serde_json::to_string(&entry).map_err(|fault| StoreError::Unavailable(Box::new(fault)))?;
            let record =
                TrailRecord { number, mac: self.mac(number, &end.mac, &text), entry: text, person: entry.person };
            end = record.end();
            Ok(record)
        });
        records.collect()
    }

    /// Follows the chain over records in order.
    ///
    /// # Errors
    ///
    /// [`BrokenChain`] at the first record that does not fit.
    pub fn follow(&self, mut end: ChainEnd, records: &[TrailRecord]) -> Result<ChainEnd, BrokenChain> {
        for record in records {
            let number = end.number + 1;
            let said = record.read().map(|entry| entry.person);
            let fits = record.number == number
                && said.as_ref() == Some(&record.person)
                && subtle::ConstantTimeEq::ct_eq(&self.mac(number, &end.mac, &record.entry)[..], &record.mac[..])
                    .into();
            if !fits {
                return Err(BrokenChain { number });
            }
            end = record.end();
        }
        Ok(end)
    }

    fn mac(&self, number: u64, before: &[u8; 32], entry: &str) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(&number.to_be_bytes());
        mac.update(before);
        mac.update(entry.as_bytes());
        mac.finalize().into_bytes().into()
    }
}
