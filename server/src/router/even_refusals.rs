//! How long a refusal takes tells nothing: whoever is without a card could learn from it whether a card is known here.
//! What is refused before a flow or a session exists is answered a fixed time after it was asked, whatever it took.

use std::time::Duration;

use axum::{extract::Request, http::StatusCode, middleware::Next, response::Response};
use tokio::time::Instant;

/// Where a card proves itself, which anybody can try.
const PATHS: [&str; 3] = ["/api/unlock/identify", "/api/session/confirm-card", "/api/session/sign-in"];

/// Much longer than looking for a card and verifying a signature take, and shorter than a person notices.
const ANSWERED_AFTER: Duration = Duration::from_millis(100);

/// Holds a refusal back until its time has come.
pub async fn answer_evenly(request: Request, next: Next) -> Response {
    let asked = Instant::now();
    let is_one = PATHS.contains(&request.uri().path());
    let answer = next.run(request).await;
    if is_one && answer.status() == StatusCode::UNPROCESSABLE_ENTITY {
        tokio::time::sleep_until(asked + ANSWERED_AFTER).await;
    }
    answer
}
