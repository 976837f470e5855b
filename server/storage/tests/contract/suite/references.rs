//! Rows that refer to rows of other tables.

use domain::ports::StoreError;

use super::fixtures::*;

pub async fn a_row_of_nobody_is_refused_at_the_commit(store: &Shared) {
    let mut transaction = begin(store).await;
    transaction.insert_session(&session(1, 1)).await.unwrap();
    assert!(matches!(transaction.commit().await, Err(StoreError::Unavailable(_))));
    assert_eq!(tried!(store, |transaction| transaction.session(token(1))).unwrap(), None);
}

pub async fn the_order_in_which_rows_are_added_does_not_matter(store: &Shared) {
    let mut transaction = begin(store).await;
    transaction.insert_key_ring(&key_ring()).await.unwrap();
    transaction.insert_unlock_key(&unlock_key(1)).await.unwrap();
    transaction.insert_card(&card(1)).await.unwrap();
    transaction.insert_person(&person(1)).await.unwrap();
    transaction.commit().await.unwrap();
    assert!(tried!(store, |transaction| transaction.key_ring(&guid(1))).unwrap().is_some());
}
