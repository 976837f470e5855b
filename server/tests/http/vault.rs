//! Another vault key: all unlock keys are sealed under it, also when that was stopped half-way.

use std::{collections::BTreeMap, sync::Arc};

use card_protocol::{Guid, UnlockKey};
use domain::{
    ports::{Store, Vault, VaultError},
    resealing::Resealing,
    token::KeyId,
    unlock_key::StoredUnlockKey,
};
use server::{
    config::secrets::{KeyName, KeySet, SecretBytes},
    randomness::SystemRandomness,
    vault::AesGcmVault,
};
use uuid::Uuid;

use crate::{sign_in::janes_card, test_app::TestApp};

const KEYS: u64 = 250;

fn vault(current: &str, keys: &[(&str, u8)]) -> AesGcmVault {
    let name = |name: &str| KeyName::try_from(name.to_owned()).unwrap();
    let keys: BTreeMap<_, _> = keys.iter().map(|(key, byte)| (name(key), SecretBytes::new([*byte; 32]))).collect();
    AesGcmVault::new(&KeySet::new(name(current), keys).unwrap(), Arc::new(SystemRandomness))
}

/// A store with many unlock keys of one card, all but the card's own sealed by this vault.
async fn with_keys(app: &TestApp, vault: &dyn Vault) -> Guid {
    let guid = janes_card(app).await.guid;
    let store = app.store();
    let mut transaction = store.begin().await.unwrap();
    for number in 0..KEYS {
        let id = KeyId(Uuid::from_u128(number.into()));
        let key = StoredUnlockKey::seal(id, guid, &UnlockKey::new(number.to_be_bytes()), vault);
        transaction.insert_unlock_key(&key).await.unwrap();
    }
    transaction.commit().await.unwrap();
    guid
}

async fn key(store: &dyn Store, number: u64) -> StoredUnlockKey {
    let id = KeyId(Uuid::from_u128(number.into()));
    store.begin().await.unwrap().unlock_key(id).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_rotation_that_was_stopped_half_way_and_begun_again_the_former_key_is_not_needed() {
    let app = TestApp::start().await;
    let own = std::fs::read_to_string(app.folder().join("secrets/vault-key-1")).unwrap();
    let mut own_key = [0; 32];
    base16ct::lower::decode(own.trim(), &mut own_key).unwrap();
    let both = |current: &str| {
        let name = |name: &str| KeyName::try_from(name.to_owned()).unwrap();
        let keys =
            [(name("1"), SecretBytes::new(own_key)), (name("2"), SecretBytes::new([2; 32]))].into_iter().collect();
        AesGcmVault::new(&KeySet::new(name(current), keys).unwrap(), Arc::new(SystemRandomness))
    };
    with_keys(&app, &both("1")).await;
    let store = app.store();

    let rotated = both("2");
    let stopped = Resealing::default().go_on(store, &rotated).await.unwrap().unwrap();
    assert!(0 < stopped.resealed && stopped.resealed < KEYS, "{stopped:?}");
    for number in [0, KEYS - 1] {
        assert_eq!(key(store, number).await.open(&rotated).unwrap().expose_secret(), &number.to_be_bytes());
    }

    let mut done = Resealing::default();
    while let Some(further) = done.go_on(store, &rotated).await.unwrap() {
        done = further;
    }
    // The card's own key is among them.
    assert_eq!((done.looked_at, done.resealed), (KEYS + 1, KEYS + 1 - stopped.resealed));
    let alone = vault("2", &[("2", 2)]);
    for number in 0..KEYS {
        assert_eq!(key(store, number).await.open(&alone).unwrap().expose_secret(), &number.to_be_bytes());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_without_the_former_key_says_which_card_it_belongs_to_and_changes_nothing() {
    let app = TestApp::start().await;
    let former = vault("1", &[("1", 1)]);
    let guid = with_keys(&app, &former).await;
    let store = app.store();
    let fault = Resealing::default().go_on(store, &vault("2", &[("2", 2)])).await.unwrap_err();
    assert!(fault.to_string().contains(&guid.to_string()), "{fault}");
    assert!(fault.to_string().contains(&VaultError::UnknownKey.to_string()), "{fault}");
    assert!(key(store, 0).await.open(&former).is_ok());
}
