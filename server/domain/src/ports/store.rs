//! The store: one transaction over all tables. Dropped without [`Transaction::commit`], it changes nothing.
//!
//! What can be changed by two requests at once carries a version. A save names the version that was read, and fails
//! with [`StoreError::Conflict`] when another came first; an insert does so when its key is there already. After a
//! successful save the version in memory is one behind: load again, or drop it.

use async_trait::async_trait;
use card_protocol::{Challenge, Guid};
use time::Date;

use crate::{
    Timestamp,
    authority::StoredAuthority,
    card::{Card, CardPublicKey},
    delivery::{MailOnRecord, MailState, Undelivered},
    figure::{CountedFor, DayCount, Days, Figure, OrganisationCount},
    import::ImportRun,
    issuance::Issuance,
    mail::OutboxMail,
    milestone::Milestone,
    organisation::Organisation,
    person::{Person, UserNumber},
    ra::{PersonQuery, TrailFilter, TrailPlace},
    registration::{Registration, RegistrationFlow},
    session::Session,
    token::{FlowId, FormId, ImportId, KeyId, MailId, SessionId, TokenHash},
    trail::{Reference, TrailName, TrailRecord, TrailSalt},
    unlock::UnlockFlow,
    unlock_key::{KeyRing, StoredUnlockKey},
};

/// Opens transactions.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Begins a transaction that sees what was committed before and nothing of what is committed by others meanwhile
    /// that would make its saves wrong (the versions see to that).
    async fn begin(&self) -> Result<Box<dyn Transaction>, StoreError>;
    /// Begins a transaction of a worker that sends mails. What it can do is right beside any [`Transaction`], so it waits for
    /// none, where the store can do without.
    async fn begin_dispatch(&self) -> Result<Box<dyn Dispatch>, StoreError>;
}

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another request changed it first, or it is there already.
    #[error("changed by another request")]
    Conflict,
    /// The database does not answer, or holds what cannot be read.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// One transaction over all tables.
#[async_trait]
pub trait Transaction:
    People
    + Cards
    + KeyRings
    + Registrations
    + RegistrationFlows
    + UnlockFlows
    + Sessions
    + UsedChallenges
    + HandledForms
    + CodeMails
    + TrailRecords
    + Outbox
    + Forgetting
    + Erasing
    + BulkEnrolment
    + Issuances
    + DailyCounts
    + ImportRuns
    + Send
{
    /// Makes all of it durable: on disk, and on a synchronous standby where there is one.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;

    /// Has it counted, once this is committed, that somebody got so far; nothing where they are where they were. It is no
    /// part of what is durable.
    fn count_milestone(&mut self, milestone: Option<Milestone>);
}

/// The people.
#[async_trait]
pub trait People {
    /// Finds one.
    async fn person(&mut self, number: &UserNumber) -> Result<Option<Person>, StoreError>;
    /// Finds those that a query may mean, in the order of their names.
    async fn find_people(&mut self, query: &PersonQuery, limit: u64) -> Result<Vec<Person>, StoreError>;
    /// Adds one.
    async fn insert_person(&mut self, person: &Person) -> Result<(), StoreError>;
    /// Finds those who stand on the trail under one of these names; in no order.
    async fn people_named(&mut self, names: &[TrailName]) -> Result<Vec<Person>, StoreError>;
    /// Saves one whose address or role changed.
    async fn save_person(&mut self, person: &Person) -> Result<(), StoreError>;
    /// Notes whose a reference is that an error page shows.
    async fn insert_reference(
        &mut self,
        reference: &Reference,
        person: &UserNumber,
        at: Timestamp,
    ) -> Result<(), StoreError>;
}

