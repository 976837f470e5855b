//! What goes in comes out.

use card_protocol::{ConnectionKey, Der, message::CertificateRequests};
use domain::{
    card::CardState,
    issuance::{IssuanceStep, Prepared},
    person::Person,
    ports::UsedChallenge,
    registration::{
        NewFactor, Registration, RegistrationFlow, RegistrationStep, Standing,
        flow::{
            ChangeFactor, ConfirmEmail, EnterCode as EnterRegistrationCode, FlowFactor, KeepRecoveryCodes, SetQuestions,
        },
    },
    token::{FlowId, FormId, KeyId},
    unlock::{
        EndReason, UnlockFlow, UnlockStep,
        flow::{AnswerQuestions, ChoosePasscode, Completed, EnterCode, EnterRecoveryCode, OpenedBy, Released},
    },
    unlock_key::{KeyRing, KeyRingState, Offered},
};

use super::fixtures::*;

pub async fn a_person_comes_back(store: &Shared) {
    let without_address = Person { email: None, organisation: None, ..person(2) };
    committed!(store, |transaction| transaction.insert_person(&person(1)));
    committed!(store, |transaction| transaction.insert_person(&without_address));
    assert_eq!(tried!(store, |transaction| transaction.person(&user_number(1))).unwrap(), Some(person(1)));
    assert_eq!(tried!(store, |transaction| transaction.person(&user_number(2))).unwrap(), Some(without_address));
    assert_eq!(tried!(store, |transaction| transaction.person(&user_number(3))).unwrap(), None);
}

pub async fn a_card_comes_back_with_both_keys(store: &Shared) {
    with_card(store).await;
    assert_eq!(tried!(store, |transaction| transaction.card(&guid(1))).unwrap(), Some(card(1)));
    assert_eq!(tried!(store, |transaction| transaction.card(&guid(2))).unwrap(), None);
}

pub async fn the_cards_of_a_person_come_in_the_order_of_their_guids(store: &Shared) {
    with_card(store).await;
    for number in [30, 4, 17] {
        committed!(store, |transaction| transaction.insert_card(&card(number)));
    }
    let cards = tried!(store, |transaction| transaction.cards_of(&user_number(1))).unwrap();
    assert_eq!(cards, [card(1), card(4), card(17), card(30)]);
    assert_eq!(tried!(store, |transaction| transaction.cards_of(&user_number(2))).unwrap(), []);
}

pub async fn a_card_is_found_by_either_key(store: &Shared) {
    with_card(store).await;
    committed!(store, |transaction| transaction.insert_card(&card(2)));
    for (number, owner) in [(2, 1), (3, 1), (4, 2), (5, 2)] {
        let found = tried!(store, |transaction| transaction.card_with_key(&key(number))).unwrap();
        assert_eq!(found, Some(guid(owner)), "key {number}");
    }
    assert_eq!(tried!(store, |transaction| transaction.card_with_key(&key(6))).unwrap(), None);
}

pub async fn every_state_of_a_card_comes_back(store: &Shared) {
    with_card(store).await;
    for (version, state) in (0..).zip([CardState::Cancelled, CardState::UnlockKeyUnknown, CardState::Active]) {
        let changed = domain::card::Card { state, version, ..card(1) };
        committed!(store, |transaction| transaction.save_card(&changed));
        let found = tried!(store, |transaction| transaction.card(&guid(1))).unwrap().unwrap();
        assert_eq!(found.state, state);
    }
}

pub async fn every_state_of_a_key_ring_comes_back(store: &Shared) {
    with_card(store).await;
    committed!(store, |transaction| transaction.insert_unlock_key(&unlock_key(2)));
    committed!(store, |transaction| transaction.insert_key_ring(&key_ring()));
    let [current, pending] = [1, 2].map(|number| KeyId(id(number)));
    let states = [
        KeyRingState::Unresolved { current, pending, offered: Offered::Current },
        KeyRingState::Unresolved { current, pending, offered: Offered::Pending },
        KeyRingState::Settled { current: pending },
    ];
    for (version, state) in (0..).zip(states) {
        committed!(store, |transaction| transaction.save_key_ring(&KeyRing { state, version, ..key_ring() }));
        let found = tried!(store, |transaction| transaction.key_ring(&guid(1))).unwrap();
        assert_eq!(found, Some(KeyRing { state, version: version + 1, ..key_ring() }));
    }
    assert_eq!(tried!(store, |transaction| transaction.key_ring(&guid(2))).unwrap(), None);
}

