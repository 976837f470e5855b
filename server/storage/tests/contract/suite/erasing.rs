//! What is removed with a person, and what is not.

use domain::{
    card::Card,
    issuance::Issuance,
    person::Person,
    ports::{ErasedRows, UsedChallenge},
    ra::PersonQuery,
    registration::{Registration, RegistrationFlow},
    session::Session,
    token::{FlowId, FormId, SessionId},
    trail::Reference,
    unlock::UnlockFlow,
    unlock_key::{KeyRing, KeyRingState, Offered, StoredUnlockKey},
};

use super::fixtures::*;

/// All that can be kept of a person, told apart by their number, which is less than 20.
struct Kept {
    person: Person,
    card: Card,
    keys: [StoredUnlockKey; 2],
    ring: KeyRing,
    registration: Registration,
    registering: RegistrationFlow,
    unlocking: UnlockFlow,
    unlocked: UnlockFlow,
    session: Session,
    used: [UsedChallenge; 2],
    forms: [(FlowId, FormId); 2],
    reference: Reference,
    issuance: Issuance,
}

impl Kept {
    fn of(number: u8) -> Self {
        let guid = guid(number);
        let keys = [20, 40].map(|offset| StoredUnlockKey { guid, ..unlock_key(offset + number) });
        let [current, pending] = [0, 1].map(|key: usize| keys[key].id);
        let state = KeyRingState::Unresolved { current, pending, offered: Offered::Current };
        let session = Session { id: SessionId(id(60 + number)), card: guid, ..session(number, number) };
        let flow = |flow: UnlockFlow| UnlockFlow { card: guid, person: user_number(number), ..flow };
        let registering = RegistrationFlow {
            person: user_number(number),
            card: guid,
            session: session.id,
            ..registration_flow(80 + number, number)
        };
        let (unlocking, unlocked) = (flow(unlock_flow(100 + number)), flow(ended(unlock_flow(120 + number))));
        let used = |challenged: u8, flow| UsedChallenge {
            challenge: challenge(challenged),
            flow: Some(flow),
            outcome: String::new(),
            at: at(0),
        };
        Self {
            used: [used(140 + number, unlocking.id), used(160 + number, unlocked.id)],
            forms: [(registering.id, FormId(id(180 + number))), (registering.id, FormId(id(200 + number)))],
            person: person(number),
            reference: reference(number),
            issuance: Issuance { person: user_number(number), ..issuance(number) },
            card: Card { holder: user_number(number), ..card(number) },
            ring: KeyRing { guid, state, version: 0 },
            keys,
            registration: Registration { person: user_number(number), email: email(number), ..registration() },
            registering,
            unlocking,
            unlocked,
            session,
        }
    }

    async fn insert(&self, store: &Shared) {
        let mut transaction = begin(store).await;
        transaction.insert_person(&self.person).await.unwrap();
        transaction.insert_card(&self.card).await.unwrap();
        for key in &self.keys {
            transaction.insert_unlock_key(key).await.unwrap();
        }
        transaction.insert_key_ring(&self.ring).await.unwrap();
        transaction.insert_registration(&self.registration).await.unwrap();
        transaction.replace_registration_flow(&self.registering).await.unwrap();
        transaction.insert_unlock_flow(&self.unlocking).await.unwrap();
        transaction.insert_unlock_flow(&self.unlocked).await.unwrap();
        transaction.insert_session(&self.session).await.unwrap();
        for used in &self.used {
            transaction.insert_used_challenge(used).await.unwrap();
        }
        for (flow, form) in self.forms {
            transaction.insert_handled_form(flow, form, "done").await.unwrap();
        }
        for sent in [1, 2, 3] {
            transaction.insert_code_mail(&self.person.user_number, at(sent)).await.unwrap();
        }
        transaction.insert_issuance(&self.issuance).await.unwrap();
        transaction.insert_reference(&self.reference, &self.person.user_number, at(0)).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// Which of it is found: a name for each row.
    async fn found(&self, store: &Shared) -> Vec<&'static str> {
        let mut transaction = begin(store).await;
        let number = &self.person.user_number;
        let mut found = Vec::new();
        let mut note = |name, is_there: bool| found.extend(is_there.then_some(name));
        note("person", transaction.person(number).await.unwrap().as_ref() == Some(&self.person));
        note("card", transaction.card(&self.card.guid).await.unwrap().as_ref() == Some(&self.card));
        for key in [&self.card.authentication_key, &self.card.card_authentication_key] {
            note("public key", transaction.card_with_key(key).await.unwrap() == Some(self.card.guid));
        }
        for key in &self.keys {
            note("unlock key", transaction.unlock_key(key.id).await.unwrap().as_ref() == Some(key));
        }
        note("ring", transaction.key_ring(&self.ring.guid).await.unwrap().as_ref() == Some(&self.ring));
        note("registration", transaction.registration(number).await.unwrap().as_ref() == Some(&self.registration));
        let registering = transaction.registration_flow(self.session.id).await.unwrap();
        note("registration flow", registering.as_ref() == Some(&self.registering));
        for flow in [&self.unlocking, &self.unlocked] {
            note("unlock flow", transaction.unlock_flow(flow.token).await.unwrap().as_ref() == Some(flow));
        }
        note("session", transaction.session(self.session.token).await.unwrap().as_ref() == Some(&self.session));
        for used in &self.used {
            note("challenge", transaction.used_challenge(&used.challenge).await.unwrap().as_ref() == Some(used));
        }
        for (flow, form) in self.forms {
            note("form", transaction.handled_form(flow, form).await.unwrap().is_some());
        }
        for _ in transaction.code_mails_since(number, at(0)).await.unwrap() {
            note("code mail", true);
        }
        let issued = transaction.issuance(&self.issuance.guid).await.unwrap();
        note("issuance", issued.as_ref() == Some(&self.issuance));
        let query = PersonQuery { reference: Some(self.reference.clone()), ..PersonQuery::default() };
        note("reference", transaction.find_people(&query, 1).await.unwrap().len() == 1);
        found
    }
}

