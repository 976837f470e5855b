//! The listener for operators: whether the service lives, whether it is ready, and its figures. Nothing of it can be
//! reached where the pages are served.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use domain::ports::Clock;
use storage::SqlStore;

use crate::{listener::Limits, metrics::Metrics};

/// How long the database may take to answer a small question, where nothing else is said.
pub const ANSWERS_WITHIN: Duration = Duration::from_secs(1);

/// How long a mail with a code may wait before it is late: an operator is to know while its code still lives.
const LATE_CODE: time::Duration = time::Duration::minutes(2);

/// What operators may take up: a balancer, Prometheus, and somebody who looks.
pub const LIMITS: Limits = Limits {
    head: Duration::from_secs(5),
    stall: Duration::from_secs(5),
    connections: 32,
    idle: Duration::from_secs(1),
    drain: Duration::from_secs(1),
};

/// The text format of Prometheus.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Who answers operators.
#[derive(Clone)]
pub struct Admin {
    /// The database, which is asked whether it answers.
    pub database: SqlStore,
    /// How long it may take to answer.
    pub answers_within: Duration,
    /// The figures.
    pub metrics: Metrics,
    /// The time, for how long mails have waited.
    pub clock: Arc<dyn Clock>,
    /// Whether the service is about to stop.
    pub stops: Arc<AtomicBool>,
}

/// Whether requests are to be sent here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readiness {
    Ready,
    Stops,
    NoDatabase,
}

impl Admin {
    /// From now on the service is not ready: it is about to stop.
    pub fn stop(&self) {
        self.stops.store(true, Ordering::Relaxed);
    }

    /// The routes.
    pub fn router(self) -> Router {
        Router::new()
            .route("/healthz", get(|| async { "The process answers.\n" }))
            .route("/readyz", get(ready))
            .route("/metrics", get(figures))
            .with_state(self)
    }

    /// The secrets were found to be those of the database before anything was listened on.
    async fn readiness(&self) -> Readiness {
        if self.stops.load(Ordering::Relaxed) {
            return Readiness::Stops;
        }
        match tokio::time::timeout(self.answers_within, self.database.answers()).await {
            Ok(Ok(())) => Readiness::Ready,
            Ok(Err(_)) | Err(_) => Readiness::NoDatabase,
        }
    }
}

async fn ready(State(admin): State<Admin>) -> (StatusCode, &'static str) {
    match admin.readiness().await {
        Readiness::Ready => (StatusCode::OK, "The service is ready.\n"),
        Readiness::Stops => (StatusCode::SERVICE_UNAVAILABLE, "The service stops.\n"),
        Readiness::NoDatabase => (StatusCode::SERVICE_UNAVAILABLE, "The database does not answer.\n"),
    }
}

async fn figures(State(admin): State<Admin>) -> impl IntoResponse {
    admin.metrics.readiness(admin.readiness().await == Readiness::Ready);
    let now = admin.clock.now();
    let glance = tokio::time::timeout(admin.answers_within, admin.database.glance(now - LATE_CODE)).await;
    admin.metrics.glance(glance.ok().and_then(Result::ok), now);
    admin.metrics.connections(admin.database.connections());
    ([(header::CONTENT_TYPE, TEXT)], admin.metrics.render())
}