/// The cards.
#[async_trait]
pub trait Cards {
    /// Finds one.
    async fn card(&mut self, guid: &Guid) -> Result<Option<Card>, StoreError>;
    /// Finds the card that has this key, in either slot.
    async fn card_with_key(&mut self, key: &CardPublicKey) -> Result<Option<Guid>, StoreError>;
    /// Finds all cards of a person, in the order of their GUIDs.
    async fn cards_of(&mut self, holder: &UserNumber) -> Result<Vec<Card>, StoreError>;
    /// The cards of several people, in no order.
    async fn guids_of(&mut self, holders: &[UserNumber]) -> Result<Vec<(UserNumber, Guid)>, StoreError>;
    /// Adds one.
    async fn insert_card(&mut self, card: &Card) -> Result<(), StoreError>;
    /// Saves a card whose state changed.
    async fn save_card(&mut self, card: &Card) -> Result<(), StoreError>;
}

/// The unlock keys, and which of them a card has.
#[async_trait]
pub trait KeyRings {
    /// Finds the ring of a card.
    async fn key_ring(&mut self, guid: &Guid) -> Result<Option<KeyRing>, StoreError>;
    /// Adds one.
    async fn insert_key_ring(&mut self, ring: &KeyRing) -> Result<(), StoreError>;
    /// Saves one whose state changed.
    async fn save_key_ring(&mut self, ring: &KeyRing) -> Result<(), StoreError>;
    /// Finds an unlock key.
    async fn unlock_key(&mut self, id: KeyId) -> Result<Option<StoredUnlockKey>, StoreError>;
    /// Adds one. A key goes with its person only.
    async fn insert_unlock_key(&mut self, key: &StoredUnlockKey) -> Result<(), StoreError>;
    /// At most `limit` of all, in the order of their ids, after one of them.
    async fn unlock_keys_after(&mut self, after: Option<KeyId>, limit: u64)
    -> Result<Vec<StoredUnlockKey>, StoreError>;
    /// Saves one that was sealed anew.
    async fn save_resealed_unlock_key(&mut self, key: &StoredUnlockKey) -> Result<(), StoreError>;
}

/// The cards that are issued here, from before they are cards, and the authority behind their certificates.
#[async_trait]
pub trait Issuances {
    /// Finds the issuance of a card.
    async fn issuance(&mut self, guid: &Guid) -> Result<Option<Issuance>, StoreError>;
    /// Adds one.
    async fn insert_issuance(&mut self, issuance: &Issuance) -> Result<(), StoreError>;
    /// Saves one that changed, its person too.
    async fn save_issuance(&mut self, issuance: &Issuance) -> Result<(), StoreError>;
    /// Those of a person, in the order of their GUIDs.
    async fn issuances_of(&mut self, person: &UserNumber) -> Result<Vec<Issuance>, StoreError>;
    /// At most `limit` of all, in the order of their GUIDs, after one of them.
    async fn issuances_after(&mut self, after: Option<Guid>, limit: u64) -> Result<Vec<Issuance>, StoreError>;
    /// The authority.
    async fn certificate_authority(&mut self) -> Result<Option<StoredAuthority>, StoreError>;
    /// Adds it: a conflict where there is one.
    async fn insert_certificate_authority(&mut self, authority: &StoredAuthority) -> Result<(), StoreError>;
    /// Saves it, its key sealed anew.
    async fn save_resealed_authority(&mut self, authority: &StoredAuthority) -> Result<(), StoreError>;
}

/// The registrations: at most one for a person.
#[async_trait]
pub trait Registrations {
    /// Finds a person's.
    async fn registration(&mut self, person: &UserNumber) -> Result<Option<Registration>, StoreError>;
    /// Adds one.
    async fn insert_registration(&mut self, registration: &Registration) -> Result<(), StoreError>;
    /// Saves one that changed.
    async fn save_registration(&mut self, registration: &Registration) -> Result<(), StoreError>;
    /// Removes one.
    async fn delete_registration(&mut self, registration: &Registration) -> Result<(), StoreError>;
}

