//! Carries card transactions out, one at a time for all pages, on threads that may be left behind by a card that hangs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use card_protocol::message::Readers;
use card_protocol::{CHALLENGE_LIFE_SECONDS, CardFailure, ENTRY_SECONDS};
use piv::pin_pad::{Entry, PinPad};
use piv::{Card, Trace, TransportError};
use tokio::sync::{Semaphore, oneshot, watch};

use crate::programs::card_in_use;
use crate::readers::{Afterwards, CardSource, Insertion};
use crate::threads::Threads;

/// How many hanging transactions are left behind before no further one is begun.
const MOST_LEFT_BEHIND: usize = 4;

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Until another page's transaction has ended.
    pub turn: Duration,
    /// Until a transaction holds the card: another program may be using it.
    pub hold: Duration,
    /// From then on until the transaction has ended.
    pub transaction: Duration,
    /// Between a `release` proof and the unlock keys that are sealed for it.
    pub release: Duration,
    /// Until a connection has said what it wants and is answered or upgraded.
    pub request: Duration,
    /// Between the wish that the bridge ends and its end, where a transaction is running then.
    pub end: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            turn: Duration::from_secs(2),
            hold: Duration::from_secs(5),
            transaction: Duration::from_secs(30),
            release: Duration::from_secs(CHALLENGE_LIFE_SECONDS),
            request: Duration::from_secs(10),
            end: Duration::from_secs(10),
        }
    }
}

/// Whether a transaction holds the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardUse {
    /// None does.
    Idle,
    /// One does: the card should stay in the reader.
    InUse,
}

/// The one that carries out transactions.
#[derive(Clone)]
pub struct Worker {
    source: Arc<dyn CardSource>,
    limits: Limits,
    turn: Arc<Semaphore>,
    card_threads: Threads,
    threads: Arc<AtomicUsize>,
    unlocks: Arc<AtomicU64>,
    card_use: watch::Sender<CardUse>,
}

impl Worker {
    /// Works with the cards of `source`.
    pub fn new(source: Arc<dyn CardSource>, limits: Limits) -> Self {
        Self {
            source,
            limits,
            turn: Arc::new(Semaphore::new(1)),
            card_threads: Threads::default(),
            threads: Arc::default(),
            unlocks: Arc::default(),
            card_use: watch::Sender::new(CardUse::Idle),
        }
    }

    /// What is connected now, and a notice of each change.
    pub fn readers(&self) -> watch::Receiver<Readers> {
        self.source.readers()
    }

    /// Whether a transaction holds the card, and a notice of each change.
    pub fn card_use(&self) -> watch::Receiver<CardUse> {
        self.card_use.subscribe()
    }

    /// How long things may take.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Counts the unlocks that were begun, by whichever page.
    pub fn unlocks(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.unlocks)
    }

    /// Waits until no transaction is running, and lets none begin any more. A card that hangs is not waited for.
    pub async fn close(&self) {
        if tokio::time::timeout(self.limits.end, self.turn.acquire()).await.is_err() {
            tracing::warn!("the card does not answer: its transaction is left behind");
        }
        self.turn.close();
    }

    /// Carries out one transaction. It goes on to its end when the caller stops waiting for it: a card is not left
    /// half done because a page was closed.
    ///
    /// # Errors
    ///
    /// [`CardFailure::Busy`] when others' turns take too long, [`CardFailure::CardInUse`] when another program does not let
    /// go of the card, [`CardFailure::CardSilent`] when it does not answer in time; otherwise why there is no card, or the
    /// transaction's own failure.
    pub async fn carry_out<T: Send + 'static>(
        &self,
        reader: Option<String>,
        afterwards: Afterwards,
        transaction: impl FnOnce(&mut dyn Card, Insertion) -> Result<T, CardFailure> + Send + 'static,
    ) -> Result<T, CardFailure> {
        self.carry_out_with_entries(0, reader, afterwards, transaction).await
    }

    /// The same, where the person may be asked so many times to type on the reader: that much longer it may take.
    ///
    /// # Errors
    ///
    /// As for [`Self::carry_out`].
    pub async fn carry_out_with_entries<T: Send + 'static>(
        &self,
        entries: u8,
        reader: Option<String>,
        afterwards: Afterwards,
        transaction: impl FnOnce(&mut dyn Card, Insertion) -> Result<T, CardFailure> + Send + 'static,
    ) -> Result<T, CardFailure> {
        let typing = Duration::from_secs(ENTRY_SECONDS.into()) * entries.into();
        self.carry_out_slowly(typing, reader, afterwards, transaction).await
    }

    /// The same, where the transaction may take so much longer than others.
    ///
    /// # Errors
    ///
    /// As for [`Self::carry_out`].
    pub async fn carry_out_slowly<T: Send + 'static>(
        &self,
        longer: Duration,
        reader: Option<String>,
        afterwards: Afterwards,
        transaction: impl FnOnce(&mut dyn Card, Insertion) -> Result<T, CardFailure> + Send + 'static,
    ) -> Result<T, CardFailure> {
        // First come, first served: a page that asks without pause can't keep another from the card.
        let turn = tokio::time::timeout(self.limits.turn, Arc::clone(&self.turn).acquire_owned()).await;
        let turn = turn.ok().and_then(Result::ok).ok_or(CardFailure::Busy)?;
        let (begun, has_begun) = oneshot::channel();
        let cancelled = Arc::new(AtomicBool::new(false));
        let ended = self.start(reader, begun, Arc::clone(&cancelled), afterwards, transaction)?;
        let limits = Limits { transaction: self.limits.transaction + longer, ..self.limits };
        let (card_use, threads) = (self.card_use.clone(), Arc::clone(&self.threads));
        let waiting = tokio::spawn(async move {
            let _turn = turn;
            let result = wait(limits, has_begun, ended, &card_use, &threads).await;
            card_use.send_replace(CardUse::Idle);
            cancelled.store(true, Ordering::SeqCst);
            result
        });
        waiting.await.unwrap_or(Err(CardFailure::CardRemoved))
    }

    fn start<T: Send + 'static>(
        &self,
        reader: Option<String>,
        begun: oneshot::Sender<()>,
        cancelled: Arc<AtomicBool>,
        afterwards: Afterwards,
        transaction: impl FnOnce(&mut dyn Card, Insertion) -> Result<T, CardFailure> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T, CardFailure>>, CardFailure> {
        let thread = Counted::new(&self.threads).ok_or(CardFailure::CardSilent)?;
        let source = Arc::clone(&self.source);
        let (end, ended) = oneshot::channel();
        let work = move || {
            let _thread = thread;
            let mut work = Some((begun, transaction));
            let mut result = None;
            let held = source.hold(reader.as_deref(), &mut |card, insertion| {
                if let Some((begun, transaction)) = work.take() {
                    // Nobody waits any more: leave the card alone.
                    if begun.send(()).is_err() {
                        return Afterwards::Leave;
                    }
                    result = Some(transaction(&mut Guarded { card, cancelled: &cancelled }, insertion));
                }
                afterwards
            });
            let _ = end.send(held.and(result.unwrap_or(Err(CardFailure::CardSilent))));
        };
        self.card_threads.begin(work).map_err(|error| {
            tracing::error!(%error, "no thread for a transaction");
            CardFailure::Busy
        })?;
        Ok(ended)
    }
}

