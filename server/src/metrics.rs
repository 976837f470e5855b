//! What an operator measures: the names of the figures, what they mean, and how they are kept until they are asked for.
//!
//! They are recorded where the service meets the world: by the store, the hasher, the outbox and the router. None of
//! their labels says who, or what was typed: each has a fixed set of values.

mod requests;
mod store;

use std::{sync::Arc, time::Duration};

use domain::{
    Timestamp,
    milestone::{FlowKind, Milestone, StageEnd},
    trail::{Event, Outcome},
};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram, with_local_recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use storage::{Connections, Glance, TransactionEnd};
use tokio::sync::watch;

pub use requests::{count, note_route};

/// In which steps times are counted, in seconds.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// How often times are put into their steps, where nobody asks for them: they take up memory until then.
const UPKEEP: Duration = Duration::from_secs(5);

/// What became of a try to send a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailEnd {
    /// The mail server took it.
    Sent,
    /// It is tried again later.
    PutOff,
    /// The mail server refused its address.
    Refused,
    /// It could not be sent in its time.
    GivenUp,
}

impl MailEnd {
    const ALL: [Self; 4] = [Self::Sent, Self::PutOff, Self::Refused, Self::GivenUp];

    fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::PutOff => "put-off",
            Self::Refused => "refused",
            Self::GivenUp => "given-up",
        }
    }
}

/// The figures of one service. A clone counts the same.
#[derive(Clone)]
pub struct Metrics {
    recorder: Arc<PrometheusRecorder>,
    handle: PrometheusHandle,
}

impl Metrics {
    /// Begins to count: what has not happened yet is zero and not unknown.
    ///
    /// # Panics
    ///
    /// Never: there are steps for times.
    pub fn begin() -> Self {
        let builder = PrometheusBuilder::new().set_buckets(&BUCKETS).expect("there are steps");
        let recorder = builder.build_recorder();
        let metrics = Self { handle: recorder.handle(), recorder: Arc::new(recorder) };
        metrics.record(describe);
        metrics.record(begin_at_zero);
        metrics
    }

    /// The figures as Prometheus takes them.
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// Keeps times small until the service stops.
    pub async fn run(self, mut stopping: watch::Receiver<()>) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(UPKEEP) => self.handle.run_upkeep(),
                _ = stopping.changed() => return,
            }
        }
    }

    /// Whether the service is ready.
    pub fn readiness(&self, is_ready: bool) {
        self.record(|| gauge!("service_centre_ready").set(if is_ready { 1.0 } else { 0.0 }));
    }

    /// How things are in the database; nothing where it does not answer: what waits in it is not known then.
    pub fn glance(&self, glance: Option<Glance>, now: Timestamp) {
        let known = |value: fn(Glance) -> u64| glance.map_or(f64::NAN, |glance| count_of(value(glance)));
        let age = glance
            .map_or(f64::NAN, |glance| glance.oldest_mail.map_or(0.0, |since| (now - since).as_seconds_f64().max(0.0)));
        self.record(|| {
            gauge!("service_centre_mails_waiting").set(known(|glance| glance.mails));
            gauge!("service_centre_mails_oldest_seconds").set(age);
            gauge!("service_centre_codes_late").set(known(|glance| glance.late_codes));
            gauge!("service_centre_trail_head").set(known(|glance| glance.trail_head));
        });
    }

    /// The connections to the database.
    pub fn connections(&self, connections: Connections) {
        let Connections { open, idle } = connections;
        self.record(|| {
            gauge!("service_centre_database_connections", "state" => "idle").set(count_of(idle as u64));
            gauge!("service_centre_database_connections", "state" => "busy")
                .set(count_of(open.saturating_sub(idle) as u64));
        });
    }

    /// Until when browsers take the certificate that the service shows.
    pub fn certificate(&self, expires: Timestamp) {
        let seconds = (expires - Timestamp::UNIX_EPOCH).as_seconds_f64();
        self.record(|| gauge!("service_centre_certificate_expires_timestamp_seconds").set(seconds));
    }

    /// A mail was tried.
    pub fn mail_tried(&self, end: MailEnd) {
        self.record(|| counter!("service_centre_mails_total", "end" => end.name()).increment(1));
    }

    /// A hash waits for its place.
    pub(crate) fn hash_waits(&self) -> Level {
        self.level("service_centre_hashes_waiting")
    }

    /// A hash is being made.
    pub(crate) fn hash_runs(&self) -> Level {
        self.level("service_centre_hashes_running")
    }

    /// A hash took this long.
    pub(crate) fn hash_made(&self, time: Duration) {
        self.record(|| histogram!("service_centre_hash_seconds").record(time));
    }

    /// There was no place for a hash.
    pub(crate) fn hash_refused(&self) {
        self.record(|| counter!("service_centre_hashes_refused_total").increment(1));
    }

    /// One more of something, until what is given is dropped.
    fn level(&self, name: &'static str) -> Level {
        let gauge = self.record(|| gauge!(name));
        gauge.increment(1.0);
        Level(gauge)
    }

    fn record<T>(&self, record: impl FnOnce() -> T) -> T {
        with_local_recorder(&*self.recorder, record)
    }
}