/// The registration flows: at most one for a session.
#[async_trait]
pub trait RegistrationFlows {
    /// Finds the one of a session.
    async fn registration_flow(&mut self, session: SessionId) -> Result<Option<RegistrationFlow>, StoreError>;
    /// Adds one in place of an earlier one of the same session.
    async fn replace_registration_flow(&mut self, flow: &RegistrationFlow) -> Result<(), StoreError>;
    /// Notes that it is in use; its version stays.
    async fn touch_registration_flow(&mut self, id: FlowId, at: Timestamp) -> Result<(), StoreError>;
    /// Saves one that changed.
    async fn save_registration_flow(&mut self, flow: &RegistrationFlow) -> Result<(), StoreError>;
}

/// The unlock flows.
#[async_trait]
pub trait UnlockFlows {
    /// Finds the one that a cookie opens.
    async fn unlock_flow(&mut self, token: TokenHash) -> Result<Option<UnlockFlow>, StoreError>;
    /// Finds those of a card that are still open.
    async fn open_unlock_flows(&mut self, guid: &Guid) -> Result<Vec<UnlockFlow>, StoreError>;
    /// When those of a card began that began after a time, in order.
    async fn unlock_flows_begun_since(&mut self, guid: &Guid, after: Timestamp) -> Result<Vec<Timestamp>, StoreError>;
    /// Adds one.
    async fn insert_unlock_flow(&mut self, flow: &UnlockFlow) -> Result<(), StoreError>;
    /// Notes that it is in use; its version stays.
    async fn touch_unlock_flow(&mut self, id: FlowId, at: Timestamp) -> Result<(), StoreError>;
    /// Saves one that changed.
    async fn save_unlock_flow(&mut self, flow: &UnlockFlow) -> Result<(), StoreError>;
}

/// The sessions.
#[async_trait]
pub trait Sessions {
    /// Finds the one that a cookie opens.
    async fn session(&mut self, token: TokenHash) -> Result<Option<Session>, StoreError>;
    /// Adds one.
    async fn insert_session(&mut self, session: &Session) -> Result<(), StoreError>;
    /// Notes that it is in use.
    async fn touch_session(&mut self, id: SessionId, at: Timestamp) -> Result<(), StoreError>;
    /// Gives it a new cookie.
    async fn renew_session(&mut self, id: SessionId, token: TokenHash) -> Result<(), StoreError>;
    /// Ends one; no error where there is none.
    async fn delete_session(&mut self, id: SessionId) -> Result<(), StoreError>;
    /// Ends all of a person, but for one where one is named.
    async fn delete_sessions(&mut self, person: &UserNumber, but: Option<SessionId>) -> Result<(), StoreError>;
}

/// A challenge that a card has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedChallenge {
    /// The challenge.
    pub challenge: Challenge,
    /// The flow in which it was used, where there was one.
    pub flow: Option<FlowId>,
    /// What came of it, for the same POST again: JSON of the use case.
    pub outcome: String,
    /// When it was used.
    pub at: Timestamp,
}

/// The challenges that were used, kept for a day.
#[async_trait]
pub trait UsedChallenges {
    /// Finds one.
    async fn used_challenge(&mut self, challenge: &Challenge) -> Result<Option<UsedChallenge>, StoreError>;
    /// Adds one: a conflict when it was used before.
    async fn insert_used_challenge(&mut self, used: &UsedChallenge) -> Result<(), StoreError>;
}

/// The forms that were handled, so that a repeated POST gets the outcome of the first.
#[async_trait]
pub trait HandledForms {
    /// Finds the outcome: JSON of the use case.
    async fn handled_form(&mut self, flow: FlowId, form: FormId) -> Result<Option<String>, StoreError>;
    /// Adds one: a conflict when it was handled before.
    async fn insert_handled_form(&mut self, flow: FlowId, form: FormId, outcome: &str) -> Result<(), StoreError>;
}

/// When codes were mailed to whom.
#[async_trait]
pub trait CodeMails {
    /// The times of those to a person after a time, in order.
    async fn code_mails_since(&mut self, person: &UserNumber, after: Timestamp) -> Result<Vec<Timestamp>, StoreError>;
    /// Notes one.
    async fn insert_code_mail(&mut self, person: &UserNumber, at: Timestamp) -> Result<(), StoreError>;
}

