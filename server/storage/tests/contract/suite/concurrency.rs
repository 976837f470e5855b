//! Requests at once: each takes its turn, or is refused and tries again; nothing is lost.

use std::sync::Arc;

use domain::{
    ports::StoreError,
    registration::{Registration, Standing},
};
use tokio::task::JoinSet;

use super::fixtures::*;

const REQUESTS: u8 = 8;

/// Tries until no other request comes first.
macro_rules! until_no_conflict {
    ($attempt:expr) => {
        loop {
            match $attempt.await {
                Ok(done) => break done,
                Err(StoreError::Conflict) => {}
                Err(fault) => panic!("{fault}"),
            }
        }
    };
}

async fn count_attempt(store: &Shared) -> Result<(), StoreError> {
    let mut transaction = store.begin().await?;
    let found = transaction.registration(&user_number(1)).await?.unwrap();
    drop(transaction);
    // Here answers are compared: long enough for others to come first.
    tokio::task::yield_now().await;
    let Standing::Open { failed_attempts } = found.standing else { panic!("locked out") };
    let standing = Standing::Open { failed_attempts: failed_attempts + 1 };
    let mut transaction = store.begin().await?;
    transaction.save_registration(&Registration { standing, ..found }).await?;
    transaction.commit().await
}

pub async fn attempts_at_once_are_all_counted(store: &Shared) {
    attempts_of_several_stores_are_all_counted(std::slice::from_ref(store)).await;
}

/// The stores are of the same tables: several servers.
pub async fn attempts_of_several_stores_are_all_counted(stores: &[Shared]) {
    let store = &stores[0];
    with_card(store).await;
    committed!(store, |transaction| transaction.insert_registration(&registration()));
    let mut requests = JoinSet::new();
    for request in 0..usize::from(REQUESTS) {
        let store = Arc::clone(&stores[request % stores.len()]);
        requests.spawn(async move { until_no_conflict!(count_attempt(&store)) });
    }
    requests.join_all().await;
    let found = tried!(store, |transaction| transaction.registration(&user_number(1))).unwrap().unwrap();
    assert_eq!(found.standing, Standing::Open { failed_attempts: REQUESTS });
    assert_eq!(found.version, u32::from(REQUESTS));
}

async fn append(store: &Shared) -> Result<(), StoreError> {
    let mut transaction = store.begin().await?;
    let head = transaction.trail_head().await?.map_or(0, |record| record.number);
    tokio::task::yield_now().await;
    transaction.insert_trail_record(&record(head + 1, None)).await?;
    transaction.commit().await
}

pub async fn trail_records_at_once_are_all_kept_without_a_gap(store: &Shared) {
    let mut requests = JoinSet::new();
    for _ in 0..REQUESTS {
        let store = Arc::clone(store);
        requests.spawn(async move {
            for _ in 0..5 {
                until_no_conflict!(append(&store));
            }
        });
    }
    requests.join_all().await;
    let records = tried!(store, |transaction| transaction.trail_from(1, 1000)).unwrap();
    let numbers: Vec<u64> = records.iter().map(|record| record.number).collect();
    assert_eq!(numbers, (1..=u64::from(REQUESTS) * 5).collect::<Vec<_>>());
}

async fn open_flow(store: &Shared, number: u8) -> Result<(), StoreError> {
    let mut transaction = store.begin().await?;
    for flow in transaction.open_unlock_flows(&guid(1)).await? {
        transaction.save_unlock_flow(&ended(flow)).await?;
    }
    tokio::task::yield_now().await;
    transaction.insert_unlock_flow(&unlock_flow(number)).await?;
    transaction.commit().await
}

pub async fn one_of_two_open_flows_wins(store: &Shared) {
    with_card(store).await;
    let mut requests = JoinSet::new();
    for number in 1..=REQUESTS {
        let store = Arc::clone(store);
        requests.spawn(async move { until_no_conflict!(open_flow(&store, number)) });
    }
    requests.join_all().await;
    let open = tried!(store, |transaction| transaction.open_unlock_flows(&guid(1))).unwrap();
    assert_eq!(open.len(), 1);
}
