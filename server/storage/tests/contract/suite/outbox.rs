//! The mails that wait to be sent.

use std::{collections::HashSet, sync::Arc};

use domain::{
    delivery::{MailOnRecord, MailState, Undelivered},
    mail::OutboxMail,
    ports::StoreError,
    token::MailId,
};
use tokio::task::JoinSet;

use super::fixtures::*;

async fn with_mails(store: &Shared) {
    for (number, created) in [(1, 20), (2, 10), (3, 30)] {
        committed!(store, |transaction| transaction.insert_mail(&mail(number, created)));
    }
}

async fn claim(store: &Shared, now: i64, lease: i64) -> Vec<OutboxMail> {
    dispatched!(store, |dispatch| dispatch.claim_due_mails(at(now), at(lease), 10))
}

fn attempted(mail: OutboxMail, attempts: u32) -> OutboxMail {
    OutboxMail { attempts, ..mail }
}

pub async fn due_mails_come_oldest_first(store: &Shared) {
    with_mails(store).await;
    assert_eq!(claim(store, 20, 20).await, [mail(2, 10), mail(1, 20)]);
    let two = dispatched!(store, |dispatch| dispatch.claim_due_mails(at(30), at(30), 2));
    assert_eq!(two, [attempted(mail(2, 10), 1), attempted(mail(1, 20), 1)]);
    assert_eq!(claim(store, 30, 99).await, [attempted(mail(2, 10), 2), attempted(mail(1, 20), 2), mail(3, 30)]);
}

pub async fn a_mail_with_a_code_comes_before_others(store: &Shared) {
    with_mails(store).await;
    let code = OutboxMail { holds_code: true, ..mail(4, 30) };
    committed!(store, |transaction| transaction.insert_mail(&code));
    assert_eq!(claim(store, 29, 99).await, [mail(2, 10), mail(1, 20)]);
    assert_eq!(claim(store, 30, 99).await, [code, mail(3, 30)]);
}

pub async fn a_claimed_mail_is_nobody_elses_until_its_lease_ends(store: &Shared) {
    with_mails(store).await;
    assert_eq!(claim(store, 10, 60).await, [mail(2, 10)]);
    assert_eq!(claim(store, 30, 80).await, [mail(1, 20), mail(3, 30)]);
    assert_eq!(claim(store, 59, 99).await, []);
    assert_eq!(claim(store, 60, 99).await, [attempted(mail(2, 10), 1)]);
}

pub async fn a_mail_put_off_comes_again_with_one_attempt_more(store: &Shared) {
    with_mails(store).await;
    assert_eq!(claim(store, 10, 1000).await, [mail(2, 10)]);
    dispatched!(store, |dispatch| dispatch.put_off_mail(&mail(2, 10), at(15)));
    assert_eq!(claim(store, 14, 1000).await, []);
    assert_eq!(claim(store, 15, 1000).await, [attempted(mail(2, 10), 1)]);
    dispatched!(store, |dispatch| dispatch.put_off_mail(&mail(2, 10), at(16)));
    assert_eq!(claim(store, 16, 1000).await, [], "who has claimed it before has no say any more");
    dispatched!(store, |dispatch| dispatch.put_off_mail(&attempted(mail(2, 10), 1), at(17)));
    assert_eq!(claim(store, 17, 1000).await, [attempted(mail(2, 10), 2)]);
}

pub async fn a_mail_that_is_done_with_comes_no_more(store: &Shared) {
    with_mails(store).await;
    assert_eq!(claim(store, 20, 50).await, [mail(2, 10), mail(1, 20)]);
    dispatched!(store, |dispatch| dispatch.mark_mail_sent(MailId(id(1)), at(40)));
    committed!(store, |transaction| transaction.end_mail(MailId(id(2)), Undelivered::GivenUp, at(41)));
    // Late news of a mail that is done with change nothing.
    dispatched!(store, |dispatch| dispatch.put_off_mail(&mail(1, 20), at(42)));
    dispatched!(store, |dispatch| dispatch.mark_mail_sent(MailId(id(2)), at(43)));
    assert_eq!(claim(store, 10_000, 20_000).await, [mail(3, 30)]);
}

