//! Requests and their answers.

use std::{
    sync::{Arc, OnceLock},
    time::Instant,
};

use app::refusal::Refusal;
use axum::{
    extract::{MatchedPath, Request, State},
    http::StatusCode,
    middleware::Next,
    response::Response,
};
use metrics::{counter, histogram};

use super::Metrics;

/// The route of a request that reached none of the service's own: a file of the pages, or nothing that is there.
const FILE: &str = "(file or unknown)";

/// That of a request that was refused before.
const NONE: &str = "(refused before)";

/// The route that a request found, or that it found none, once it came so far. The first one counts: a form that fails is
/// answered with its page.
#[derive(Clone, Default)]
struct Route(Arc<OnceLock<Option<MatchedPath>>>);

impl Route {
    fn name(&self) -> String {
        match self.0.get() {
            Some(Some(route)) => route.as_str(),
            Some(None) => FILE,
            None => NONE,
        }
        .to_owned()
    }
}

/// Counts a request, whoever answered it.
pub async fn count(State(metrics): State<Metrics>, mut request: Request, next: Next) -> Response {
    let (route, refusal) = (Route::default(), Refusal::default());
    let began = Instant::now();
    request.extensions_mut().insert(route.clone());
    request.extensions_mut().insert(refusal.clone());
    let response = next.run(request).await;
    let route = route.name();
    metrics.record(|| {
        let status = class(response.status());
        counter!("service_centre_requests_total", "route" => route.clone(), "status" => status).increment(1);
        if let Some(reason) = refusal.reason() {
            let reason = reason.to_owned();
            counter!("service_centre_refusals_total", "route" => route.clone(), "reason" => reason).increment(1);
        }
        histogram!("service_centre_request_seconds", "route" => route).record(began.elapsed());
    });
    response
}

/// Notes the route, where it is known.
pub async fn note_route(request: Request, next: Next) -> Response {
    if let Some(Route(found)) = request.extensions().get() {
        let _ = found.set(request.extensions().get().cloned());
    }
    next.run(request).await
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    }
}
