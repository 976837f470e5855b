//! The desk does not wait for everybody.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use domain::ports::Store;
use storage::{SqlStore, connect, testing::TestSchema};
use tokio::task::JoinSet;

use crate::sqlite;

/// How many ask at once, and how many of them may come before the desk.
const REQUESTS: usize = 300;
const BEFORE_THE_DESK: usize = 100;

/// Long enough for all of them to wait.
const GATHERING: Duration = Duration::from_millis(300);

async fn the_desk_is_served_before_most_of_those_who_wait(store: SqlStore) {
    let turn = store.begin().await.unwrap();
    let served = Arc::<AtomicUsize>::default();
    let mut everybody = JoinSet::new();
    for _ in 0..REQUESTS {
        let (store, served) = (store.clone(), Arc::clone(&served));
        everybody.spawn(async move {
            drop(store.begin().await.unwrap());
            served.fetch_add(1, Ordering::SeqCst);
        });
    }
    tokio::time::sleep(GATHERING).await;
    let desk = store.for_the_desk();
    let desk = tokio::spawn(async move { drop(desk.begin().await.unwrap()) });
    tokio::time::sleep(GATHERING).await;
    drop(turn);
    desk.await.unwrap();
    let before = served.load(Ordering::SeqCst);
    assert!(before < BEFORE_THE_DESK, "{before} of {REQUESTS} came before the desk");
    everybody.join_all().await;
    assert_eq!(served.load(Ordering::SeqCst), REQUESTS, "everybody is served in the end");
}

#[tokio::test]
async fn on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    the_desk_is_served_before_most_of_those_who_wait(sqlite::open(&folder).await).await;
}

#[tokio::test]
async fn on_postgresql() {
    let schema = TestSchema::make().await;
    the_desk_is_served_before_most_of_those_who_wait(connect(&schema.location()).await.unwrap()).await;
}