pub async fn how_far_a_mail_is_can_be_asked(store: &Shared) {
    for number in 1..=4 {
        committed!(store, |transaction| transaction.insert_mail(&mail(number, 20)));
    }
    dispatched!(store, |dispatch| dispatch.mark_mail_sent(MailId(id(2)), at(40)));
    committed!(store, |transaction| transaction.end_mail(MailId(id(3)), Undelivered::GivenUp, at(41)));
    committed!(store, |transaction| transaction.end_mail(MailId(id(4)), Undelivered::Refused, at(42)));
    for (number, state) in [
        (1, Some(MailState::Waiting { since: at(20) })),
        (2, Some(MailState::Sent)),
        (3, Some(MailState::Undelivered(Undelivered::GivenUp))),
        (4, Some(MailState::Undelivered(Undelivered::Refused))),
        (5, None),
    ] {
        let found = tried!(store, |transaction| transaction.mail_state(MailId(id(number)))).unwrap();
        assert_eq!(found, state, "{number}");
    }
}

pub async fn two_claimers_never_get_one_mail(store: &Shared) {
    for number in 1..=40 {
        committed!(store, |transaction| transaction.insert_mail(&mail(number, 0)));
    }
    let mut claimers = JoinSet::new();
    for _ in 0..4 {
        let store = Arc::clone(store);
        claimers.spawn(async move {
            let mut claimed: Vec<MailId> = Vec::new();
            loop {
                assert!(claimed.len() <= 40, "mails come again and again");
                let mut dispatch = store.begin_dispatch().await.unwrap();
                // A store may refuse one of two claims at once: the claimer then comes again.
                let mails = match dispatch.claim_due_mails(at(1), at(99_999), 3).await {
                    Ok(mails) => mails,
                    Err(StoreError::Conflict) => continue,
                    Err(fault) => panic!("{fault}"),
                };
                match dispatch.commit().await {
                    Ok(()) if mails.is_empty() => break claimed,
                    Ok(()) => claimed.extend(mails.into_iter().map(|mail| mail.id)),
                    Err(StoreError::Conflict) => {}
                    Err(fault) => panic!("{fault}"),
                }
                tokio::task::yield_now().await;
            }
        });
    }
    let claimed = claimers.join_all().await.concat();
    assert_eq!(claimed.len(), 40);
    assert_eq!(claimed.iter().collect::<HashSet<_>>().len(), 40);
}

pub async fn the_mails_of_a_person_come_newest_first(store: &Shared) {
    let theirs = |number, created| OutboxMail { owner: Some(trail_name(1)), ..mail(number, created) };
    for mail in [theirs(1, 20), theirs(2, 10), theirs(3, 30), mail(4, 40), OutboxMail { owner: None, ..mail(5, 50) }] {
        committed!(store, |transaction| transaction.insert_mail(&mail));
    }
    dispatched!(store, |dispatch| dispatch.mark_mail_sent(MailId(id(1)), at(60)));
    committed!(store, |transaction| transaction.end_mail(MailId(id(2)), Undelivered::Refused, at(60)));
    let found = tried!(store, |transaction| transaction.mails_of(&trail_name(1), 9)).unwrap();
    let on_record = |created, state| MailOnRecord { at: at(created), state };
    assert_eq!(
        found,
        [
            on_record(30, MailState::Waiting { since: at(30) }),
            on_record(20, MailState::Sent),
            on_record(10, MailState::Undelivered(Undelivered::Refused)),
        ]
    );
    assert_eq!(tried!(store, |transaction| transaction.mails_of(&trail_name(1), 1)).unwrap().len(), 1);
    assert_eq!(tried!(store, |transaction| transaction.mails_of(&trail_name(9), 9)).unwrap(), []);
}
