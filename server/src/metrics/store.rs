//! How the store fares.

use std::time::Duration;

use domain::{
    milestone::Milestone,
    trail::{Event, Outcome},
};
use metrics::{Counter, counter, gauge, histogram};
use storage::{Observer, TransactionEnd};

use super::Metrics;

impl Observer for Metrics {
    fn transaction_waits(&self) {
        self.record(|| gauge!("service_centre_transactions_waiting").increment(1.0));
    }

    fn transaction_waited(&self, time: Duration) {
        self.record(|| {
            gauge!("service_centre_transactions_waiting").decrement(1.0);
            histogram!("service_centre_transaction_wait_seconds").record(time);
        });
    }

    fn transaction_ended(&self, time: Duration, end: TransactionEnd) {
        self.record(|| {
            histogram!("service_centre_transaction_seconds").record(time);
            transactions(end).increment(1);
        });
    }

    fn milestone_reached(&self, milestone: Milestone) {
        self.record(|| flows(milestone).increment(1));
    }

    fn records_kept(&self, event: Event, outcome: Outcome, count: u64) {
        self.record(|| records(event, outcome).increment(count));
    }
}

pub(super) fn flows(Milestone { flow, stage, end }: Milestone) -> Counter {
    let (flow, stage, end) = (flow.as_str(), stage.as_str(), end.as_str());
    counter!("service_centre_flows_total", "flow" => flow, "stage" => stage, "end" => end)
}

pub(super) fn transactions(end: TransactionEnd) -> Counter {
    let end = match end {
        TransactionEnd::Committed => "committed",
        TransactionEnd::Dropped => "dropped",
        TransactionEnd::Conflict => "conflict",
        TransactionEnd::Failed => "failed",
    };
    counter!("service_centre_transactions_total", "end" => end)
}

pub(super) fn records(event: Event, outcome: Outcome) -> Counter {
    let outcome = match outcome {
        Outcome::Done => "done",
        Outcome::Refused => "refused",
    };
    counter!("service_centre_trail_records_total", "event" => event.name(), "outcome" => outcome)
}