const ALL: [&str; 21] = [
    "person",
    "card",
    "public key",
    "public key",
    "unlock key",
    "unlock key",
    "ring",
    "registration",
    "registration flow",
    "unlock flow",
    "unlock flow",
    "session",
    "challenge",
    "challenge",
    "form",
    "form",
    "code mail",
    "code mail",
    "code mail",
    "issuance",
    "reference",
];

/// Has all that can be kept of a person.
pub async fn with_everything_of(store: &Shared, number: u8) {
    Kept::of(number).insert(store).await;
}

/// Fails unless it has all of it.
pub async fn has_everything_of(store: &Shared, number: u8) {
    assert_eq!(Kept::of(number).found(store).await, ALL, "{number}");
}

pub async fn every_row_of_a_person_goes_and_is_counted_and_other_peoples_stay(store: &Shared) {
    let people = [1, 2, 3].map(Kept::of);
    for kept in &people {
        kept.insert(store).await;
        assert_eq!(kept.found(store).await, ALL);
    }
    let second_card = Card { holder: user_number(2), ..card(15) };
    committed!(store, |transaction| transaction.insert_card(&second_card));
    let rows = committed!(store, |transaction| transaction.erase_person(&user_number(2)));
    let expected = ErasedRows {
        cards: 2,
        unlock_keys: 2,
        issuances: 1,
        registrations: 1,
        sessions: 1,
        flows: 3,
        forms: 2,
        challenges: 2,
        code_mails: 3,
        references: 1,
    };
    assert_eq!(rows, expected);
    assert_eq!(people[1].found(store).await, Vec::<&str>::new());
    assert_eq!(tried!(store, |transaction| transaction.card(&second_card.guid)).unwrap(), None);
    assert_eq!(tried!(store, |transaction| transaction.card_with_key(&key(30))).unwrap(), None);
    for kept in [&people[0], &people[2]] {
        assert_eq!(kept.found(store).await, ALL);
    }
}

pub async fn the_trail_and_mails_that_wait_stay(store: &Shared) {
    Kept::of(1).insert(store).await;
    committed!(store, |transaction| transaction.insert_trail_record(&record(1, Some(1))));
    committed!(store, |transaction| transaction.insert_mail(&mail(1, 0)));
    let elsewhere = UsedChallenge { challenge: challenge(9), flow: None, outcome: String::new(), at: at(0) };
    committed!(store, |transaction| transaction.insert_used_challenge(&elsewhere));
    committed!(store, |transaction| transaction.erase_person(&user_number(1)));
    assert_eq!(tried!(store, |transaction| transaction.trail_head()).unwrap(), Some(record(1, Some(1))));
    assert_eq!(due_mails(store, 1, 9).await, [mail(1, 0)]);
    assert!(tried!(store, |transaction| transaction.used_challenge(&challenge(9))).unwrap().is_some());
}

pub async fn an_erasure_that_is_not_committed_never_was(store: &Shared) {
    let kept = Kept::of(1);
    kept.insert(store).await;
    let rows = tried!(store, |transaction| transaction.erase_person(&user_number(1))).unwrap();
    assert_eq!(rows.cards, 1);
    assert_eq!(kept.found(store).await, ALL);
}

pub async fn of_nobody_there_is_nothing(store: &Shared) {
    let kept = Kept::of(1);
    kept.insert(store).await;
    let rows = committed!(store, |transaction| transaction.erase_person(&user_number(2)));
    assert_eq!(rows, ErasedRows::default());
    assert_eq!(kept.found(store).await, ALL);
}

pub async fn who_was_erased_can_be_taken_in_again(store: &Shared) {
    let kept = Kept::of(1);
    kept.insert(store).await;
    committed!(store, |transaction| transaction.erase_person(&user_number(1)));
    kept.insert(store).await;
    assert_eq!(kept.found(store).await, ALL);
}