/// The audit trail: numbered from 1 without a gap.
#[async_trait]
pub trait TrailRecords {
    /// The latest record.
    async fn trail_head(&mut self) -> Result<Option<TrailRecord>, StoreError>;
    /// Adds one: a conflict when its number is taken.
    async fn insert_trail_record(&mut self, record: &TrailRecord) -> Result<(), StoreError>;
    /// At most `limit` records from a number on, in order.
    async fn trail_from(&mut self, number: u64, limit: u64) -> Result<Vec<TrailRecord>, StoreError>;
    /// At most `limit` records about a person whose number is lower than this, the newest first.
    async fn trail_before(
        &mut self,
        person: &TrailName,
        number: u64,
        limit: u64,
    ) -> Result<Vec<TrailRecord>, StoreError>;
    /// At most `limit` records that a search asks for and that come after a place, the latest first.
    async fn search_trail(
        &mut self,
        filter: &TrailFilter,
        after: Option<TrailPlace>,
        limit: u64,
    ) -> Result<Vec<TrailRecord>, StoreError>;
    /// The latest records about a person, the newest first.
    async fn trail_of(&mut self, person: &TrailName, limit: u64) -> Result<Vec<TrailRecord>, StoreError> {
        self.trail_before(person, u64::MAX, limit).await
    }
}

/// The mails that wait to be sent.
#[async_trait]
pub trait Outbox {
    /// Adds one.
    async fn insert_mail(&mut self, mail: &OutboxMail) -> Result<(), StoreError>;
    /// It will not be sent: its body is erased.
    async fn end_mail(&mut self, id: MailId, why: Undelivered, at: Timestamp) -> Result<(), StoreError>;
    /// The latest of a person, by their name on the trail, the newest first.
    async fn mails_of(&mut self, owner: &TrailName, limit: u64) -> Result<Vec<MailOnRecord>, StoreError>;
    /// How far it is; nothing where it is forgotten.
    async fn mail_state(&mut self, id: MailId) -> Result<Option<MailState>, StoreError>;
}

/// How mails leave the outbox. Several workers do this at once, and none gets what another has.
///
/// Each of these touches mails that were committed and nothing else, and changes nothing of one that is done with.
#[async_trait]
pub trait Dispatch: Send {
    /// Those that are due, the ones with a code first, then the oldest, at most `limit`; each is put off until `lease`, so that nobody else
    /// takes it meanwhile.
    async fn claim_due_mails(
        &mut self,
        now: Timestamp,
        lease: Timestamp,
        limit: u64,
    ) -> Result<Vec<OutboxMail>, StoreError>;
    /// It was sent: its body is erased.
    async fn mark_mail_sent(&mut self, id: MailId, at: Timestamp) -> Result<(), StoreError>;
    /// One that was claimed like this was not sent: try again at a time. It is left alone where somebody else has claimed it
    /// meanwhile.
    async fn put_off_mail(&mut self, mail: &OutboxMail, until: Timestamp) -> Result<(), StoreError>;
    /// Makes all of it durable.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}

/// What is kept for a time only.
#[async_trait]
pub trait Forgetting {
    /// Forgets what was used last before a time: challenges, sessions, flows with their forms, the notes of code mails,
    /// and mails that are done with. References of error pages are kept with their person. Nothing that a rule counts or a card needs may be that old.
    async fn forget_before(&mut self, time: Timestamp) -> Result<(), StoreError>;
}

/// How much was kept of a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErasedRows {
    /// Cards, each with its public keys and its key ring.
    pub cards: u64,
    /// Unlock keys, the replaced ones too.
    pub unlock_keys: u64,
    /// Issuances, with their unlock and management keys.
    pub issuances: u64,
    /// Registrations: one or none.
    pub registrations: u64,
    /// Sessions.
    pub sessions: u64,
    /// Flows, of registration and of unlock.
    pub flows: u64,
    /// The forms that were handled in these flows.
    pub forms: u64,
    /// The challenges that were used in these flows.
    pub challenges: u64,
    /// Notes of code mails.
    pub code_mails: u64,
    /// References of error pages.
    pub references: u64,
}

