//! What came second is refused, whole.

use domain::{
    card::{Card, CardState},
    ports::UsedChallenge,
    registration::{RegistrationFlow, RegistrationStep},
    token::{FlowId, FormId},
    unlock::UnlockFlow,
};

use super::fixtures::*;

pub async fn a_stale_card_is_refused(store: &Shared) {
    with_card(store).await;
    let [first, second] = [CardState::Cancelled, CardState::UnlockKeyUnknown].map(|state| Card { state, ..card(1) });
    committed!(store, |transaction| transaction.save_card(&first));
    assert!(is_conflict(&tried!(store, |transaction| transaction.save_card(&second))));
    let found = tried!(store, |transaction| transaction.card(&guid(1))).unwrap().unwrap();
    assert_eq!(found.state, CardState::Cancelled);
}

pub async fn a_stale_key_ring_is_refused(store: &Shared) {
    with_card(store).await;
    committed!(store, |transaction| transaction.insert_key_ring(&key_ring()));
    committed!(store, |transaction| transaction.save_key_ring(&key_ring()));
    assert!(is_conflict(&tried!(store, |transaction| transaction.save_key_ring(&key_ring()))));
}

pub async fn a_stale_registration_is_refused(store: &Shared) {
    with_card(store).await;
    committed!(store, |transaction| transaction.insert_registration(&registration()));
    committed!(store, |transaction| transaction.save_registration(&registration()));
    assert!(is_conflict(&tried!(store, |transaction| transaction.save_registration(&registration()))));
}

pub async fn a_stale_registration_flow_is_refused(store: &Shared) {
    with_card(store).await;
    let flow = registration_flow(1, 1);
    committed!(store, |transaction| transaction.replace_registration_flow(&flow));
    committed!(store, |transaction| transaction.save_registration_flow(&flow));
    assert!(is_conflict(&tried!(store, |transaction| transaction.save_registration_flow(&flow))));
}

pub async fn a_stale_unlock_flow_is_refused(store: &Shared) {
    with_card(store).await;
    committed!(store, |transaction| transaction.insert_unlock_flow(&unlock_flow(1)));
    committed!(store, |transaction| transaction.save_unlock_flow(&unlock_flow(1)));
    assert!(is_conflict(&tried!(store, |transaction| transaction.save_unlock_flow(&unlock_flow(1)))));
}

pub async fn a_replaced_registration_flow_is_refused(store: &Shared) {
    with_card(store).await;
    let (first, second) = (registration_flow(1, 1), registration_flow(2, 1));
    committed!(store, |transaction| transaction.replace_registration_flow(&first));
    committed!(store, |transaction| transaction.replace_registration_flow(&second));
    let stale = RegistrationFlow { step: RegistrationStep::Ended, ..first };
    assert!(is_conflict(&tried!(store, |transaction| transaction.save_registration_flow(&stale))));
    let found = tried!(store, |transaction| transaction.registration_flow(second.session)).unwrap();
    assert_eq!(found, Some(second));
}

pub async fn what_is_not_there_cannot_be_saved(store: &Shared) {
    assert!(is_conflict(&tried!(store, |transaction| transaction.save_card(&card(1)))));
    assert!(is_conflict(&tried!(store, |transaction| transaction.save_key_ring(&key_ring()))));
    assert!(is_conflict(&tried!(store, |transaction| transaction.save_registration(&registration()))));
    let flow = registration_flow(1, 1);
    assert!(is_conflict(&tried!(store, |transaction| transaction.save_registration_flow(&flow))));
    assert!(is_conflict(&tried!(store, |transaction| transaction.save_unlock_flow(&unlock_flow(1)))));
}

