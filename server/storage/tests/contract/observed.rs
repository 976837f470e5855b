//! What whoever observes a store is told of it, and what can be seen from outside. On both databases.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use domain::{
    mail::OutboxMail,
    milestone::{FlowKind, Milestone, Stage, StageEnd},
    ports::{Store, StoreError, Transaction},
    trail::{Event, Outcome, TrailRecord},
};
use futures::FutureExt;
use storage::{Connections, Glance, Observer, SqlStore, TransactionEnd, connect, testing::TestSchema};
use tokio::sync::Notify;

use crate::suite::fixtures::*;

/// Keeps what it is told.
#[derive(Default)]
struct Told {
    waiting: Mutex<i64>,
    ends: Mutex<Vec<TransactionEnd>>,
    records: Mutex<Vec<(Event, Outcome, u64)>>,
    milestones: Mutex<Vec<Milestone>>,
}

impl Observer for Told {
    fn transaction_waits(&self) {
        *self.waiting.lock().unwrap() += 1;
    }

    fn transaction_waited(&self, _: Duration) {
        *self.waiting.lock().unwrap() -= 1;
    }

    fn transaction_ended(&self, _: Duration, end: TransactionEnd) {
        self.ends.lock().unwrap().push(end);
    }

    fn records_kept(&self, event: Event, outcome: Outcome, count: u64) {
        self.records.lock().unwrap().push((event, outcome, count));
    }

    fn milestone_reached(&self, milestone: Milestone) {
        self.milestones.lock().unwrap().push(milestone);
    }
}

impl Told {
    fn ends(&self) -> Vec<TransactionEnd> {
        std::mem::take(&mut self.ends.lock().unwrap())
    }

    fn records(&self) -> Vec<(Event, Outcome, u64)> {
        std::mem::take(&mut self.records.lock().unwrap())
    }

    fn milestones(&self) -> Vec<Milestone> {
        std::mem::take(&mut self.milestones.lock().unwrap())
    }
}

fn record(number: u64, event: &str, outcome: &str) -> TrailRecord {
    let entry = format!(r#"{{"at":1,"event":"{event}","outcome":"{outcome}","person":null,"card":null}}"#);
    TrailRecord { number, entry, person: None, mac: [1; 32] }
}

async fn add(transaction: &mut dyn Transaction, records: &[TrailRecord]) -> Result<(), StoreError> {
    for record in records {
        transaction.insert_trail_record(record).await?;
    }
    Ok(())
}

async fn records_are_told_once_they_are_kept(store: SqlStore) {
    let told = Arc::new(Told::default());
    let store = store.observed_by(Arc::clone(&told) as Arc<dyn Observer>);
    let records =
        [record(1, "signed-in", "done"), record(2, "unlock-begun", "refused"), record(3, "signed-in", "done")];

    let mut dropped = store.begin().await.unwrap();
    add(&mut *dropped, &records).await.unwrap();
    drop(dropped);
    assert_eq!((told.ends(), told.records()), (vec![TransactionEnd::Dropped], vec![]));

    let mut kept = store.begin().await.unwrap();
    add(&mut *kept, &records).await.unwrap();
    assert_eq!(told.records(), []);
    kept.commit().await.unwrap();
    assert_eq!(told.ends(), [TransactionEnd::Committed]);
    assert_eq!(told.records(), [(Event::SignedIn, Outcome::Done, 2), (Event::UnlockBegun, Outcome::Refused, 1)]);

    let mut late = store.begin().await.unwrap();
    assert!(add(&mut *late, &records).await.is_err());
    drop(late);
    assert_eq!((told.ends(), told.records()), (vec![TransactionEnd::Conflict], vec![]));
}

async fn how_far_people_got_is_told_once_it_is_committed_and_where_they_were_left_when_it_is_forgotten(
    store: SqlStore,
) {
    let told = Arc::new(Told::default());
    let observed = store.observed_by(Arc::clone(&told) as Arc<dyn Observer>);
    let store: Shared = Arc::new(observed);
    with_card(&store).await;
    let begun = Milestone { flow: FlowKind::Unlock, stage: Stage::Begin, end: StageEnd::Passed };
    let mut dropped = store.begin().await.unwrap();
    dropped.count_milestone(Some(begun));
    drop(dropped);
    assert_eq!(told.milestones(), []);
    let mut kept = store.begin().await.unwrap();
    kept.count_milestone(Some(begun));
    kept.insert_unlock_flow(&ended(unlock_flow(1))).await.unwrap();
    kept.insert_unlock_flow(&unlock_flow(2)).await.unwrap();
    kept.insert_session(&session(1, 1)).await.unwrap();
    kept.replace_registration_flow(&registration_flow(3, 1)).await.unwrap();
    assert_eq!(told.milestones(), []);
    kept.commit().await.unwrap();
    assert_eq!(told.milestones(), [begun]);

    let mut forgetting = store.begin().await.unwrap();
    forgetting.forget_before(at(1)).await.unwrap();
    forgetting.commit().await.unwrap();
    let left = |flow| Milestone { flow, stage: Stage::Questions, end: StageEnd::Expired };
    assert_eq!(told.milestones(), [left(FlowKind::Unlock), left(FlowKind::Registration)]);
}

async fn a_transaction_that_waits_is_told_until_its_turn_or_until_it_is_given_up(store: SqlStore) {
    let told = Arc::new(Told::default());
    let store = store.observed_by(Arc::clone(&told) as Arc<dyn Observer>);
    let first = store.begin().await.unwrap();
    let (second, given_up) = (store.clone(), store.clone());
    let second = tokio::spawn(async move { second.begin().await.map(drop) });
    let given_up = tokio::spawn(async move { given_up.begin().await.map(drop) });
    let waits = async |count| {
        while *told.waiting.lock().unwrap() != count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), waits(2)).await.expect("both are told");
    given_up.abort();
    tokio::time::timeout(Duration::from_secs(5), waits(1)).await.expect("one of them waits no more");
    drop(first);
    second.await.unwrap().unwrap();
    assert_eq!(*told.waiting.lock().unwrap(), 0);
}

