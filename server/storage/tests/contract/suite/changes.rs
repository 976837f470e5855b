//! What a transaction changes, and what it does not.

use domain::{
    issuance::Issuance,
    ports::{UsedChallenge, VaultCiphertext},
    registration::{Registration, RegistrationFlow},
    session::Session,
    token::FormId,
    unlock::UnlockFlow,
    unlock_key::StoredUnlockKey,
};

use super::fixtures::*;

pub async fn what_is_not_committed_never_was(store: &Shared) {
    with_card(store).await;
    committed!(store, |transaction| transaction.insert_registration(&registration()));
    let mut transaction = begin(store).await;
    transaction.insert_card(&card(2)).await.unwrap();
    transaction.insert_session(&session(1, 1)).await.unwrap();
    transaction.insert_mail(&mail(1, 0)).await.unwrap();
    transaction.insert_trail_record(&record(1, None)).await.unwrap();
    transaction.save_registration(&Registration { email: email(9), former: None, ..registration() }).await.unwrap();
    drop(transaction);

    let mut transaction = begin(store).await;
    assert_eq!(transaction.card(&guid(2)).await.unwrap(), None);
    assert_eq!(transaction.card_with_key(&key(4)).await.unwrap(), None);
    assert_eq!(transaction.session(token(1)).await.unwrap(), None);
    assert_eq!(transaction.trail_head().await.unwrap(), None);
    assert_eq!(transaction.registration(&user_number(1)).await.unwrap(), Some(registration()));
    drop(transaction);
    assert_eq!(due_mails(store, 9, 9).await, []);
}

pub async fn what_was_saved_is_a_version_later(store: &Shared) {
    with_card(store).await;
    committed!(store, |transaction| transaction.insert_registration(&registration()));
    for version in 0..3 {
        let found = tried!(store, |transaction| transaction.registration(&user_number(1))).unwrap().unwrap();
        assert_eq!(found.version, version);
        committed!(store, |transaction| transaction.save_registration(&found));
    }
}

pub async fn a_touch_changes_the_time_and_not_the_version(store: &Shared) {
    with_card(store).await;
    let (session, unlock, registration) = (session(1, 1), unlock_flow(2), registration_flow(3, 1));
    let mut transaction = begin(store).await;
    transaction.insert_session(&session).await.unwrap();
    transaction.insert_unlock_flow(&unlock).await.unwrap();
    transaction.replace_registration_flow(&registration).await.unwrap();
    transaction.commit().await.unwrap();

    let mut transaction = begin(store).await;
    transaction.touch_session(session.id, at(50)).await.unwrap();
    transaction.touch_unlock_flow(unlock.id, at(51)).await.unwrap();
    transaction.touch_registration_flow(registration.id, at(52)).await.unwrap();
    transaction.commit().await.unwrap();

    let mut transaction = begin(store).await;
    let found = transaction.session(session.token).await.unwrap();
    assert_eq!(found, Some(Session { last_active: at(50), ..session }));
    let found = transaction.unlock_flow(unlock.token).await.unwrap();
    assert_eq!(found, Some(UnlockFlow { last_active: at(51), ..unlock }));
    let found = transaction.registration_flow(registration.session).await.unwrap();
    assert_eq!(found, Some(RegistrationFlow { last_active: at(52), ..registration }));
}

pub async fn a_flow_of_a_session_is_replaced(store: &Shared) {
    with_card(store).await;
    let (first, second, other) = (registration_flow(1, 1), registration_flow(2, 1), registration_flow(3, 2));
    for flow in [&first, &other, &second] {
        committed!(store, |transaction| transaction.replace_registration_flow(flow));
    }
    let found = tried!(store, |transaction| transaction.registration_flow(second.session)).unwrap();
    assert_eq!(found, Some(second));
    let found = tried!(store, |transaction| transaction.registration_flow(other.session)).unwrap();
    assert_eq!(found, Some(other));
}

pub async fn a_saved_unlock_flow_is_found_by_its_new_token_only(store: &Shared) {
    with_card(store).await;
    committed!(store, |transaction| transaction.insert_unlock_flow(&unlock_flow(1)));
    let renewed = UnlockFlow { token: token(9), ..unlock_flow(1) };
    committed!(store, |transaction| transaction.save_unlock_flow(&renewed));
    assert_eq!(tried!(store, |transaction| transaction.unlock_flow(token(1))).unwrap(), None);
    assert!(tried!(store, |transaction| transaction.unlock_flow(token(9))).unwrap().is_some());
}

