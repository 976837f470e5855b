//! Who is told how the store fares. An operator's figures are made of it; no row and nobody's name is among it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{
    milestone::Milestone,
    ports::StoreError,
    trail::{Event, Outcome, TrailRecord},
};
use serde::Deserialize;

/// Is told how transactions fare.
pub trait Observer: Send + Sync + 'static {
    /// A transaction waits for its turn.
    fn transaction_waits(&self);
    /// It waits no more: it has begun, could not begin, or whoever wanted it has gone.
    fn transaction_waited(&self, time: Duration);
    /// It ended, this long after it had begun.
    fn transaction_ended(&self, time: Duration, end: TransactionEnd);
    /// A commit kept records of the trail: what happened, and how often.
    fn records_kept(&self, event: Event, outcome: Outcome, count: u64);
    /// Somebody got so far, and it was committed.
    fn milestone_reached(&self, milestone: Milestone);
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionEnd {
    /// What it wrote is kept.
    Committed,
    /// Nobody wanted it committed: it only read, or its use case refused.
    Dropped,
    /// Another one came first.
    Conflict,
    /// The database did not do it.
    Failed,
}

impl TransactionEnd {
    /// What a fault makes of a transaction.
    fn of(fault: &StoreError) -> Self {
        match fault {
            StoreError::Conflict => Self::Conflict,
            StoreError::Unavailable(_) => Self::Failed,
        }
    }
}

/// A transaction that waits for its turn.
pub(crate) struct Waiting {
    observer: Option<Arc<dyn Observer>>,
    since: Instant,
}

impl Waiting {
    pub(crate) fn new(observer: Option<Arc<dyn Observer>>) -> Self {
        if let Some(observer) = &observer {
            observer.transaction_waits();
        }
        Self { observer, since: Instant::now() }
    }

    /// It is its turn.
    pub(crate) fn begin(self) -> Observed {
        Observed {
            observer: self.observer.clone(),
            since: Instant::now(),
            end: TransactionEnd::Dropped,
            records: Vec::new(),
            milestones: Vec::new(),
        }
    }

    /// It could not begin.
    pub(crate) fn fail(self, fault: &StoreError) {
        if let Some(observer) = &self.observer {
            observer.transaction_ended(Duration::ZERO, TransactionEnd::of(fault));
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(observer) = &self.observer {
            observer.transaction_waited(self.since.elapsed());
        }
    }
}

/// A transaction that is under way. Its end is told when this is dropped.
pub(crate) struct Observed {
    observer: Option<Arc<dyn Observer>>,
    since: Instant,
    end: TransactionEnd,
    records: Vec<(Event, Outcome, u64)>,
    milestones: Vec<Milestone>,
}

/// What is told of a record.
#[derive(Deserialize)]
struct Happened {
    event: Event,
    outcome: Outcome,
}

impl Observed {
    /// A record was written, which is worth telling once it is kept.
    pub(crate) fn record(&mut self, record: &TrailRecord) {
        if self.observer.is_none() {
            return;
        }
        let Ok(Happened { event, outcome }) = serde_json::from_str(&record.entry) else { return };
        match self.records.iter_mut().find(|(known, ended, _)| (*known, *ended) == (event, outcome)) {
            Some((_, _, count)) => *count += 1,
            None => self.records.push((event, outcome, 1)),
        }
    }

    /// Somebody gets so far, which is worth telling once it is committed.
    pub(crate) fn reached(&mut self, milestone: Option<Milestone>) {
        self.milestones.extend(milestone);
    }

    pub(crate) fn failed(&mut self, fault: &StoreError) {
        self.end = TransactionEnd::of(fault);
    }

    pub(crate) fn committed(&mut self) {
        self.end = TransactionEnd::Committed;
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        let Some(observer) = &self.observer else { return };
        observer.transaction_ended(self.since.elapsed(), self.end);
        if self.end == TransactionEnd::Committed {
            for (event, outcome, count) in self.records.drain(..) {
                observer.records_kept(event, outcome, count);
            }
            for milestone in self.milestones.drain(..) {
                observer.milestone_reached(milestone);
            }
        }
    }
}
