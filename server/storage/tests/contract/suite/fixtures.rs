//! People, cards and the rest, told apart by a number.

use std::sync::Arc;

use card_protocol::{Challenge, ConnectionKey, Guid};
use domain::{
    Timestamp,
    authority::StoredAuthority,
    card::{Card, CardPublicKey, CardState},
    code::{Codes, IssuedCode},
    email::EmailAddress,
    issuance::{Begun, Issuance, IssuanceStep},
    language::Language,
    mail::OutboxMail,
    organisation::Organisation,
    person::{Person, UserNumber},
    ports::{SecretHash, Store, StoreError, Transaction, VaultCiphertext},
    question::QuestionId,
    ra::{IdentityCheck, Reason},
    recovery::StoredRecoveryCode,
    registration::{
        FormerAddress, Registration, RegistrationFlow, RegistrationStep, Standing, StoredAnswer, flow::SetQuestions,
    },
    role::Role,
    session::Session,
    token::{FlowId, KeyId, MailId, SessionId, TokenHash},
    trail::{ByOfficer, Reference, TrailName, TrailRecord, TrailSalt},
    unlock::{EndReason, UnlockFlow, UnlockStep, flow::AnswerQuestions},
    unlock_key::{KeyRing, KeyRingState, StoredUnlockKey},
};
use p256::{ecdsa::SigningKey, pkcs8::EncodePublicKey};
use uuid::Uuid;

pub type Shared = Arc<dyn Store>;

/// This many milliseconds after the beginning of the tests' time.
pub fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_unix_timestamp(1_795_000_000).unwrap() + time::Duration::milliseconds(milliseconds)
}

pub fn id(number: u8) -> Uuid {
    Uuid::from_bytes([number; 16])
}

pub fn guid(number: u8) -> Guid {
    Guid([number; 16])
}

pub fn challenge(number: u8) -> Challenge {
    Challenge([number; 32])
}

pub fn token(number: u8) -> TokenHash {
    TokenHash([number; 32])
}

pub fn user_number(number: u8) -> UserNumber {
    UserNumber::parse(&format!("NHS-{number}")).unwrap()
}

pub fn email(number: u8) -> EmailAddress {
    EmailAddress::parse(&format!("person{number}@nhs.net")).unwrap()
}

/// The same for two people each.
pub fn organisation(number: u8) -> Organisation {
    Organisation::parse(&format!("Trust {}", number / 2)).unwrap()
}

pub fn person(number: u8) -> Person {
    Person {
        user_number: user_number(number),
        name: format!("Zoë Ng {number}"),
        email: Some(email(number)),
        organisation: Some(organisation(number)),
        role: Role::Cardholder,
        language: if number.is_multiple_of(2) { Language::English } else { Language::Welsh },
        trail_salt: TrailSalt::new([number; 32]),
    }
}

/// The reference of an error page, by a number less than 20.
pub fn reference(number: u8) -> Reference {
    let last = char::from(domain::code::ALPHABET[usize::from(number)]);
    Reference::parse(&format!("BBBBB{last}")).unwrap()
}

/// The name of a person on the trail.
pub fn trail_name(number: u8) -> TrailName {
    person(number).trail_name()
}

pub fn key(number: u8) -> CardPublicKey {
    let key = SigningKey::from_slice(&[number; 32]).unwrap();
    CardPublicKey::from_der(key.verifying_key().to_public_key_der().unwrap().as_bytes()).unwrap()
}

/// A card of person 1, with the keys 2 n and 2 n + 1.
pub fn card(number: u8) -> Card {
    Card {
        guid: guid(number),
        holder: user_number(1),
        authentication_key: key(2 * number),
        card_authentication_key: key(2 * number + 1),
        state: CardState::Active,
        version: 0,
    }
}

pub fn unlock_key(number: u8) -> StoredUnlockKey {
    StoredUnlockKey { id: KeyId(id(number)), guid: guid(1), sealed: VaultCiphertext(vec![number; 40]) }
}

/// The ring of card 1, with key 1.
pub fn issuance(number: u8) -> Issuance {
    let by = ByOfficer {
        reason: Some(Reason::CardLost),
        check: Some(IdentityCheck::PhotoId),
        ..ByOfficer::only(trail_name(90))
    };
    Issuance {
        guid: guid(number + 200),
        person: user_number(1),
        by,
        replaces: Some(guid(number)),
        unlock_key: VaultCiphertext(vec![number, 1]),
        management_key: VaultCiphertext(vec![number, 2]),
        attempts: 3,
        step: IssuanceStep::Begun(Begun { completion: challenge(number), connection_key: ConnectionKey([number; 32]) }),
        began_at: at(7),
        version: 0,
    }
}

pub fn authority() -> StoredAuthority {
    StoredAuthority { certificate: vec![1, 2], key: VaultCiphertext(vec![3]) }
}

pub fn key_ring() -> KeyRing {
    KeyRing { guid: guid(1), state: KeyRingState::Settled { current: KeyId(id(1)) }, version: 0 }
}

pub fn question(number: u8) -> QuestionId {
    QuestionId::try_from(number).unwrap()
}

pub fn recovery_codes() -> Vec<StoredRecoveryCode> {
    let code = |first| StoredRecoveryCode { first, hash: SecretHash(format!("the hash of {first}")) };
    ['K', 'T'].map(code).to_vec()
}

