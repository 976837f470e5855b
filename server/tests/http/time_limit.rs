//! An answer that does not come: whoever waits for it is told in time.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{Request, StatusCode, header},
};
use hyper::body::Frame;

use crate::{
    browser::{Answer, Browser},
    test_app::{ORIGIN, TestApp},
};

/// How long an answer may take here.
const LIMIT: Duration = Duration::from_millis(300);

/// By when it has come, on a machine that is busy.
const AT_THE_LATEST: Duration = Duration::from_secs(10);

/// A body that never arrives, so that whoever reads it hangs.
struct Unfinished;

impl HttpBody for Unfinished {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

/// Posts what never arrives; gives what was answered meanwhile.
async fn post_unfinished(function: &str, accept: &str, content_type: &str) -> Answer {
    let app = TestApp::start_hasty(LIMIT).await;
    let mut browser = Browser::new(&app);
    let request: Request<Body> = browser
        .request("POST", &format!("/api/{function}"))
        .header(header::ACCEPT, accept)
        .header(header::CONTENT_TYPE, content_type)
        .header(header::ORIGIN, ORIGIN)
        .body(Body::new(Unfinished))
        .unwrap();
    let began = Instant::now();
    let answer = tokio::time::timeout(AT_THE_LATEST, browser.send(request)).await.expect("somebody waits in vain");
    assert!(began.elapsed() >= LIMIT, "it was not waited for");
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.body);
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("cache-control"), "no-store");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_whose_request_hangs_gets_an_error_that_it_knows() {
    let answer = post_unfinished("unlock/answer", "application/json", "application/json").await;
    assert_eq!(answer.fault(), "Unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_hangs_gets_a_page_in_words() {
    let answer =
        post_unfinished("register/email", "text/html,application/xhtml+xml", "application/x-www-form-urlencoded").await;
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert!(answer.body.contains("Try again in a minute."), "{}", answer.body);
    assert!(answer.body.contains(&format!("quote {}.", answer.reference())), "{}", answer.body);
}