pub async fn a_session_gets_a_new_cookie(store: &Shared) {
    with_card(store).await;
    committed!(store, |transaction| transaction.insert_session(&session(1, 1)));
    committed!(store, |transaction| transaction.insert_session(&session(2, 1)));
    committed!(store, |transaction| transaction.renew_session(session(1, 1).id, token(9)));
    assert_eq!(tried!(store, |transaction| transaction.session(token(1))).unwrap(), None);
    let found = tried!(store, |transaction| transaction.session(token(9))).unwrap();
    assert_eq!(found, Some(Session { token: token(9), ..session(1, 1) }));
    assert!(tried!(store, |transaction| transaction.session(token(2))).unwrap().is_some());
}

pub async fn other_sessions_of_the_person_are_ended(store: &Shared) {
    with_card(store).await;
    for (number, person) in [(1, 1), (2, 1), (3, 1), (4, 2)] {
        committed!(store, |transaction| transaction.insert_session(&session(number, person)));
    }
    committed!(store, |transaction| transaction.delete_sessions(&user_number(1), Some(session(2, 1).id)));
    committed!(store, |transaction| transaction.delete_session(session(9, 1).id));
    let mut left = Vec::new();
    for number in 1..=4 {
        left.extend(tried!(store, |transaction| transaction.session(token(number))).unwrap());
    }
    assert_eq!(left, [session(2, 1), session(4, 2)]);
    committed!(store, |transaction| transaction.delete_session(session(2, 1).id));
    assert_eq!(tried!(store, |transaction| transaction.session(token(2))).unwrap(), None);
    committed!(store, |transaction| transaction.delete_sessions(&user_number(2), None));
    assert_eq!(tried!(store, |transaction| transaction.session(token(4))).unwrap(), None);
}

pub async fn old_challenges_are_forgotten(store: &Shared) {
    for (number, used) in [(1, 99), (2, 100), (3, 101)] {
        let used = UsedChallenge { challenge: challenge(number), flow: None, outcome: String::new(), at: at(used) };
        committed!(store, |transaction| transaction.insert_used_challenge(&used));
    }
    committed!(store, |transaction| transaction.forget_before(at(100)));
    for (number, kept) in [(1, false), (2, true), (3, true)] {
        let found = tried!(store, |transaction| transaction.used_challenge(&challenge(number))).unwrap();
        assert_eq!(found.is_some(), kept, "challenge {number}");
    }
}

pub async fn old_sessions_and_flows_are_forgotten(store: &Shared) {
    with_card(store).await;
    let form = FormId(id(7));
    for (number, used) in [(1, 99), (2, 100)] {
        let session = Session { last_active: at(used), ..session(number, 1) };
        committed!(store, |transaction| transaction.insert_session(&session));
        let flow = UnlockFlow { last_active: at(used), ..ended(unlock_flow(number)) };
        committed!(store, |transaction| transaction.insert_unlock_flow(&flow));
        let flow = RegistrationFlow { last_active: at(used), ..registration_flow(number, number) };
        committed!(store, |transaction| transaction.replace_registration_flow(&flow));
        committed!(store, |transaction| transaction.insert_handled_form(flow.id, form, ""));
    }
    committed!(store, |transaction| transaction.forget_before(at(100)));
    for (number, kept) in [(1, false), (2, true)] {
        let mut transaction = begin(store).await;
        assert_eq!(transaction.session(token(number)).await.unwrap().is_some(), kept);
        assert_eq!(transaction.unlock_flow(token(number)).await.unwrap().is_some(), kept);
        let flow = registration_flow(number, number);
        assert_eq!(transaction.registration_flow(flow.session).await.unwrap().is_some(), kept);
        assert_eq!(transaction.handled_form(flow.id, form).await.unwrap().is_some(), kept);
    }
}