async fn wait<T>(
    limits: Limits,
    has_begun: oneshot::Receiver<()>,
    ended: oneshot::Receiver<Result<T, CardFailure>>,
    card_use: &watch::Sender<CardUse>,
    threads: &AtomicUsize,
) -> Result<T, CardFailure> {
    match tokio::time::timeout(limits.hold, has_begun).await {
        Ok(Ok(())) => drop(card_use.send_replace(CardUse::InUse)),
        // There is no card to hold, and the end says why.
        Ok(Err(_)) => {}
        // It is held by a transaction of the bridge's own that was left behind.
        Err(_) if threads.load(Ordering::SeqCst) > 1 => return Err(CardFailure::CardSilent),
        Err(_) => {
            tracing::warn!("another program does not let go of the card");
            return Err(card_in_use());
        }
    }
    match tokio::time::timeout(limits.transaction, ended).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => {
            tracing::error!("a transaction broke off");
            Err(CardFailure::CardRemoved)
        }
        Err(_) => {
            tracing::warn!("the card does not answer");
            Err(CardFailure::CardSilent)
        }
    }
}

/// Counts a thread for as long as it lives.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    /// `None` when too many are left behind.
    fn new(threads: &Arc<AtomicUsize>) -> Option<Self> {
        let counted = Self(Arc::clone(threads));
        (threads.fetch_add(1, Ordering::SeqCst) < MOST_LEFT_BEHIND).then_some(counted)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A card that is sent nothing more once nobody waits for the answer, and whose exchanges are logged by instruction
/// and status word.
struct Guarded<'a> {
    card: &'a mut dyn Card,
    cancelled: &'a AtomicBool,
}

impl Card for Guarded<'_> {
    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, TransportError> {
        if self.cancelled.load(Ordering::SeqCst) {
            return Err(TransportError::TimedOut);
        }
        let answer = self.card.transmit(command);
        match &answer {
            Ok(answer) => tracing::debug!("{}", Trace::new(command, answer)),
            Err(error) => tracing::debug!("{}: {error}", Trace::new(command, &[])),
        }
        answer
    }

    fn pin_pad(&mut self) -> Option<&mut dyn PinPad> {
        if self.card.pin_pad().is_some() { Some(self) } else { None }
    }
}

impl PinPad for Guarded<'_> {
    fn takes(&mut self, entry: Entry) -> bool {
        self.card.pin_pad().is_some_and(|pad| pad.takes(entry))
    }

    fn enter(&mut self, entry: Entry, structure: &[u8]) -> Result<Vec<u8>, TransportError> {
        if self.cancelled.load(Ordering::SeqCst) {
            return Err(TransportError::TimedOut);
        }
        let answer = self.card.pin_pad().ok_or(TransportError::Fault)?.enter(entry, structure);
        match &answer {
            // Not even the structure's header: the command in it has the unlock key.
            Ok(answer) => tracing::debug!("{entry:?} on the reader: {} bytes of answer", answer.len()),
            Err(error) => tracing::debug!("{entry:?} on the reader: {error}"),
        }
        answer
    }
}
