//! Taking many people and cards in at once, which others issued: what is added, what is there already, what is refused.
//!
//! A row that is refused stops no other. The rows of a batch are judged against what is stored and against the rows
//! before them, so that it makes no difference where one batch ends and the next begins.

mod row;
mod run;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use card_protocol::{Guid, UnlockKey};
use serde::{Deserialize, Serialize};

use crate::{
    Environment,
    card::{Card, CardPublicKey, CardState},
    enrolment::{Enrolled, NewHolder, UnfitCard, check, with_unlock_key},
    environment::retry_on_conflict,
    mail::Message,
    organisation::Organisation,
    person::{Person, UserNumber, fold_name},
    ports::{NewlyEnrolled, StoreError, Transaction},
    trail::{Event, Outcome, TrailEntry, TrailName, TrailSalt},
};

pub use row::{Counts, RowFault};
pub use run::{Extent, FAULTS_KEPT, FaultyRow, ImportFile, ImportRun, Progress, RunEnd, RunState};

/// The use cases of an import.
#[derive(Clone)]
pub struct Import {
    environment: Arc<Environment>,
    /// The officer who began it, where it was begun at the desk.
    officer: Option<TrailName>,
}

/// A card that was issued to somebody who is there already.
pub struct ImportedCard {
    /// The GUID from the card's CHUID.
    pub guid: Guid,
    /// To whom it was issued.
    pub holder: UserNumber,
    /// The key of slot 9A.
    pub authentication_key: CardPublicKey,
    /// The key of slot 9E.
    pub card_authentication_key: CardPublicKey,
    /// The unlock key that the card has.
    pub unlock_key: UnlockKey,
}

/// A card of which nothing is wrong by itself, with its unlock key sealed.
pub struct FitCard {
    identity: Identity,
    new: NewlyEnrolled,
}

/// What of a card is to be the same when it comes again: its holder, and its keys, slot by slot.
#[derive(Clone, PartialEq, Eq)]
struct Identity {
    holder: UserNumber,
    keys: [[u8; 32]; 2],
}

impl Identity {
    fn of(card: &Card) -> Self {
        Self {
            holder: card.holder.clone(),
            keys: [card.authentication_key.fingerprint(), card.card_authentication_key.fingerprint()],
        }
    }
}

/// Why a row was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The user number is that of somebody with another name: one of the two is mistaken.
    #[error("somebody with another name has this user number")]
    OtherName,
    /// Nobody has the user number of the holder.
    #[error("nobody has this user number")]
    UnknownPerson,
    /// The GUID is all zero.
    #[error("the GUID is zero")]
    ZeroGuid,
    /// Another card or holder has this GUID.
    #[error("the GUID belongs to another card, or this card has another holder or other keys")]
    GuidTaken,
    /// Another card, or the other slot, has one of these keys.
    #[error("a public key was seen before, on another card or in the other slot")]
    KeyTaken,
    /// One of the keys is known to be weak: the card has to get others.
    #[error("a key of the card is weak (CVE-2017-15361)")]
    WeakKey,
    /// It would change the record of the officer who began the import.
    #[error("it is about the officer who began the import: another manager has to take it in")]
    OwnRecord,
}

impl From<UnfitCard> for Refusal {
    fn from(fault: UnfitCard) -> Self {
        match fault {
            UnfitCard::ZeroGuid => Self::ZeroGuid,
            UnfitCard::OneKey => Self::KeyTaken,
            UnfitCard::WeakKey => Self::WeakKey,
        }
    }
}

/// What became of a row.
pub type Verdict = Result<Enrolled, Refusal>;

/// An import of which everything is kept, or nothing: one transaction, which everybody else waits for.
pub struct WholeImport {
    environment: Arc<Environment>,
    officer: Option<TrailName>,
    transaction: Box<dyn Transaction>,
}

impl Import {
    pub(crate) fn new(environment: Arc<Environment>) -> Self {
        Self { environment, officer: None }
    }

    /// The same, begun by an officer at the desk: nothing of their own record is changed.
    #[must_use]
    pub fn begun_by(self, officer: TrailName) -> Self {
        Self { officer: Some(officer), ..self }
    }

    /// Checks what of a card can be refused without a look at others, and seals its unlock key.
    ///
    /// # Errors
    ///
    /// [`Refusal`].
    pub fn check(&self, card: ImportedCard) -> Result<FitCard, Refusal> {
        let ImportedCard { guid, holder, authentication_key, card_authentication_key, unlock_key } = card;
        check(guid, &authentication_key, &card_authentication_key)?;
        let card =
            Card { guid, holder, authentication_key, card_authentication_key, state: CardState::Active, version: 0 };
        let identity = Identity::of(&card);
        Ok(FitCard { identity, new: with_unlock_key(card, &unlock_key, &self.environment) })
    }

