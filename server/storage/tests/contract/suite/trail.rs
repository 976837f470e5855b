//! The audit trail.

use super::fixtures::*;

async fn with_records(store: &Shared) {
    for (number, person) in [(1, Some(1)), (2, None), (3, Some(2)), (4, Some(1)), (5, Some(1))] {
        committed!(store, |transaction| transaction.insert_trail_record(&record(number, person)));
    }
}

pub async fn records_come_in_order(store: &Shared) {
    assert_eq!(tried!(store, |transaction| transaction.trail_head()).unwrap(), None);
    with_records(store).await;
    assert_eq!(tried!(store, |transaction| transaction.trail_head()).unwrap(), Some(record(5, Some(1))));
    let found = tried!(store, |transaction| transaction.trail_from(2, 2)).unwrap();
    assert_eq!(found, [record(2, None), record(3, Some(2))]);
    assert_eq!(tried!(store, |transaction| transaction.trail_from(0, 99)).unwrap().len(), 5);
}

pub async fn records_about_a_person_come_newest_first(store: &Shared) {
    with_records(store).await;
    let found = tried!(store, |transaction| transaction.trail_of(&trail_name(1), 2)).unwrap();
    assert_eq!(found, [record(5, Some(1)), record(4, Some(1))]);
    let found = tried!(store, |transaction| transaction.trail_before(&trail_name(1), 4, 2)).unwrap();
    assert_eq!(found, [record(1, Some(1))]);
    let found = tried!(store, |transaction| transaction.trail_before(&trail_name(1), 5, 1)).unwrap();
    assert_eq!(found, [record(4, Some(1))]);
}

pub async fn a_number_is_taken_once(store: &Shared) {
    with_records(store).await;
    assert!(is_conflict(&tried!(store, |transaction| transaction.insert_trail_record(&record(5, None)))));
    assert!(is_conflict(&tried!(store, |transaction| transaction.insert_trail_record(&record(1, None)))));
}