pub async fn old_code_mails_are_forgotten_and_mails_that_wait_are_not(store: &Shared) {
    with_card(store).await;
    for sent in [99, 100] {
        committed!(store, |transaction| transaction.insert_code_mail(&user_number(1), at(sent)));
    }
    for number in [1, 2] {
        committed!(store, |transaction| transaction.insert_mail(&mail(number, 99)));
    }
    dispatched!(store, |dispatch| dispatch.mark_mail_sent(mail(1, 99).id, at(100)));
    committed!(store, |transaction| transaction.forget_before(at(100)));
    let noted = tried!(store, |transaction| transaction.code_mails_since(&user_number(1), at(0))).unwrap();
    assert_eq!(noted, [at(100)]);
    assert_eq!(due_mails(store, 200, 10).await, [mail(2, 99)]);
    // The one that was sent has gone: its number is free.
    committed!(store, |transaction| transaction.insert_mail(&mail(1, 99)));
}

pub async fn code_mails_are_counted_from_a_time(store: &Shared) {
    with_card(store).await;
    for (person, sent) in [(1, 30), (1, 10), (2, 25), (1, 20), (1, 20)] {
        committed!(store, |transaction| transaction.insert_code_mail(&user_number(person), at(sent)));
    }
    let found = tried!(store, |transaction| transaction.code_mails_since(&user_number(1), at(10))).unwrap();
    assert_eq!(found, [at(20), at(20), at(30)]);
}

pub async fn unlock_keys_are_listed_by_id_and_sealed_anew(store: &Shared) {
    with_card(store).await;
    for number in [3, 2, 4] {
        committed!(store, |transaction| transaction.insert_unlock_key(&unlock_key(number)));
    }
    let first = tried!(store, |transaction| transaction.unlock_keys_after(None, 2)).unwrap();
    assert_eq!(first, [unlock_key(1), unlock_key(2)]);
    let resealed = StoredUnlockKey { sealed: VaultCiphertext(vec![99; 41]), ..unlock_key(3) };
    committed!(store, |transaction| transaction.save_resealed_unlock_key(&resealed));
    let rest = tried!(store, |transaction| transaction.unlock_keys_after(Some(unlock_key(2).id), 9)).unwrap();
    assert_eq!(rest, [resealed, unlock_key(4)]);
}

pub async fn the_unlocks_of_a_card_are_counted_from_a_time(store: &Shared) {
    with_card(store).await;
    committed!(store, |transaction| transaction.insert_card(&card(2)));
    for (number, began) in [(1, 30), (2, 10), (3, 20)] {
        let flow = UnlockFlow { began_at: at(began), last_active: at(99), ..ended(unlock_flow(number)) };
        committed!(store, |transaction| transaction.insert_unlock_flow(&flow));
    }
    let other = UnlockFlow { card: guid(2), began_at: at(25), ..ended(unlock_flow(4)) };
    committed!(store, |transaction| transaction.insert_unlock_flow(&other));
    let found = tried!(store, |transaction| transaction.unlock_flows_begun_since(&guid(1), at(10))).unwrap();
    assert_eq!(found, [at(20), at(30)]);
}

pub async fn issuances_are_listed_by_guid(store: &Shared) {
    committed!(store, |transaction| transaction.insert_person(&person(1)));
    for number in [3, 1, 2] {
        committed!(store, |transaction| transaction.insert_issuance(&issuance(number)));
    }
    let first = tried!(store, |transaction| transaction.issuances_after(None, 2)).unwrap();
    assert_eq!(first, [issuance(1), issuance(2)]);
    let rest = tried!(store, |transaction| transaction.issuances_after(Some(guid(202)), 2)).unwrap();
    assert_eq!(rest, [issuance(3)]);
}

pub async fn issuances_are_found_by_person(store: &Shared) {
    for number in [1, 2] {
        committed!(store, |transaction| transaction.insert_person(&person(number)));
    }
    let others = Issuance { person: user_number(2), ..issuance(3) };
    for issuance in [&issuance(2), &issuance(1), &others] {
        committed!(store, |transaction| transaction.insert_issuance(issuance));
    }
    let found = tried!(store, |transaction| transaction.issuances_of(&user_number(1))).unwrap();
    assert_eq!(found, [issuance(1), issuance(2)]);
}

pub async fn the_authority_is_sealed_anew(store: &Shared) {
    committed!(store, |transaction| transaction.insert_certificate_authority(&authority()));
    let anew = domain::authority::StoredAuthority { key: domain::ports::VaultCiphertext(vec![9]), ..authority() };
    committed!(store, |transaction| transaction.save_resealed_authority(&anew));
    assert_eq!(tried!(store, |transaction| transaction.certificate_authority()).unwrap(), Some(anew));
}