/// What is kept of a person.
#[async_trait]
pub trait Erasing {
    /// Removes a person and every row that is theirs, and says how many there were. The trail stays, as it must, and so
    /// do the mails that wait: they are sealed, and no row says whose they are.
    async fn erase_person(&mut self, number: &UserNumber) -> Result<ErasedRows, StoreError>;
}

/// A card that is new, with its unlock key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewlyEnrolled {
    /// The card.
    pub card: Card,
    /// The unlock key that it has.
    pub unlock_key: StoredUnlockKey,
    /// The ring, which says so.
    pub key_ring: KeyRing,
}

/// Many people and cards at once: each of these takes a few statements, however many there are. None keeps an order.
#[async_trait]
pub trait BulkEnrolment {
    /// Finds those of these people that are there.
    async fn people_among(&mut self, numbers: &[UserNumber]) -> Result<Vec<Person>, StoreError>;
    /// Finds what the names on the trail of those of these people are made with who are there.
    async fn trail_salts_among(&mut self, numbers: &[UserNumber]) -> Result<Vec<(UserNumber, TrailSalt)>, StoreError>;
    /// Finds those of these cards that are there.
    async fn cards_among(&mut self, guids: &[Guid]) -> Result<Vec<Card>, StoreError>;
    /// Finds those of these fingerprints whose key is known, of whichever card and slot.
    async fn keys_among(&mut self, fingerprints: &[[u8; 32]]) -> Result<Vec<[u8; 32]>, StoreError>;
    /// Finds the registrations of those of these people who have one.
    async fn registrations_among(&mut self, people: &[UserNumber]) -> Result<Vec<Registration>, StoreError>;
    /// Notes that people who are there work elsewhere now.
    async fn move_people(&mut self, people: &[(UserNumber, Organisation)]) -> Result<(), StoreError>;
    /// Adds people: a conflict when one of them is there.
    async fn insert_people(&mut self, people: &[Person]) -> Result<(), StoreError>;
    /// Adds cards with their keys, and what stands on the trail of them: a conflict when anything of it is there.
    async fn enrol_batch(&mut self, batch: &[&NewlyEnrolled], records: &[TrailRecord]) -> Result<(), StoreError>;
}

/// What is counted for reports, day by day and organisation by organisation.
#[async_trait]
pub trait DailyCounts {
    /// Counts one more.
    async fn count(&mut self, day: Date, figure: Figure, organisation: Option<&Organisation>)
    -> Result<(), StoreError>;
    /// The counts of days on which there are any, in the order of the days and then of [`Figure`].
    async fn counts_by_day(&mut self, days: Days, whose: &CountedFor) -> Result<Vec<DayCount>, StoreError>;
    /// The counts of organisations that have any on these days, by their names; people of no organisation come first.
    async fn counts_by_organisation(&mut self, days: Days) -> Result<Vec<OrganisationCount>, StoreError>;
    /// The organisations of which anything was ever counted, by their names.
    async fn organisations(&mut self) -> Result<Vec<Organisation>, StoreError>;
}

/// The imports that officers began at the desk.
#[async_trait]
pub trait ImportRuns {
    /// Adds one.
    async fn insert_import_run(&mut self, run: &ImportRun) -> Result<(), StoreError>;
    /// Saves how far one is.
    async fn save_import_run(&mut self, run: &ImportRun) -> Result<(), StoreError>;
    /// Finds one.
    async fn import_run(&mut self, id: ImportId) -> Result<Option<ImportRun>, StoreError>;
    /// The latest, the newest first.
    async fn latest_import_runs(&mut self, limit: u64) -> Result<Vec<ImportRun>, StoreError>;
}

impl StoreError {
    /// Whether it is worth trying again: another request came first.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict)
    }
}
