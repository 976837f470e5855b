//! What operators are told: whether the service lives, whether it is ready, and its figures.

#![expect(clippy::float_cmp, reason = "a figure is a whole number here")]

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use card_protocol::Purpose;
use domain::trail::Outcome;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{
    browser::Browser,
    card::Card,
    registration::{begin, form, set_questions},
    servers::{Servers, free_address},
    sign_in::janes_card,
    test_app::TestApp,
    unlock::{answer_rightly, answer_wrongly, identify, registered, unlock},
};

/// Asks the listener for operators.
pub async fn ask(app: &TestApp, path: &str) -> (StatusCode, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let (parts, body) = app.admin().router().oneshot(request).await.unwrap().into_parts();
    (parts.status, String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap())
}

/// The figures by name and labels: `name{label="value"}`.
pub async fn scrape(app: &TestApp) -> BTreeMap<String, f64> {
    let (status, text) = ask(app, "/metrics").await;
    assert_eq!(status, StatusCode::OK);
    let figures = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    figures
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

/// The status of an answer of a process, if there is one.
async fn status(address: SocketAddr, path: &str) -> Option<u16> {
    get(address, path).await.map(|(status, _)| status)
}

/// Status and body of an answer of a process, if there is one.
pub async fn get(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    let address = format!("http://{address}{path}");
    let get = move || {
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        let request = Request::get(address).header("host", "localhost:3000").body(()).unwrap();
        let mut answer = ureq::Agent::new_with_config(config).run(request).ok()?;
        Some((answer.status().as_u16(), answer.body_mut().read_to_string().ok()?))
    };
    tokio::task::spawn_blocking(get).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_show_what_happened_by_stage_and_outcome() {
    let app = TestApp::start().await;
    let before = scrape(&app).await;
    assert_eq!(before[r#"service_centre_trail_records_total{event="card-unlocked",outcome="done"}"#], 0.0);
    let mut card = registered(&app).await;
    unlock(&app, &mut card).await;
    let mut browser = Browser::new(&app);
    identify(&mut browser, &card).await;
    let _: Value = answer_wrongly(&mut browser, &card).await.value();
    identify(&mut Browser::new(&app), &card).await;

    let figures = scrape(&app).await;
    let flows = |stage, end| format!(r#"service_centre_flows_total{{flow="unlock",stage="{stage}",end="{end}"}}"#);
    let kept = |event, outcome| format!(r#"service_centre_trail_records_total{{event="{event}",outcome="{outcome}"}}"#);
    for (name, count) in [
        (flows("begin", "passed"), 3.0),
        (flows("begin", "not-registered"), 0.0),
        (flows("questions", "passed"), 1.0),
        (flows("questions", "superseded"), 1.0),
        (flows("code", "passed"), 1.0),
        (flows("passcode", "passed"), 1.0),
        (kept("unlock-begun", "done"), 3.0),
        (kept("questions-answered", "done"), 1.0),
        (kept("questions-answered", "refused"), 1.0),
        (kept("unlock-key-released", "done"), 1.0),
        (kept("card-unlocked", "done"), 1.0),
        (kept("self-service-locked", "refused"), 0.0),
    ] {
        assert_eq!(figures[&name], count, "{name}");
    }
    let trail = app.trail().await;
    #[expect(clippy::cast_precision_loss, reason = "few")]
    let (records, refused) =
        (trail.len() as f64, trail.iter().filter(|entry| entry.outcome == Outcome::Refused).count() as f64);
    assert_eq!(figures["service_centre_trail_head"], records);
    let counted = |figures: &BTreeMap<String, f64>, with: &str| -> f64 {
        let of = |name: &str| name.starts_with("service_centre_trail_records_total") && name.contains(with);
        figures.iter().filter(|(name, _)| of(name)).map(|(_, value)| value).sum()
    };
    assert_eq!(counted(&figures, "outcome"), records);
    assert_eq!(counted(&figures, r#"outcome="refused""#), refused);

    assert_eq!(figures[r#"service_centre_mails_total{end="sent"}"#], 2.0);
    assert!(figures["service_centre_hash_seconds_count"] >= 4.0, "{figures:?}");
    assert_eq!(figures["service_centre_hashes_running"], 0.0);
    assert_eq!(figures["service_centre_hashes_waiting"], 0.0);
    assert_eq!(figures["service_centre_transactions_waiting"], 0.0);
    assert!(figures[r#"service_centre_transactions_total{end="committed"}"#] >= 8.0);
    assert_eq!(figures[r#"service_centre_transactions_total{end="failed"}"#], 0.0);
    let ends: f64 = figures
        .iter()
        .filter(|(name, _)| name.starts_with("service_centre_transactions_total"))
        .map(|(_, value)| value)
        .sum();
    assert_eq!(figures["service_centre_transaction_seconds_count"], ends);
    assert_eq!(figures["service_centre_ready"], 1.0);
    let connections = |state: &str| figures[&format!(r#"service_centre_database_connections{{state="{state}"}}"#)];
    assert!(connections("busy") + connections("idle") >= 1.0);
    let build = format!(r#"service_centre_build_info{{version="{}"}}"#, env!("CARGO_PKG_VERSION"));
    assert_eq!(figures[&build], 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_counted_by_route_and_refusals_by_reason() {
    let app = TestApp::start().await;
    let card = janes_card(&app).await;
    let mut browser = Browser::new(&app);
    begin(&mut browser, &card).await;
    set_questions(&mut browser).await;
    assert_eq!(browser.get("/profile?what=is-typed").await.status, 200);
    assert_eq!(browser.get("/ra/people/555000000017").await.status, 200);
    assert_eq!(browser.get("/no-such-page").await.status, 404);
    let hello = browser.challenge("unlock/start").await;
    let stranger = Card::number(2).prove(Purpose::Unlock, hello);
    assert_eq!(browser.call("unlock/identify", &json!({ "proof": stranger })).await.fault(), "Refused");
    // Without JavaScript: its page is the answer, and the request counts once all the same.
    let email = form(&mut browser, "Email").await;
    assert_eq!(
        browser.submit("register/email", &[("form", &email), ("email", "is-typed@gmail.com")]).await.status,
        422
    );
    let elsewhere = Request::post("/api/unlock/start").header("host", "evil.example.org").body(Body::empty()).unwrap();
    assert_eq!(browser.send(elsewhere).await.status, 421);

    let figures = scrape(&app).await;
    for (route, status, count) in [
        ("/api/session/sign-in", "2xx", 1.0),
        ("/profile", "2xx", 1.0),
        ("/ra/people/{number}", "2xx", 1.0),
        ("/api/unlock/start", "2xx", 1.0),
        ("/api/unlock/identify", "4xx", 1.0),
        ("/api/register/email", "4xx", 1.0),
        ("(file or unknown)", "4xx", 1.0),
        ("(refused before)", "4xx", 1.0),
    ] {
        let name = format!(r#"service_centre_requests_total{{route="{route}",status="{status}"}}"#);
        assert_eq!(figures.get(&name), Some(&count), "{name}: {figures:#?}");
    }
    assert_eq!(figures[r#"service_centre_request_seconds_count{route="/profile"}"#], 1.0);
    let is_refusal = |name: &str, count: f64| name.starts_with("service_centre_refusals_total") && count > 0.0;
    let refusals: BTreeMap<_, _> = figures.iter().filter(|(name, count)| is_refusal(name, **count)).collect();
    assert_eq!(refusals.len(), 2, "{refusals:?}");
    assert_eq!(figures[r#"service_centre_refusals_total{route="/api/unlock/identify",reason="Refused"}"#], 1.0);
    let all = format!("{figures:?}");
    for told in ["555000000017", "is-typed", "no-such-page", "gmail", "evil"] {
        assert!(!all.contains(told), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_that_wait_are_seen_with_the_age_of_the_oldest() {
    let app = TestApp::start().await;
    let card = registered(&app).await;
    app.mails.go_down();
    let mut browser = Browser::new(&app);
    identify(&mut browser, &card).await;
    let _: Value = answer_rightly(&mut browser, &card).await.value();
    app.clock.advance(time::Duration::seconds(90));
    app.try_to_send_mails().await.unwrap();
    let figures = scrape(&app).await;
    assert_eq!(figures["service_centre_mails_waiting"], 1.0);
    assert_eq!(figures["service_centre_mails_oldest_seconds"], 90.0);
    assert_eq!(figures[r#"service_centre_mails_total{end="put-off"}"#], 1.0);
    assert_eq!(figures["service_centre_codes_late"], 0.0);
    app.clock.advance(time::Duration::seconds(40));
    assert_eq!(scrape(&app).await["service_centre_codes_late"], 1.0);
    app.mails.come_back();
    app.clock.advance(time::Duration::minutes(16));
    app.try_to_send_mails().await.unwrap();
    let figures = scrape(&app).await;
    assert_eq!(figures["service_centre_mails_waiting"], 0.0);
    assert_eq!(figures["service_centre_mails_oldest_seconds"], 0.0);
    assert_eq!(figures[r#"service_centre_mails_total{end="given-up"}"#], 1.0, "its code has expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_operators_are_told_is_not_told_where_the_pages_are() {
    let app = TestApp::start().await;
    let mut browser = Browser::new(&app);
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(ask(&app, path).await.0, 200, "{path}");
        let answer = browser.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(!answer.body.contains("service_centre_"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_the_service_lives_and_is_not_ready() {
    let app = TestApp::start_alone().await;
    registered(&app).await;
    assert!(scrape(&app).await["service_centre_trail_head"] > 0.0);
    let outage = app.place().take_database_away().await;
    // On SQLite another program holds the file: reading goes on, and nothing can be written.
    if !app.place().is_sqlite() {
        assert_eq!(ask(&app, "/readyz").await.0, 503);
        let figures = scrape(&app).await;
        assert_eq!(figures["service_centre_ready"], 0.0);
        assert!(figures["service_centre_trail_head"].is_nan(), "what is not known is not told");
    }
    assert_eq!(ask(&app, "/healthz").await.0, 200);
    outage.end().await;
    assert_eq!(ask(&app, "/readyz").await.0, 200);
    assert_eq!(scrape(&app).await["service_centre_ready"], 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_stops_says_so_before_it_serves_nobody_any_more() {
    let app = TestApp::start().await;
    let admin = free_address();
    let variables =
        [("SERVICE_CENTRE_ADMIN__LISTEN", &*admin.to_string()), ("SERVICE_CENTRE_ADMIN__DRAIN_AFTER_SECONDS", "20")];
    let mut server = Servers::start_with(app.place(), 1, &variables).await;
    let public = server.address(0);
    let ready = async { while status(admin, "/readyz").await != Some(200) {} };
    tokio::time::timeout(Duration::from_secs(30), ready).await.expect("it is ready");
    assert_eq!(status(admin, "/healthz").await, Some(200));
    assert_eq!(status(public, "/metrics").await, Some(404));
    server.terminate();
    let stopping = async { while status(admin, "/readyz").await != Some(503) {} };
    tokio::time::timeout(Duration::from_secs(15), stopping).await.expect("it is said at once");
    assert_eq!(status(public, "/").await, Some(200), "who was sent here is served");
    assert_eq!(status(admin, "/healthz").await, Some(200));
    assert!(server.end_well().await);
    assert_eq!(status(public, "/").await, None);
    assert_eq!(status(admin, "/readyz").await, None);
}