    /// Takes a batch of people in, in a transaction of its own. The same again changes nothing; who is there keeps
    /// name, address and role, and works where the file says, if it says so. Gives a verdict for each, in their order.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: nothing of the batch is kept.
    pub async fn people(&self, people: &[NewHolder]) -> Result<Vec<Verdict>, StoreError> {
        retry_on_conflict!(self.try_people(people))
    }

    async fn try_people(&self, people: &[NewHolder]) -> Result<Vec<Verdict>, StoreError> {
        let mut import = self.whole().await?;
        let verdicts = import.people(people).await?;
        import.commit().await?;
        Ok(verdicts)
    }

    /// Takes a batch of cards in, in a transaction of its own. The same again changes nothing: not the state of a card,
    /// and not its unlock key, which is another after the first unlock. Gives a verdict for each, in their order.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: nothing of the batch is kept.
    pub async fn cards(&self, cards: &[FitCard]) -> Result<Vec<Verdict>, StoreError> {
        retry_on_conflict!(self.try_cards(cards))
    }

    async fn try_cards(&self, cards: &[FitCard]) -> Result<Vec<Verdict>, StoreError> {
        let mut import = self.whole().await?;
        let verdicts = import.cards(cards).await?;
        import.commit().await?;
        Ok(verdicts)
    }

    /// Begins an import of which nothing is kept before [`WholeImport::commit`].
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn whole(&self) -> Result<WholeImport, StoreError> {
        let transaction = self.environment.store.begin().await?;
        Ok(WholeImport { environment: Arc::clone(&self.environment), officer: self.officer.clone(), transaction })
    }
}

impl WholeImport {
    /// As [`Import::people`].
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the import can only be dropped.
    pub async fn people(&mut self, people: &[NewHolder]) -> Result<Vec<Verdict>, StoreError> {
        take_people(self, people).await
    }

    /// As [`Import::cards`].
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the import can only be dropped.
    pub async fn cards(&mut self, cards: &[FitCard]) -> Result<Vec<Verdict>, StoreError> {
        take_cards(self, cards).await
    }

    /// Keeps everything.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: nothing is kept.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.transaction.commit().await
    }
}

async fn take_people(import: &mut WholeImport, people: &[NewHolder]) -> Result<Vec<Verdict>, StoreError> {
    let WholeImport { environment, officer, transaction } = import;
    let numbers: Vec<UserNumber> = people.iter().map(|person| person.user_number.clone()).collect();
    let there = transaction.people_among(&numbers).await?;
    let own = there
        .iter()
        .find(|person| is_officer(&person.user_number, &person.trail_salt, officer.as_ref()))
        .map(|person| &person.user_number);
    let mut known: HashMap<&UserNumber, (&str, Option<&Organisation>)> = there
        .iter()
        .map(|person| (&person.user_number, (person.name.as_str(), person.organisation.as_ref())))
        .collect();
    let (mut added, mut moved) = (Vec::<Person>::new(), HashMap::<UserNumber, Organisation>::new());
    let mut verdicts = Vec::with_capacity(people.len());
    for person in people {
        let organisation = person.organisation.as_ref();
        verdicts.push(match known.get_mut(&person.user_number) {
            Some((name, _)) if fold_name(name) != fold_name(&person.name) => Err(Refusal::OtherName),
            Some((_, known)) if organisation.is_some() && *known != organisation => {
                if own == Some(&person.user_number) {
                    verdicts.push(Err(Refusal::OwnRecord));
                    continue;
                }
                *known = organisation;
                moved.extend(organisation.map(|new| (person.user_number.clone(), new.clone())));
                Ok(Enrolled::Moved)
            }
            Some(_) => Ok(Enrolled::Unchanged),
            None => {
                known.insert(&person.user_number, (&person.name, organisation));
                added.push(person.to_person(&*environment.randomness));
                Ok(Enrolled::Added)
            }
        });
    }
    transaction.insert_people(&added).await?;
    transaction.move_people(&moved.into_iter().collect::<Vec<_>>()).await?;
    Ok(verdicts)
}

