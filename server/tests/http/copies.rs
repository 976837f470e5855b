//! A service moves from SQLite to PostgreSQL by `copy-database`.

use card_protocol::{Purpose, sealed::Sealed};
use serde_json::{Value, json};
use storage::testing::TestSchema;

use crate::{
    audit::trail_holds,
    browser::Browser,
    place::{Place, write_private},
    sign_in::{JANE, sign_in},
    test_app::{TestApp, in_words},
    unlock::{answer_rightly, identify, prove, registered, unlock},
};

/// Copies its database to this schema.
fn copy(place: &Place, schema: &TestSchema) -> Result<String, String> {
    let file = place.folder().join("moving-to");
    write_private(&file, &schema.url());
    in_words(&place.run(&["copy-database", "--to-url-file", file.to_str().unwrap()]))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unlock_that_was_begun_on_sqlite_goes_on_on_postgresql() {
    let app = TestApp::start().await;
    if !app.place().is_sqlite() {
        return;
    }
    let mut card = registered(&app).await;
    unlock(&app, &mut card).await;
    let mut browser = Browser::new(&app);
    sign_in(&mut browser, &card).await;
    assert_eq!(identify(&mut browser, &card).await, "Flow");
    assert_eq!(answer_rightly(&mut browser, &card).await.value::<Value>(), "Right");
    let code = app.mail().await.code();
    let (before, key) = (app.trail().await, app.service_key());

    let mut stopped = app.stop().await;
    let schema = TestSchema::make().await;
    let said = copy(&stopped.place, &schema).unwrap();
    assert!(said.contains(&format!("The audit trail holds: {} records", before.len())), "{said}");
    assert!(!said.contains(JANE.0) && !said.contains("postgres://"), "{said}");
    let again = copy(&stopped.place, &schema).unwrap_err();
    assert!(again.contains("is not empty"), "{again}");
    stopped.place.move_to(schema);
    let app = stopped.start().await;

    assert_eq!(app.trail().await, before);
    assert_eq!(app.service_key(), key);
    browser.reconnect(&app);
    assert!(browser.get("/profile").await.body.contains(JANE.1));
    let proof = prove(&mut browser, &card, Purpose::Attempt).await;
    let answer = browser.call("unlock/code", &json!({ "proof": proof, "code": code })).await;
    assert_eq!(answer.value::<Value>(), "Right");
    let release = prove(&mut browser, &card, Purpose::Release).await;
    let sealed: Sealed = browser.call("unlock/release", &json!({ "proof": release })).await.value();
    let completion = card.reset_passcode(&app, &release, &sealed);
    let proof = card.prove(Purpose::Unlocked, completion);
    let _: () = browser.call("unlock/complete", &json!({ "proof": proof })).await.value();
    assert_eq!(app.mail().await.subject, "Your Smartcard was unlocked");
    trail_holds(&app).await;
    app.clock.advance(time::Duration::hours(2));
    unlock(&app, &mut card).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_on_which_the_service_runs_or_whose_trail_is_broken_is_not_copied() {
    let app = TestApp::start().await;
    if !app.place().is_sqlite() {
        return;
    }
    registered(&app).await;
    let schema = TestSchema::make().await;
    let refused = copy(app.place(), &schema).unwrap_err();
    assert!(refused.contains("stop the service first"), "{refused}");
    let stopped = app.stop().await;
    write_private(&stopped.place.folder().join("secrets/trail-key"), &"5a".repeat(32));
    let refused = copy(&stopped.place, &schema).unwrap_err();
    assert!(refused.contains("the audit trail is broken at record 1"), "{refused}");
    // Nothing is there: with its own secrets it can be copied.
    assert!(schema.tables_with("").await.is_empty());
}