pub fn answers() -> Vec<StoredAnswer> {
    [1, 4, 9, 17]
        .map(|number| StoredAnswer { question: question(number), hash: SecretHash(format!("$argon2id$hash {number}")) })
        .into()
}

pub fn codes() -> Codes {
    let issued = |sent: i64| IssuedCode {
        hash: SecretHash(format!("$argon2id$code {sent}")),
        mail: Some(mail(1, sent).id),
        sent_at: at(sent),
        valid_until: at(sent + 900_000),
    };
    Codes { issued: vec![issued(1), issued(60_001)], tries_left: 4 }
}

pub fn registration() -> Registration {
    Registration {
        person: user_number(1),
        email: email(1),
        former: Some(FormerAddress { email: email(3), until: at(86_400_000) }),
        answers: answers(),
        recovery_codes: recovery_codes(),
        asked: vec![question(9), question(1), question(17)],
        standing: Standing::Open { failed_attempts: 0 },
        registered_at: at(5),
        ended_at: None,
        version: 0,
    }
}

pub fn registration_flow(number: u8, session: u8) -> RegistrationFlow {
    RegistrationFlow {
        id: FlowId(id(number)),
        session: SessionId(id(session)),
        person: user_number(1),
        card: guid(1),
        step: RegistrationStep::Questions(SetQuestions {}),
        last_active: at(0),
        version: 0,
    }
}

/// An open flow of card 1.
pub fn unlock_flow(number: u8) -> UnlockFlow {
    UnlockFlow {
        id: FlowId(id(number)),
        token: token(number),
        card: guid(1),
        person: user_number(1),
        step: UnlockStep::Questions(AnswerQuestions { asked: vec![question(9), question(1)] }),
        began_at: at(i64::from(number)),
        last_active: at(0),
        version: 0,
    }
}

pub fn ended(flow: UnlockFlow) -> UnlockFlow {
    UnlockFlow { step: UnlockStep::ended(EndReason::Superseded), ..flow }
}

/// A session of a person with card 1.
pub fn session(number: u8, person: u8) -> Session {
    Session {
        id: SessionId(id(number)),
        token: token(number),
        person: user_number(person),
        card: guid(1),
        began_at: at(0),
        last_active: at(1),
    }
}

pub fn record(number: u64, person: Option<u8>) -> TrailRecord {
    TrailRecord {
        number,
        entry: format!(r#"{{"number": {number}, "to the letter":"ü"}}"#),
        person: person.map(trail_name),
        mac: [number.to_le_bytes()[0]; 32],
    }
}

pub fn mail(number: u8, created: i64) -> OutboxMail {
    OutboxMail {
        id: MailId(id(number)),
        sealed: VaultCiphertext(format!("sealed mail {number}").into_bytes()),
        created_at: at(created),
        attempts: 0,
        holds_code: false,
        owner: Some(trail_name(number)),
    }
}

/// Begins a transaction.
pub async fn begin(store: &Shared) -> Box<dyn Transaction> {
    store.begin().await.unwrap()
}

/// Has people 1 and 2, card 1 of person 1, and unlock key 1 of that card.
pub async fn with_card(store: &Shared) {
    let mut transaction = begin(store).await;
    transaction.insert_person(&person(1)).await.unwrap();
    transaction.insert_person(&person(2)).await.unwrap();
    transaction.insert_card(&card(1)).await.unwrap();
    transaction.insert_unlock_key(&unlock_key(1)).await.unwrap();
    transaction.commit().await.unwrap();
}

/// Whether it was refused because another came first.
pub fn is_conflict<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Conflict))
}

/// Does something in a transaction of its own, and commits it.
macro_rules! committed {
    ($store:expr, |$transaction:ident| $work:expr) => {{
        let mut $transaction = $crate::suite::fixtures::begin($store).await;
        let result = $work.await.unwrap();
        $transaction.commit().await.unwrap();
        result
    }};
}
pub(crate) use committed;

/// Does something in a transaction of its own that is then dropped; gives its result.
macro_rules! tried {
    ($store:expr, |$transaction:ident| $work:expr) => {{
        let mut $transaction = $crate::suite::fixtures::begin($store).await;
        $work.await
    }};
}
pub(crate) use tried;

/// Does something in a transaction of a worker that sends mails, and commits it.
macro_rules! dispatched {
    ($store:expr, |$dispatch:ident| $work:expr) => {{
        let mut $dispatch = $store.begin_dispatch().await.unwrap();
        let result = $work.await.unwrap();
        $dispatch.commit().await.unwrap();
        result
    }};
}
pub(crate) use dispatched;

/// The mails that a worker would get. Ask once: where no worker waits for another, a claim that is being undone is passed
/// over for a moment.
pub async fn due_mails(store: &Shared, now: i64, limit: u64) -> Vec<OutboxMail> {
    let mut dispatch = store.begin_dispatch().await.unwrap();
    dispatch.claim_due_mails(at(now), at(now + 99), limit).await.unwrap()
}

/// Fails unless people 1 and 2 have a salt each, and the same one for every server.
pub async fn salts_are_there(servers: &[Shared]) {
    let mut salts = Vec::new();
    for server in servers {
        for number in [1, 2] {
            let person = tried!(server, |transaction| transaction.person(&user_number(number))).unwrap().unwrap();
            salts.push(person.trail_salt);
        }
    }
    assert!(salts[0] != salts[1] && !salts.contains(&TrailSalt::new([0; 32])));
    assert!(salts.chunks(2).all(|chunk| chunk == &salts[..2]));
}