pub async fn an_unlock_key_comes_back(store: &Shared) {
    with_card(store).await;
    assert_eq!(tried!(store, |transaction| transaction.unlock_key(KeyId(id(1)))).unwrap(), Some(unlock_key(1)));
    assert_eq!(tried!(store, |transaction| transaction.unlock_key(KeyId(id(2)))).unwrap(), None);
}

pub async fn every_standing_of_a_registration_comes_back(store: &Shared) {
    with_card(store).await;
    committed!(store, |transaction| transaction.insert_registration(&registration()));
    let found = tried!(store, |transaction| transaction.registration(&user_number(1))).unwrap();
    assert_eq!(found, Some(registration()));
    let standings = [
        Standing::Open { failed_attempts: 2 },
        Standing::LockedOut { since: at(777) },
        Standing::Frozen { since: at(888) },
    ];
    for (version, standing) in (0..).zip(standings) {
        let changed = Registration { standing, version, ..registration() };
        committed!(store, |transaction| transaction.save_registration(&changed));
        let found = tried!(store, |transaction| transaction.registration(&user_number(1))).unwrap();
        assert_eq!(found, Some(Registration { version: version + 1, ..changed }));
    }
    assert_eq!(tried!(store, |transaction| transaction.registration(&user_number(2))).unwrap(), None);
}

pub async fn an_ended_registration_comes_back(store: &Shared) {
    with_card(store).await;
    committed!(store, |transaction| transaction.insert_registration(&registration()));
    let ended = registration().end(at(999));
    committed!(store, |transaction| transaction.save_registration(&ended));
    let found = tried!(store, |transaction| transaction.registration(&user_number(1))).unwrap();
    assert_eq!(found, Some(Registration { version: 1, ..ended }));
}

fn new_factor() -> FlowFactor {
    FlowFactor::New(NewFactor { answers: answers(), recovery_codes: recovery_codes() })
}

pub async fn every_step_of_a_registration_flow_comes_back(store: &Shared) {
    with_card(store).await;
    committed!(store, |transaction| transaction.replace_registration_flow(&registration_flow(1, 1)));
    let steps = [
        RegistrationStep::Questions(SetQuestions {}),
        RegistrationStep::Email(ConfirmEmail { factor: new_factor() }),
        RegistrationStep::Email(ConfirmEmail::of_registration()),
        RegistrationStep::Code(EnterRegistrationCode { factor: new_factor(), email: email(3), codes: codes() }),
        RegistrationStep::Code(EnterRegistrationCode { factor: FlowFactor::Kept {}, email: email(3), codes: codes() }),
        RegistrationStep::Factor(ChangeFactor {}),
        RegistrationStep::Keep(KeepRecoveryCodes { recovery_codes: recovery_codes() }),
        RegistrationStep::Completed,
        RegistrationStep::Ended,
    ];
    for (version, step) in (0..).zip(steps) {
        let changed =
            RegistrationFlow { step, version, last_active: at(i64::from(version) + 1), ..registration_flow(1, 1) };
        committed!(store, |transaction| transaction.save_registration_flow(&changed));
        let found = tried!(store, |transaction| transaction.registration_flow(changed.session)).unwrap();
        assert_eq!(found, Some(RegistrationFlow { version: version + 1, ..changed }));
    }
}

pub async fn every_step_of_an_unlock_flow_comes_back(store: &Shared) {
    with_card(store).await;
    committed!(store, |transaction| transaction.insert_unlock_flow(&unlock_flow(1)));
    let released = Released { next: KeyId(id(2)), completion: challenge(7), connection_key: ConnectionKey([8; 32]) };
    let steps = [
        UnlockStep::Questions(AnswerQuestions { asked: vec![question(20)] }),
        UnlockStep::Code(EnterCode { codes: codes() }),
        UnlockStep::RecoveryCode(EnterRecoveryCode {}),
        UnlockStep::Passcode(ChoosePasscode {
            releases: vec![released.clone(), released],
            opened_by: OpenedBy::Officer,
        }),
        UnlockStep::Completed(Completed { completion: challenge(7) }),
        UnlockStep::ended(EndReason::CodeTriesUsedUp),
    ];
    for (version, step) in (0..).zip(steps) {
        let changed = UnlockFlow { step, version, last_active: at(i64::from(version) + 1), ..unlock_flow(1) };
        committed!(store, |transaction| transaction.save_unlock_flow(&changed));
        let found = tried!(store, |transaction| transaction.unlock_flow(token(1))).unwrap();
        assert_eq!(found, Some(UnlockFlow { version: version + 1, ..changed.clone() }));
        let open = tried!(store, |transaction| transaction.open_unlock_flows(&guid(1))).unwrap();
        assert_eq!(open.len(), usize::from(changed.step.is_open()), "{:?}", changed.step);
    }
}

