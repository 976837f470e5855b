//! Following the audit trail: what was logged of it must still be there.

use domain::{
    ports::Store,
    trail::{ChainEnd, TrailKey},
};
use server::commands::audit::{Verdict, follow};

use crate::{sign_in::janes_card, test_app::TestApp};

/// The trail key, as another program finds it.
fn trail_key(app: &TestApp) -> TrailKey {
    let text = std::fs::read_to_string(app.folder().join("secrets/trail-key")).unwrap();
    let mut key = [0; 32];
    base16ct::lower::decode(text.trim(), &mut key).unwrap();
    TrailKey::new(key)
}

/// Fails unless the whole trail holds.
pub async fn trail_holds(app: &TestApp) {
    let verdict = follow(app.store(), &trail_key(app), None).await.unwrap();
    assert!(matches!(verdict, Verdict::Holds(_)), "{verdict:?}");
}

async fn head(store: &dyn Store) -> ChainEnd {
    store.begin().await.unwrap().trail_head().await.unwrap().unwrap().end()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trail_that_has_what_was_logged_holds() {
    let app = TestApp::start().await;
    janes_card(&app).await;
    let (store, key) = (app.store(), trail_key(&app));
    let logged = head(store).await;
    app.register(crate::sign_in::JANE.0, crate::sign_in::JANE.2).await;
    let end = head(store).await;
    assert!(end.number > logged.number);
    for expected in [None, Some(logged), Some(end)] {
        assert_eq!(follow(store, &key, expected).await.unwrap(), Verdict::Holds(end));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trail_that_ends_before_what_was_logged_was_cut_off() {
    let app = TestApp::start().await;
    janes_card(&app).await;
    let (store, key) = (app.store(), trail_key(&app));
    let end = head(store).await;
    let logged = ChainEnd { number: end.number + 1, mac: [7; 32] };
    assert_eq!(follow(store, &key, Some(logged)).await.unwrap(), Verdict::CutOff(end));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trail_whose_record_is_not_the_one_that_was_logged_was_rewritten() {
    let app = TestApp::start().await;
    janes_card(&app).await;
    let (store, key) = (app.store(), trail_key(&app));
    let end = head(store).await;
    let logged = ChainEnd { number: end.number, mac: [7; 32] };
    assert_eq!(follow(store, &key, Some(logged)).await.unwrap(), Verdict::Rewritten(end));
}

#[test]
fn what_is_logged_is_what_the_command_takes() {
    let end = ChainEnd { number: 42, mac: [0xa5; 32] };
    assert_eq!(end.to_string(), format!("42:{}", "a5".repeat(32)));
    assert_eq!(end.to_string().parse(), Ok(end));
    for text in ["42", "42:", "x:a5", &format!("42:{}", "a5".repeat(31)), &format!("42:{}", "g5".repeat(32))] {
        assert!(text.parse::<ChainEnd>().is_err(), "{text}");
    }
}