async fn a_database_that_is_gone_is_told_and_answers_nobody(store: SqlStore) {
    let told = Arc::new(Told::default());
    let store = store.observed_by(Arc::clone(&told) as Arc<dyn Observer>);
    store.answers().await.unwrap();
    store.close().await.unwrap();
    assert!(matches!(store.begin().await.map(drop), Err(StoreError::Unavailable(_))));
    assert_eq!(told.ends(), [TransactionEnd::Failed]);
    assert!(matches!(store.answers().await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.glance(at(20)).await, Err(StoreError::Unavailable(_))));
}

async fn what_waits_is_seen_from_outside(store: SqlStore) {
    let glance = async || store.glance(at(25)).await.unwrap();
    assert_eq!(glance().await, Glance { mails: 0, oldest_mail: None, late_codes: 0, trail_head: 0 });
    let mut transaction = store.begin().await.unwrap();
    transaction.insert_person(&person(1)).await.unwrap();
    for (number, created) in [(1, 20), (2, 10), (3, 30)] {
        transaction.insert_mail(&mail(number, created)).await.unwrap();
        // Of one person.
        let code = OutboxMail { holds_code: true, owner: mail(1, 0).owner, ..mail(10 + number, created) };
        transaction.insert_mail(&code).await.unwrap();
    }
    add(&mut *transaction, &[record(1, "signed-in", "done"), record(2, "signed-in", "done")]).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(glance().await, Glance { mails: 6, oldest_mail: Some(at(10)), late_codes: 1, trail_head: 2 });
    let mut transaction = store.begin_dispatch().await.unwrap();
    transaction.mark_mail_sent(mail(2, 10).id, at(40)).await.unwrap();
    transaction.mark_mail_sent(mail(11, 20).id, at(40)).await.unwrap();
    transaction.mark_mail_sent(mail(12, 10).id, at(40)).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(glance().await, Glance { mails: 3, oldest_mail: Some(at(20)), late_codes: 0, trail_head: 2 });
}

async fn the_outbox_is_emptied_for_mails_that_are_kept_and_for_nothing_else(store: SqlStore) {
    let wake = Arc::new(Notify::new());
    let store = store.waking(Arc::clone(&wake));
    let is_woken = || wake.notified().now_or_never().is_some();

    let mut dropped = store.begin().await.unwrap();
    dropped.insert_mail(&mail(1, 10)).await.unwrap();
    drop(dropped);
    let mut without = store.begin().await.unwrap();
    without.insert_person(&person(1)).await.unwrap();
    without.commit().await.unwrap();
    assert!(!is_woken());

    let mut kept = store.begin().await.unwrap();
    kept.insert_mail(&mail(1, 10)).await.unwrap();
    kept.insert_mail(&mail(2, 10)).await.unwrap();
    assert!(!is_woken());
    kept.commit().await.unwrap();
    assert!(is_woken() && !is_woken(), "once for all of them");

    let mut sent = store.begin_dispatch().await.unwrap();
    sent.mark_mail_sent(mail(1, 10).id, at(40)).await.unwrap();
    sent.commit().await.unwrap();
    assert!(!is_woken());

    // Whoever committed it does not hear of it any more.
    let mut lost = store.begin().await.unwrap();
    lost.insert_mail(&mail(4, 10)).await.unwrap();
    lost.commit().now_or_never();
    assert!(is_woken());

    let mut of_desk = store.for_the_desk().begin().await.unwrap();
    of_desk.insert_mail(&mail(3, 10)).await.unwrap();
    of_desk.commit().await.unwrap();
    assert!(is_woken());
}

macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let folder = tempfile::tempdir().unwrap();
                super::$test(crate::sqlite::open(&folder).await).await;
            })+
        }

        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let schema = super::TestSchema::make().await;
                super::$test(super::connect(&schema.location()).await.unwrap()).await;
            })+
        }
    };
}

on_both! {
    records_are_told_once_they_are_kept,
    a_transaction_that_waits_is_told_until_its_turn_or_until_it_is_given_up,
    a_database_that_is_gone_is_told_and_answers_nobody,
    what_waits_is_seen_from_outside,
    how_far_people_got_is_told_once_it_is_committed_and_where_they_were_left_when_it_is_forgotten,
    the_outbox_is_emptied_for_mails_that_are_kept_and_for_nothing_else,
}

/// On PostgreSQL who looks from outside needs none of the connections on which others wait for their turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_from_outside_waits_for_nobody() {
    let schema = TestSchema::make().await;
    let store = connect(&schema.location()).await.unwrap();
    let mut held = store.begin().await.unwrap();
    let waiting: Vec<_> = std::iter::repeat_with(|| {
        let store = store.clone();
        tokio::spawn(async move { store.begin().await.map(drop) })
    })
    .take(20)
    .collect();
    let all_wait = async {
        while !matches!(store.connections(), Connections { open: 10, idle: 0 }) {
            // It would be ended if it were idle for long.
            held.trail_head().await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), all_wait).await.expect("no connection is left");
    tokio::time::timeout(Duration::from_secs(4), store.answers()).await.expect("it waits for nobody").unwrap();
    drop(held);
    for waited in waiting {
        waited.await.unwrap().unwrap();
    }
}