pub async fn nothing_is_added_twice(store: &Shared) {
    with_card(store).await;
    let used = UsedChallenge { challenge: challenge(1), flow: None, outcome: String::new(), at: at(0) };
    let (flow, form) = (FlowId(id(1)), FormId(id(1)));
    let mut transaction = begin(store).await;
    transaction.insert_key_ring(&key_ring()).await.unwrap();
    transaction.insert_registration(&registration()).await.unwrap();
    transaction.insert_unlock_flow(&unlock_flow(1)).await.unwrap();
    transaction.insert_session(&session(1, 1)).await.unwrap();
    transaction.insert_used_challenge(&used).await.unwrap();
    transaction.insert_handled_form(flow, form, "first").await.unwrap();
    transaction.insert_mail(&mail(1, 0)).await.unwrap();
    transaction.commit().await.unwrap();

    assert!(is_conflict(&tried!(store, |transaction| transaction.insert_person(&person(1)))));
    assert!(is_conflict(&tried!(store, |transaction| transaction.insert_card(&card(1)))));
    assert!(is_conflict(&tried!(store, |transaction| transaction.insert_unlock_key(&unlock_key(1)))));
    assert!(is_conflict(&tried!(store, |transaction| transaction.insert_key_ring(&key_ring()))));
    assert!(is_conflict(&tried!(store, |transaction| transaction.insert_registration(&registration()))));
    assert!(is_conflict(&tried!(store, |transaction| transaction.insert_unlock_flow(&ended(unlock_flow(1))))));
    assert!(is_conflict(&tried!(store, |transaction| transaction.insert_session(&session(1, 1)))));
    assert!(is_conflict(&tried!(store, |transaction| transaction.insert_used_challenge(&used))));
    assert!(is_conflict(&tried!(store, |transaction| transaction.insert_handled_form(flow, form, "second"))));
    assert!(is_conflict(&tried!(store, |transaction| transaction.insert_mail(&mail(1, 0)))));
    let found = tried!(store, |transaction| transaction.handled_form(flow, form)).unwrap();
    assert_eq!(found.as_deref(), Some("first"));
}

pub async fn a_key_is_known_once_over_all_cards_and_slots(store: &Shared) {
    with_card(store).await;
    for taken in [2, 3] {
        let first_slot = Card { authentication_key: key(taken), ..card(2) };
        let second_slot = Card { card_authentication_key: key(taken), ..card(2) };
        assert!(is_conflict(&tried!(store, |transaction| transaction.insert_card(&first_slot))), "key {taken} in 9A");
        assert!(is_conflict(&tried!(store, |transaction| transaction.insert_card(&second_slot))), "key {taken} in 9E");
    }
    let in_both = Card { card_authentication_key: key(4), ..card(2) };
    assert!(is_conflict(&tried!(store, |transaction| transaction.insert_card(&in_both))));

    // Not even a commit after the refusal leaves half a card.
    let mut transaction = begin(store).await;
    assert!(is_conflict(&transaction.insert_card(&Card { card_authentication_key: key(3), ..card(2) }).await));
    assert!(is_conflict(&transaction.commit().await));
    assert_eq!(tried!(store, |transaction| transaction.card(&guid(2))).unwrap(), None);
    assert_eq!(tried!(store, |transaction| transaction.card_with_key(&key(4))).unwrap(), None);
}

pub async fn a_card_has_one_open_unlock_flow(store: &Shared) {
    with_card(store).await;
    committed!(store, |transaction| transaction.insert_card(&card(2)));
    committed!(store, |transaction| transaction.insert_unlock_flow(&unlock_flow(1)));
    assert!(is_conflict(&tried!(store, |transaction| transaction.insert_unlock_flow(&unlock_flow(2)))));
    let of_other_card = UnlockFlow { card: guid(2), ..unlock_flow(3) };
    committed!(store, |transaction| transaction.insert_unlock_flow(&of_other_card));

    let mut transaction = begin(store).await;
    transaction.save_unlock_flow(&ended(unlock_flow(1))).await.unwrap();
    transaction.insert_unlock_flow(&unlock_flow(2)).await.unwrap();
    transaction.commit().await.unwrap();
    let open = tried!(store, |transaction| transaction.open_unlock_flows(&guid(1))).unwrap();
    assert_eq!(open, [unlock_flow(2)]);
}

pub async fn ended_unlock_flows_are_as_many_as_there_were(store: &Shared) {
    with_card(store).await;
    for number in 1..=3 {
        committed!(store, |transaction| transaction.insert_unlock_flow(&ended(unlock_flow(number))));
    }
    assert_eq!(tried!(store, |transaction| transaction.open_unlock_flows(&guid(1))).unwrap(), []);
    assert!(tried!(store, |transaction| transaction.unlock_flow(token(2))).unwrap().is_some());
}

pub async fn a_stale_issuance_is_refused(store: &Shared) {
    committed!(store, |transaction| transaction.insert_person(&person(1)));
    committed!(store, |transaction| transaction.insert_issuance(&issuance(1)));
    committed!(store, |transaction| transaction.save_issuance(&issuance(1)));
    assert!(is_conflict(&tried!(store, |transaction| transaction.save_issuance(&issuance(1)))));
    assert!(is_conflict(&tried!(store, |transaction| transaction.insert_issuance(&issuance(1)))));
}

pub async fn there_is_one_authority(store: &Shared) {
    committed!(store, |transaction| transaction.insert_certificate_authority(&authority()));
    assert!(is_conflict(&tried!(store, |transaction| transaction.insert_certificate_authority(&authority()))));
}
