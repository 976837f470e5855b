//! Several processes on one file: each stands here as a store of its own.

use std::time::{Duration, Instant};

use domain::ports::StoreError;
use storage::{Location, connect};
use tokio::task::JoinSet;

use super::{data, open, shared};
use crate::suite::{concurrency, fixtures::*};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_processes_may_start_on_a_new_folder_at_once() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let mut starts = JoinSet::new();
        for _ in 0..6 {
            let location = Location::folder(data(&folder));
            starts.spawn(async move { connect(&location).await.map(drop) });
        }
        for started in starts.join_all().await {
            started.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_file_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let stores = [shared(&open(&folder).await), shared(&open(&folder).await)];
    concurrency::attempts_of_several_stores_are_all_counted(&stores).await;
}

#[tokio::test]
async fn a_process_waits_for_another_and_then_sees_what_it_did() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (shared(&open(&folder).await), shared(&open(&folder).await));
    with_card(&first).await;
    let mut transaction = begin(&first).await;
    let waiting = tokio::spawn(async move { tried!(&second, |transaction| transaction.session(token(1))) });
    tokio::time::sleep(Duration::from_millis(200)).await;
    transaction.insert_session(&session(1, 1)).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), Some(session(1, 1)));
}

#[tokio::test]
async fn a_database_that_stays_locked_is_not_available() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (shared(&open(&folder).await), shared(&open(&folder).await));
    let _transaction = begin(&first).await;
    let begun = Instant::now();
    assert!(matches!(second.begin().await, Err(StoreError::Unavailable(_))));
    assert!(begun.elapsed() >= Duration::from_secs(4), "it gave up after {:?}", begun.elapsed());
}