pub async fn a_session_comes_back(store: &Shared) {
    with_card(store).await;
    committed!(store, |transaction| transaction.insert_session(&session(1, 1)));
    assert_eq!(tried!(store, |transaction| transaction.session(token(1))).unwrap(), Some(session(1, 1)));
    assert_eq!(tried!(store, |transaction| transaction.session(token(2))).unwrap(), None);
}

pub async fn a_used_challenge_comes_back(store: &Shared) {
    let in_flow = UsedChallenge {
        challenge: challenge(1),
        flow: Some(FlowId(id(1))),
        outcome: r#"{"outcome":"wrong"}"#.to_owned(),
        at: at(0),
    };
    let without_flow = UsedChallenge { challenge: challenge(2), flow: None, ..in_flow.clone() };
    for used in [&in_flow, &without_flow] {
        committed!(store, |transaction| transaction.insert_used_challenge(used));
        let found = tried!(store, |transaction| transaction.used_challenge(&used.challenge)).unwrap();
        assert_eq!(found.as_ref(), Some(used));
    }
    assert_eq!(tried!(store, |transaction| transaction.used_challenge(&challenge(3))).unwrap(), None);
}

pub async fn a_handled_form_comes_back(store: &Shared) {
    let (flow, form) = (FlowId(id(1)), FormId(id(2)));
    committed!(store, |transaction| transaction.insert_handled_form(flow, form, "outcome"));
    let found = tried!(store, |transaction| transaction.handled_form(flow, form)).unwrap();
    assert_eq!(found.as_deref(), Some("outcome"));
    let other = tried!(store, |transaction| transaction.handled_form(FlowId(id(2)), FormId(id(1)))).unwrap();
    assert_eq!(other, None);
}

pub async fn every_step_of_an_issuance_comes_back(store: &Shared) {
    committed!(store, |transaction| transaction.insert_person(&person(1)));
    committed!(store, |transaction| transaction.insert_issuance(&issuance(1)));
    assert_eq!(tried!(store, |transaction| transaction.issuance(&guid(201))).unwrap(), Some(issuance(1)));
    assert_eq!(tried!(store, |transaction| transaction.issuance(&guid(1))).unwrap(), None);
    let prepared = Prepared {
        completion: challenge(1),
        authentication_key: vec![0x30, 1],
        card_authentication_key: vec![0x30, 2],
        requests: Some(CertificateRequests { authentication: Der(vec![3]), card_authentication: Der(vec![4]) }),
    };
    committed!(store, |transaction| transaction.insert_person(&person(2)));
    let steps = [IssuanceStep::Fresh, IssuanceStep::Prepared(prepared), IssuanceStep::Issued];
    for (version, step) in (0..).zip(steps) {
        let by = domain::trail::ByOfficer::only(trail_name(91));
        let changed = domain::issuance::Issuance {
            person: user_number(2),
            by,
            replaces: None,
            attempts: 4,
            step,
            version,
            ..issuance(1)
        };
        committed!(store, |transaction| transaction.save_issuance(&changed));
        let expected = domain::issuance::Issuance { version: version + 1, ..changed };
        assert_eq!(tried!(store, |transaction| transaction.issuance(&guid(201))).unwrap(), Some(expected));
    }
}

pub async fn the_authority_comes_back(store: &Shared) {
    assert_eq!(tried!(store, |transaction| transaction.certificate_authority()).unwrap(), None);
    committed!(store, |transaction| transaction.insert_certificate_authority(&authority()));
    assert_eq!(tried!(store, |transaction| transaction.certificate_authority()).unwrap(), Some(authority()));
}