/// One more of something, as long as this is there.
pub(crate) struct Level(metrics::Gauge);

impl Drop for Level {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a figure of Prometheus is a floating-point number")]
fn count_of(count: u64) -> f64 {
    count as f64
}

fn describe() {
    describe_gauge!("service_centre_build_info", "Always 1. Which version this is.");
    describe_gauge!("service_centre_ready", "1 while /readyz answers with 200, else 0.");
    describe_gauge!(
        "service_centre_certificate_expires_timestamp_seconds",
        "Until when the certificate is valid that the service shows; not a number where a proxy has one."
    );
    describe_counter!(
        "service_centre_trail_records_total",
        "Records that this server added to the audit trail: what happened, and whether it was done or refused."
    );
    describe_counter!(
        "service_centre_flows_total",
        "Stages of unlocks, registrations and changes that ended at this server, by how: begin and passed, it was started."
    );
    describe_gauge!("service_centre_trail_head", "The number of the latest record of the audit trail, of all servers.");
    describe_counter!(
        "service_centre_refusals_total",
        "Requests that a server function refused, by its route and the reason it gave."
    );
    describe_gauge!("service_centre_mails_waiting", "Mails that wait to be sent, of all servers.");
    describe_gauge!("service_centre_mails_oldest_seconds", "How long the oldest of them has waited, 0 for none.");
    describe_gauge!(
        "service_centre_codes_late",
        "People whose mail with a code has waited for more than two minutes, of all servers."
    );
    describe_counter!("service_centre_mails_total", "Tries of this server to send a mail, by how they ended.");
    describe_gauge!("service_centre_hashes_waiting", "Hashes (Argon2id) that wait for a place.");
    describe_gauge!("service_centre_hashes_running", "Hashes that are being made.");
    describe_counter!(
        "service_centre_hashes_refused_total",
        "Answers, codes and registrations for which there was no place in the queue: answered with 503."
    );
    describe_histogram!("service_centre_hash_seconds", "How long making a hash took, without waiting.");
    describe_gauge!(
        "service_centre_database_connections",
        "Connections to the database on which transactions take their turns; three more are for mails and operators."
    );
    describe_gauge!("service_centre_transactions_waiting", "Transactions that wait for their turn.");
    describe_histogram!("service_centre_transaction_wait_seconds", "How long transactions waited for their turn.");
    describe_histogram!("service_centre_transaction_seconds", "How long transactions took, from their turn on.");
    describe_counter!(
        "service_centre_transactions_total",
        "Transactions by how they ended; dropped: nothing was to be kept; conflict: begun again; failed: by the database."
    );
    describe_counter!("service_centre_requests_total", "Answers by route and class of their status.");
    describe_histogram!("service_centre_request_seconds", "How long an answer took until its head.");
}

fn begin_at_zero() {
    gauge!("service_centre_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    gauge!("service_centre_certificate_expires_timestamp_seconds").set(f64::NAN);
    for event in Event::ALL {
        for outcome in [Outcome::Done, Outcome::Refused] {
            store::records(event, outcome).absolute(0);
        }
    }
    for flow in FlowKind::ALL {
        for &stage in flow.stages() {
            for end in StageEnd::ALL {
                store::flows(Milestone { flow, stage, end }).absolute(0);
            }
        }
    }
    for end in MailEnd::ALL {
        counter!("service_centre_mails_total", "end" => end.name()).absolute(0);
    }
    for end in [TransactionEnd::Committed, TransactionEnd::Dropped, TransactionEnd::Conflict, TransactionEnd::Failed] {
        store::transactions(end).absolute(0);
    }
    counter!("service_centre_hashes_refused_total").absolute(0);
    // Operators are to be told of the first of them too.
    for route in ["/api/unlock/start", "/api/register/begin"] {
        counter!("service_centre_refusals_total", "route" => route, "reason" => "Busy").absolute(0);
    }
    for level in
        ["service_centre_hashes_waiting", "service_centre_hashes_running", "service_centre_transactions_waiting"]
    {
        gauge!(level).set(0.0);
    }
}
