//! Imports that managers begin at the desk.

use axum::{
    body::{Body, Bytes},
    http::{Request, header},
};
use card_protocol::{Challenge, Purpose};
use domain::{role::Role, trail::Event};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    audit::trail_holds,
    browser::{Answer, Browser},
    card::Card,
    import::{HEADER, PEOPLE, kept, row, sealed},
    managers::at_desk,
    sign_in::JANE,
    test_app::{ORIGIN, TestApp},
};

const BOUNDARY: &str = "a-boundary-of-the-form";

fn digest(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(&Sha256::digest(bytes))
}

fn order(people: &str, cards: &[u8], extent: &str) -> Value {
    json!({ "people": digest(people.as_bytes()), "cards": digest(cards), "extent": extent })
}

/// Has the officer's card sign for an order.
async fn sign(browser: &mut Browser, card: &Card, order: &Value) -> Result<Value, Answer> {
    let hello = browser.challenge("ra/start").await;
    let proof = card.prove(Purpose::Hello, hello);
    let answer = browser.call("ra/import/confirm-card", &json!({ "proof": proof, "order": order })).await;
    if !answer.status.is_success() {
        return Err(answer);
    }
    Ok(json!(card.prove(Purpose::RaAction, answer.value::<Challenge>())))
}

/// A form of these fields; with a name those of files.
fn form(fields: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, content) in fields {
        let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

fn whole_form(order: &Value, proof: &Value, people: &str, cards: &[u8]) -> Vec<u8> {
    form(&[
        ("order", None, order.to_string().as_bytes()),
        ("proof", None, proof.to_string().as_bytes()),
        ("people", Some("people.csv"), people.as_bytes()),
        ("cards", Some("cards.csv.age"), cards),
    ])
}

fn request(browser: &Browser, body: Body) -> Request<Body> {
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    let request = browser.request("POST", "/api/ra/import/upload").header(header::ORIGIN, ORIGIN);
    request.header(header::CONTENT_TYPE, kind).body(body).unwrap()
}

async fn send(browser: &mut Browser, body: Vec<u8>) -> Answer {
    let request = request(browser, Body::from(body));
    browser.send(request).await
}

/// The latest import, once it has ended.
async fn ended(browser: &mut Browser) -> Value {
    for _ in 0..200 {
        let runs: Value = browser.call("ra/imports", &json!({})).await.value();
        if runs[0]["is_under_way"] == false {
            return runs[0].clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the import does not end");
}

async fn upload(
    app: &TestApp,
    (browser, card): (&mut Browser, &Card),
    people: &str,
    cards: &[u8],
    extent: &str,
) -> Value {
    // The latest is told by its time.
    app.clock.advance(time::Duration::seconds(1));
    let order = order(people, cards, extent);
    let proof = sign(browser, card, &order).await.unwrap();
    let answer = send(browser, whole_form(&order, &proof, people, cards)).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    ended(browser).await
}

fn cards_file(app: &TestApp, rows: &[String]) -> Vec<u8> {
    sealed(app, &[&[HEADER.to_owned()], rows].concat().join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_the_officers_card_has_signed_for_are_taken_in() {
    let app = TestApp::start().await;
    let (mut manager, officers) = at_desk(&app, 8, Role::RaManager).await;
    let cards = [Card::number(1), Card::number(2), Card::number(3)];
    let people = "user_number,name,email,organisation\n555000000017,Jane Smith,,Trust A\n1002,Zoë Ng,zoe,\n";
    let file = cards_file(&app, &[row(&cards[0], JANE.0), row(&cards[1], "1002"), row(&cards[2], "908")]);
    let run = upload(&app, (&mut manager, &officers), people, &file, "each-row").await;
    assert_eq!(run["state"], "All rows were read.", "{run}");
    assert_eq!(run["people"], json!({ "added": 1, "moved": 0, "unchanged": 0, "refused": 1 }));
    assert_eq!(run["cards"], json!({ "added": 1, "moved": 0, "unchanged": 0, "refused": 2 }));
    let faults: Vec<_> = run["faults"].as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        [
            r#"{"file":"People","line":3,"why":"The email address is not one"}"#,
            r#"{"file":"Smartcards","line":3,"why":"Nobody has this user number"}"#,
            r#"{"file":"Smartcards","line":4,"why":"It is about you: another manager has to take it in"}"#
        ]
    );
    assert_eq!(kept(&app, &[&cards[0], &cards[1], &cards[2]]).await.0, 1);
    let trail = app.trail().await;
    let begun = trail.iter().find(|entry| entry.event == Event::ImportBegun).unwrap();
    let signed = begun.by.clone().unwrap().files.unwrap();
    assert_eq!([signed.people.to_string(), signed.cards.to_string()], [digest(people.as_bytes()), digest(&file)]);
    assert_eq!(trail.last().unwrap().event, Event::ImportEnded);
    trail_holds(&app).await;
    let page = manager.get("/ra/imports").await;
    assert!(page.body.contains("Nobody has this user number") && page.body.contains("Officer 8"), "{}", page.body);
    let page = manager.get("/ra/import").await;
    assert!(page.body.contains("age -r age1"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_or_nothing_is_nothing_where_a_row_is_refused_and_all_where_none_is() {
    let app = TestApp::start().await;
    let (mut manager, officers) = at_desk(&app, 8, Role::RaManager).await;
    let card = Card::number(1);
    let bad = cards_file(&app, &[row(&card, JANE.0), row(&Card::number(2), "1009")]);
    let run = upload(&app, (&mut manager, &officers), PEOPLE, &bad, "all-or-nothing").await;
    assert_eq!(run["state"], "Rows were refused, so nothing was kept.", "{run}");
    assert_eq!(kept(&app, &[&card]).await.0, 0);
    // Files much larger than any other body.
    let good = cards_file(&app, &[row(&card, JANE.0), "\n".repeat(300_000)]);
    let run = upload(&app, (&mut manager, &officers), PEOPLE, &good, "all-or-nothing").await;
    assert_eq!(run["people"]["added"], 2, "{run}");
    assert_eq!(kept(&app, &[&card]).await.0, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_what_was_signed_is_not_taken_in() {
    let app = TestApp::start().await;
    let (mut manager, officers) = at_desk(&app, 8, Role::RaManager).await;
    let card = Card::number(1);
    let file = cards_file(&app, &[row(&card, JANE.0)]);
    let signed = order(PEOPLE, &file, "each-row");
    let proof = sign(&mut manager, &officers, &signed).await.unwrap();
    let other_people = PEOPLE.replace("Jane Smith", "Jane Smyth");
    let answer = send(&mut manager, whole_form(&signed, &proof, &other_people, &file)).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    let run = ended(&mut manager).await;
    assert_eq!(run["state"], "What arrived is not what was signed for. Nothing was kept.", "{run}");
    let again = send(&mut manager, whole_form(&signed, &proof, PEOPLE, &file)).await;
    assert_eq!(again.fault(), "Stale");
    // Another order, or another's signature, is no signature.
    let proof = sign(&mut manager, &officers, &signed).await.unwrap();
    let all = order(PEOPLE, &file, "all-or-nothing");
    assert_eq!(send(&mut manager, whole_form(&all, &proof, PEOPLE, &file)).await.fault(), "Refused");
    let (mut agent, agents) = at_desk(&app, 7, Role::RaAgent).await;
    assert_eq!(sign(&mut agent, &agents, &signed).await.unwrap_err().fault(), "Role");
    assert_eq!(send(&mut agent, whole_form(&signed, &proof, PEOPLE, &file)).await.fault(), "Role");
    let mut nobody = Browser::new(&app);
    assert_eq!(send(&mut nobody, whole_form(&signed, &proof, PEOPLE, &file)).await.fault(), "SignedOut");
    assert_eq!(kept(&app, &[&card]).await.0, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_site_or_shape_is_refused() {
    let app = TestApp::start().await;
    let (mut manager, officers) = at_desk(&app, 8, Role::RaManager).await;
    let file = cards_file(&app, &[]);
    let signed = order(PEOPLE, &file, "each-row");
    let proof = sign(&mut manager, &officers, &signed).await.unwrap();
    let body = whole_form(&signed, &proof, PEOPLE, &file);
    let mut foreign = request(&manager, Body::from(body.clone()));
    foreign.headers_mut().insert(header::ORIGIN, "https://evil.example.com".parse().unwrap());
    assert_eq!(manager.send(foreign).await.status, 403);
    let text = |value: &Value| value.to_string().into_bytes();
    let (order_text, proof_text) = (text(&signed), text(&proof));
    let files_first =
        form(&[("people", Some("p"), PEOPLE.as_bytes()), ("order", None, &order_text), ("proof", None, &proof_text)]);
    let long_order = form(&[("order", None, &vec![b' '; 20_000]), ("proof", None, &proof_text)]);
    let other_field = form(&[("order", None, &order_text), ("passcode", None, b"123456")]);
    for body in [files_first, long_order, other_field, b"nothing".to_vec()] {
        assert_eq!(send(&mut manager, body).await.fault(), "NotReceived");
    }
    // Nothing was begun by any of them: the signature is still good.
    assert_eq!(send(&mut manager, body).await.status, 202);
    ended(&mut manager).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_do_not_arrive_as_a_whole_leave_nothing_and_another_import_may_begin() {
    let app = TestApp::start().await;
    let (mut manager, officers) = at_desk(&app, 8, Role::RaManager).await;
    let card = Card::number(1);
    let file = cards_file(&app, &[row(&card, JANE.0)]);
    let signed = order(PEOPLE, &file, "each-row");
    let proof = sign(&mut manager, &officers, &signed).await.unwrap();
    let whole = whole_form(&signed, &proof, PEOPLE, &file);
    let answer = send(&mut manager, whole[..whole.len() - 60].to_vec()).await;
    assert_eq!(answer.fault(), "NotReceived");
    let run = ended(&mut manager).await;
    assert_eq!(run["state"], "The files did not arrive as a whole. Nothing was kept.", "{run}");
    let run = upload(&app, (&mut manager, &officers), PEOPLE, &file, "each-row").await;
    assert_eq!(run["cards"]["added"], 1, "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_one_import_at_a_time() {
    let app = TestApp::start().await;
    let (mut manager, officers) = at_desk(&app, 8, Role::RaManager).await;
    let file = cards_file(&app, &[]);
    let signed = order(PEOPLE, &file, "each-row");
    let first = sign(&mut manager, &officers, &signed).await.unwrap();
    let second = sign(&mut manager, &officers, &signed).await.unwrap();
    // The first has sent all but its end.
    let whole = whole_form(&signed, &first, PEOPLE, &file);
    let (sender, receiver) = tokio::sync::mpsc::channel::<Bytes>(1);
    let body = futures::stream::unfold(receiver, async |mut receiver| {
        let piece = receiver.recv().await?;
        Some((Ok::<_, std::io::Error>(piece), receiver))
    });
    let slow = request(&manager, Body::from_stream(Box::pin(body)));
    let mut other = manager.clone();
    let sending = tokio::spawn(async move { other.send(slow).await });
    let (beginning, end) = whole.split_at(whole.len() - 60);
    sender.send(Bytes::copy_from_slice(beginning)).await.unwrap();
    while app.trail().await.last().unwrap().event != Event::ImportBegun {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(send(&mut manager, whole_form(&signed, &second, PEOPLE, &file)).await.fault(), "ImportUnderWay");
    assert_eq!(sign(&mut manager, &officers, &signed).await.unwrap_err().fault(), "ImportUnderWay");
    sender.send(Bytes::copy_from_slice(end)).await.unwrap();
    drop(sender);
    assert_eq!(sending.await.unwrap().status, 202);
    assert_eq!(ended(&mut manager).await["people"]["added"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn cards_that_are_not_encrypted_or_of_something_else_are_named() {
    let app = TestApp::start().await;
    let (mut manager, officers) = at_desk(&app, 8, Role::RaManager).await;
    let plain = format!("{HEADER}\n{}\n", row(&Card::number(1), JANE.0));
    let run = upload(&app, (&mut manager, &officers), PEOPLE, plain.as_bytes(), "each-row").await;
    assert!(run["state"].as_str().unwrap().contains("is not encrypted"), "{run}");
    let other = sealed(&app, "guid,user_number\n");
    let run = upload(&app, (&mut manager, &officers), PEOPLE, &other, "each-row").await;
    assert_eq!(run["state"], "The first line of the file “Smartcards” is not what it should be.", "{run}");
}
