//! How long an answer may take. Whatever it waits for (the rest of a body, a database, a lock), somebody is told in time; and
//! so they are where a fault of the program ends it.
//!
//! What was begun is dropped, and its transaction with it, unless that was committed already: as with an answer that gets
//! lost, sending the same again gets the first outcome and spends nothing.

use std::{panic::AssertUnwindSafe, time::Duration};

use app::LogReference;
use axum::{
    Json,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use futures::FutureExt;
use serde::Serialize;

use super::upload::is_upload;

/// What a page without JavaScript, or one that was only opened, gets in place of its own.
const PAGE: &str = r#"<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>The service did not answer</title></head>
<body>
<h1>The service did not answer</h1>
<p>The service cannot do this just now. Try again in a minute. If it does not help, tell your RA and quote {reference}.</p>
</body>
</html>
"#;

/// What a server function gives then: the variant that the errors of all of them have (`server_fn_fault` in `app`).
#[derive(Serialize)]
enum Fault {
    Unavailable(LogReference),
}

/// Answers with 503 when the answer does not come in time. The files of an import have times of their own.
pub async fn answer_in_time(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    let has_its_own_time = is_upload(&request);
    let wants_page = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|accepted| accepted.to_str().ok())
        .is_some_and(|accepted| accepted.contains("text/html"));
    let reference = request.extensions().get::<LogReference>().cloned().unwrap_or_default();
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    let answer = if has_its_own_time { Ok(answer.await) } else { tokio::time::timeout(limit, answer).await };
    match answer {
        Ok(Ok(answer)) => return answer,
        Ok(Err(_)) => tracing::error!("the answer to a request ended in a panic"),
        Err(_) => tracing::error!("a request was not answered in time"),
    }
    let status = StatusCode::SERVICE_UNAVAILABLE;
    if wants_page {
        (status, Html(PAGE.replace("{reference}", reference.as_str()))).into_response()
    } else {
        (status, Json(Fault::Unavailable(reference))).into_response()
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        Router,
        body::Body,
        middleware,
        routing::{get, post},
    };
    use tower::ServiceExt;

    use super::{super::upload::PATH, *};

    async fn fault() -> StatusCode {
        panic!("a fault of the program")
    }

    #[tokio::test]
    async fn a_fault_of_the_program_is_an_answer_too() {
        for asked in [Request::get("/"), Request::post(PATH)] {
            let router = Router::new()
                .route("/", get(fault))
                .route(PATH, post(fault))
                .layer(middleware::from_fn_with_state(Duration::from_secs(1), answer_in_time));
            let answer = router.oneshot(asked.body(Body::empty()).unwrap()).await.unwrap();
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        }
    }
}