async fn take_cards(import: &mut WholeImport, cards: &[FitCard]) -> Result<Vec<Verdict>, StoreError> {
    let WholeImport { environment, officer, transaction } = import;
    let transaction = &mut **transaction;
    let mut known = Known::read(transaction, cards).await?;
    let verdicts: Vec<Verdict> = cards.iter().map(|card| known.judge(card, officer.as_ref())).collect();
    let added = cards.iter().zip(&verdicts).filter(|(_, verdict)| **verdict == Ok(Enrolled::Added));
    let (mut batch, mut entries) = (Vec::<&NewlyEnrolled>::new(), Vec::new());
    for (FitCard { identity, new }, _) in added {
        let Some(salt) = known.people.get(&identity.holder) else { continue };
        entries.push(TrailEntry {
            at: environment.now(),
            event: Event::CardEnrolled,
            outcome: Outcome::Done,
            person: Some(salt.name_person(&identity.holder)),
            card: Some(salt.name_card(&new.card.guid)),
            reference: None,
            by: None,
        });
        batch.push(new);
    }
    if !batch.is_empty() {
        let records = environment.trail_key.chain(transaction, entries).await?;
        transaction.enrol_batch(&batch, &records).await?;
        tell_holders(environment, transaction, &batch).await?;
    }
    Ok(verdicts)
}

/// Tells those who are registered of a card in their name: it may be one that they know nothing of. To others, who may be
/// everybody in a first import, their first card is no news.
async fn tell_holders(
    environment: &Environment,
    transaction: &mut dyn Transaction,
    batch: &[&NewlyEnrolled],
) -> Result<(), StoreError> {
    let numbers: HashSet<&UserNumber> = batch.iter().map(|new| &new.card.holder).collect();
    let numbers: Vec<UserNumber> = numbers.into_iter().cloned().collect();
    let registrations = transaction.registrations_among(&numbers).await?;
    let registered: Vec<UserNumber> = registrations.iter().map(|registration| registration.person.clone()).collect();
    let people = transaction.people_among(&registered).await?;
    let people: HashMap<&UserNumber, &Person> = people.iter().map(|person| (&person.user_number, person)).collect();
    for registration in &registrations {
        let Some(holder) = people.get(&registration.person) else { continue };
        environment.tell_everywhere(transaction, holder, Some(registration), &Message::CardEnrolled).await?;
    }
    Ok(())
}

fn is_officer(number: &UserNumber, salt: &TrailSalt, officer: Option<&TrailName>) -> bool {
    officer.is_some_and(|officer| salt.name_person(number) == *officer)
}

/// What is there of that which a batch of cards names, and after each row that it adds this too.
struct Known {
    /// What their names on the trail are made with.
    people: HashMap<UserNumber, TrailSalt>,
    cards: HashMap<Guid, Identity>,
    keys: HashSet<[u8; 32]>,
}

impl Known {
    async fn read(transaction: &mut dyn Transaction, cards: &[FitCard]) -> Result<Self, StoreError> {
        let numbers: HashSet<&UserNumber> = cards.iter().map(|card| &card.identity.holder).collect();
        let numbers: Vec<UserNumber> = numbers.into_iter().cloned().collect();
        let people = transaction.trail_salts_among(&numbers).await?;
        let guids: Vec<Guid> = cards.iter().map(|card| card.new.card.guid).collect();
        let there = transaction.cards_among(&guids).await?;
        let fingerprints: Vec<[u8; 32]> = cards.iter().flat_map(|card| card.identity.keys).collect();
        let keys = transaction.keys_among(&fingerprints).await?;
        Ok(Self {
            people: people.into_iter().collect(),
            cards: there.into_iter().map(|card| (card.guid, Identity::of(&card))).collect(),
            keys: keys.into_iter().collect(),
        })
    }

    /// What becomes of a card. What is added is known to the next.
    fn judge(&mut self, card: &FitCard, officer: Option<&TrailName>) -> Verdict {
        let guid = card.new.card.guid;
        if let Some(there) = self.cards.get(&guid) {
            return if *there == card.identity { Ok(Enrolled::Unchanged) } else { Err(Refusal::GuidTaken) };
        }
        if card.identity.keys.iter().any(|key| self.keys.contains(key)) {
            return Err(Refusal::KeyTaken);
        }
        let holder = &card.identity.holder;
        let salt = self.people.get(holder).ok_or(Refusal::UnknownPerson)?;
        if is_officer(holder, salt, officer) {
            return Err(Refusal::OwnRecord);
        }
        self.keys.extend(card.identity.keys);
        self.cards.insert(guid, card.identity.clone());
        Ok(Enrolled::Added)
    }
}
