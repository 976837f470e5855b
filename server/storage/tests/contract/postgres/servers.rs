//! Several servers on one database: each stands here as a store of its own.

use std::{
    num::NonZeroU32,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{
    delivery::{MailState, Undelivered},
    ports::{StoreError, Transaction},
};
use sea_orm::sqlx::Executor;
use storage::{connect, testing::TestSchema};
use tokio::task::JoinSet;

use super::{open, open_past};
use crate::suite::{concurrency, fixtures::*};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_servers_may_start_on_an_empty_database_at_once() {
    for _ in 0..5 {
        let schema = TestSchema::make().await;
        let mut starts = JoinSet::new();
        for _ in 0..6 {
            let location = schema.location();
            starts.spawn(async move { connect(&location).await.map(drop) });
        }
        for started in starts.join_all().await {
            started.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_on_one_database_lose_nothing() {
    let schema = TestSchema::make().await;
    let stores = [open(&schema).await, open(&schema).await];
    concurrency::attempts_of_several_stores_are_all_counted(&stores).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_waits_for_another_and_then_sees_what_it_did() {
    let schema = TestSchema::make().await;
    let (first, second) = (open(&schema).await, open(&schema).await);
    with_card(&first).await;
    let mut transaction = begin(&first).await;
    let waiting = tokio::spawn(async move { tried!(&second, |transaction| transaction.session(token(1))) });
    let mut past = open_past(&schema).await;
    let waits = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
        AND objid::int8 = hashtext(current_schema())::int8 & 4294967295";
    let mut polls = 0..1000;
    while past.execute(waits).await.unwrap().rows_affected() == 0 {
        assert!(polls.next().is_some(), "it does not wait");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    transaction.insert_session(&session(1, 1)).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), Some(session(1, 1)));
}

/// The sessions that hold the turn or wait for it.
const IN_TURN: &str = "SELECT FROM pg_locks WHERE locktype = 'advisory'
    AND objid::int8 = hashtext(current_schema())::int8 & 4294967295";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_has_no_more_connections_than_it_may_and_one_is_enough() {
    for connections in [1, 2] {
        let schema = TestSchema::make().await;
        let location = schema.location().with_connections(NonZeroU32::new(connections).unwrap());
        let store: Shared = Arc::new(connect(&location).await.unwrap());
        with_card(&store).await;
        let turn = begin(&store).await;
        let mut others = JoinSet::new();
        for number in 1..=5 {
            let store = Arc::clone(&store);
            others.spawn(async move {
                committed!(&store, |transaction| transaction.insert_session(&session(number, 1)));
            });
        }
        let mut past = open_past(&schema).await;
        let mut in_turn = async || past.execute(IN_TURN).await.unwrap().rows_affected();
        let mut polls = 0..1000;
        while in_turn().await < u64::from(connections) {
            assert!(polls.next().is_some(), "they do not come");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(in_turn().await, u64::from(connections));
        drop(turn);
        others.join_all().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_within_a_transaction_loses_it_and_the_others_go_on() {
    let schema = TestSchema::make().await;
    let (first, second) = (open(&schema).await, open(&schema).await);
    with_card(&first).await;
    let mut transaction = begin(&first).await;
    transaction.insert_session(&session(1, 1)).await.unwrap();
    let others = async { committed!(&second, |transaction| transaction.insert_session(&session(1, 2))) };
    tokio::time::timeout(Duration::from_secs(30), others).await.unwrap();
    assert!(matches!(transaction.commit().await, Err(StoreError::Unavailable(_))));
    assert_eq!(tried!(&first, |transaction| transaction.session(token(1))).unwrap(), Some(session(1, 2)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_stays_locked_is_not_available() {
    let schema = TestSchema::make().await;
    let store = open(&schema).await;
    let mut past = open_past(&schema).await;
    past.execute("SELECT pg_advisory_lock(1396919623, hashtext(current_schema()))").await.unwrap();
    let begun = Instant::now();
    assert!(matches!(store.begin().await, Err(StoreError::Unavailable(_))));
    assert!(begun.elapsed() >= Duration::from_secs(9), "it gave up after {:?}", begun.elapsed());
}

/// Does something while it is somebody's turn, who is not idle for so long that it would be ended.
async fn held(turn: &mut Box<dyn Transaction>, work: impl Future<Output = ()>) {
    let mut work = pin!(work);
    while tokio::time::timeout(Duration::from_secs(1), &mut work).await.is_err() {
        turn.trail_head().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_wait_for_no_turn_and_not_for_each_other() {
    let schema = TestSchema::make().await;
    let (first, second) = (open(&schema).await, open(&schema).await);
    for number in 1..=3 {
        committed!(&first, |transaction| transaction.insert_mail(&mail(number, 0)));
    }
    let mut turn = begin(&first).await;
    turn.insert_mail(&mail(4, 0)).await.unwrap();
    // More than there are connections on which a turn is waited for.
    let mut waiting = JoinSet::new();
    for store in [&first, &second].iter().cycle().take(40) {
        let store = Arc::clone(store);
        waiting.spawn(async move { drop(store.begin().await.unwrap()) });
    }
    held(&mut turn, tokio::time::sleep(Duration::from_millis(300))).await;
    let work = async {
        let mut claiming = first.begin_dispatch().await.unwrap();
        assert_eq!(claiming.claim_due_mails(at(1), at(99), 2).await.unwrap(), [mail(1, 0), mail(2, 0)]);
        let claimed = dispatched!(&second, |dispatch| dispatch.claim_due_mails(at(1), at(99), 9));
        assert_eq!(
            claimed,
            [mail(3, 0)],
            "what the other is taking is left to it, and what is not committed is not there"
        );
        dispatched!(&second, |dispatch| dispatch.mark_mail_sent(mail(3, 0).id, at(2)));
        claiming.commit().await.unwrap();
    };
    // Whoever waited for the turn would be refused after ten seconds.
    held(&mut turn, work).await;
    turn.commit().await.unwrap();
    waiting.join_all().await;
    assert_eq!(due_mails(&second, 50, 9).await, [mail(4, 0)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn news_of_a_mail_that_a_turn_is_ending_wait_for_it_and_change_nothing() {
    let schema = TestSchema::make().await;
    let store = open(&schema).await;
    committed!(&store, |transaction| transaction.insert_mail(&mail(1, 0)));
    let mut turn = begin(&store).await;
    turn.end_mail(mail(1, 0).id, Undelivered::Refused, at(1)).await.unwrap();
    let late = Arc::clone(&store);
    let late =
        tokio::spawn(async move { dispatched!(&late, |dispatch| dispatch.mark_mail_sent(mail(1, 0).id, at(2))) });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!late.is_finished(), "it does not wait");
    turn.commit().await.unwrap();
    late.await.unwrap();
    let state = tried!(&store, |transaction| transaction.mail_state(mail(1, 0).id)).unwrap();
    assert_eq!(state, Some(MailState::Undelivered(Undelivered::Refused)));
}
