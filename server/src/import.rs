//! Taking people and cards in out of files: read, checked and sealed on a thread of its own, judged and stored batch by
//! batch.
//!
//! Only a few batches are in memory, however long the files are. What may be taken in and what not is said in
//! [`domain::import`]; here is how a row is written.

mod cards;
mod key;
mod people;
mod report;
mod source;
mod table;
pub mod upload;

use std::time::Duration;

use domain::{
    enrolment::NewHolder,
    import::{Extent, FitCard, Import, ImportFile, RowFault, RunEnd, Verdict, WholeImport},
    ports::StoreError,
};
use tokio::{sync::mpsc, time::Instant};

pub use cards::parse_unlock_key;
pub use key::ImportKey;
pub use report::{Judged, Report, Witness};
pub use source::{FileName, FileProgress, Input, SourceError};
pub use table::TableError;

use source::{Encryption, Source};
use table::{Row, Table};

/// How many rows are stored in one transaction. Their keys are random, so each changes pages of its own in the database's
/// indexes: the more rows, the fewer pages for each. The running service waits for one, or for a few that are fast.
const BATCH: usize = 16_384;

/// How long nothing is stored after that. Who waits for SQLite looks ten times a second whether it is free, and would hardly
/// ever find it so.
const PAUSE: Duration = Duration::from_millis(100);

/// After how long there is a pause, at the end of the transaction that goes on then.
const PAUSE_AFTER: Duration = Duration::from_secs(1);

/// How many batches wait to be stored.
const BATCHES_AHEAD: usize = 1;

/// Why an import ended before its end. What was stored before stays stored, unless it was to be all or nothing.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file does not open.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A file cannot be read to its end.
    #[error("{file}")]
    Table {
        /// The file.
        file: FileName,
        /// Why.
        #[source]
        source: TableError,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Rows of a file that was read in part.
struct Batch<T> {
    rows: Vec<T>,
    /// The line of each.
    lines: Vec<u64>,
    /// The rows that could not even be read.
    faults: Vec<(u64, RowFault)>,
}

impl<T> Batch<T> {
    fn new() -> Self {
        Self { rows: Vec::new(), lines: Vec::new(), faults: Vec::new() }
    }

    fn push(&mut self, line: u64, row: Result<T, RowFault>) {
        match row {
            Ok(row) => {
                self.rows.push(row);
                self.lines.push(line);
            }
            Err(fault) => self.faults.push((line, fault)),
        }
    }

    fn is_full(&self) -> bool {
        self.rows.len() + self.faults.len() >= BATCH
    }
}

impl ImportError {
    /// How it stands with an import that ended so.
    pub fn end(&self) -> RunEnd {
        match self {
            Self::Source(SourceError::Plain { .. }) => RunEnd::NotEncrypted,
            Self::Source(SourceError::Closed { file, .. }) => RunEnd::Closed { file: file.which },
            Self::Table { file, source: TableError::Header(_) } => RunEnd::Header { file: file.which },
            Self::Table { file, source: TableError::Unreadable { line, .. } } => {
                RunEnd::Unreadable { file: file.which, line: *line }
            }
            Self::Source(SourceError::Unreadable { .. }) | Self::Store(_) => RunEnd::Failed,
        }
    }
}

/// The two files.
pub struct Inputs {
    /// The people.
    pub people: Input,
    /// The cards.
    pub cards: Input,
}

/// Takes the people and then the cards in.
///
/// # Errors
///
/// [`ImportError`] where it ended before its end. Rows that are refused are no error: the witness is told of them.
pub async fn take_in(
    import: &Import,
    key: &ImportKey,
    Inputs { people, cards }: Inputs,
    extent: Extent,
    witness: &mut dyn Witness,
) -> Result<RunEnd, ImportError> {
    let [people_name, cards_name] = [&people, &cards].map(|input| input.name.clone());
    // Both, before anything is stored: the second may well be the one that is not encrypted.
    let people = Source::open(people, Encryption::Optional, key)?;
    let cards = Source::open(cards, Encryption::Demanded, key)?;
    let mut keeping = match extent {
        Extent::EachRow => Keeping::EachBatch { import, since: Instant::now() },
        Extent::AllOrNothing => Keeping::Whole(import.whole().await?),
    };
    let mut has_refused = false;
    witness.begins(&people_name, people.progress.clone());
    let mut batches = read(people_name, people, people::HEADER, people::REQUIRED, people::parse);
    while let Some(batch) = batches.recv().await {
        let batch = batch?;
        let judged = Judged::new(ImportFile::People, &batch.lines, &keeping.people(&batch.rows).await?, batch.faults);
        has_refused |= judged.counts.refused > 0;
        witness.judged(judged).await?;
    }
    witness.begins(&cards_name, cards.progress.clone());
    let checks = import.clone();
    let mut batches = read(cards_name, cards, cards::HEADER, cards::HEADER.len(), move |fields| {
        Ok(checks.check(cards::parse(fields)?)?)
    });
    while let Some(batch) = batches.recv().await {
        let batch = batch?;
        let judged = Judged::new(ImportFile::Cards, &batch.lines, &keeping.cards(&batch.rows).await?, batch.faults);
        has_refused |= judged.counts.refused > 0;
        witness.judged(judged).await?;
    }
    match keeping {
        Keeping::Whole(_) if has_refused => Ok(RunEnd::NothingKept),
        Keeping::Whole(whole) => whole.commit().await.map(|()| RunEnd::Kept).map_err(Into::into),
        Keeping::EachBatch { .. } => Ok(RunEnd::Kept),
    }
}

/// What is kept of a batch, and when.
enum Keeping<'a> {
    EachBatch {
        import: &'a Import,
        /// Since when there was no pause.
        since: Instant,
    },
    Whole(WholeImport),
}

impl Keeping<'_> {
    async fn people(&mut self, people: &[NewHolder]) -> Result<Vec<Verdict>, StoreError> {
        match self {
            Self::EachBatch { import, since } => {
                let verdicts = import.people(people).await;
                pause_in_time(since).await;
                verdicts
            }
            Self::Whole(import) => import.people(people).await,
        }
    }

    async fn cards(&mut self, cards: &[FitCard]) -> Result<Vec<Verdict>, StoreError> {
        match self {
            Self::EachBatch { import, since } => {
                let verdicts = import.cards(cards).await;
                pause_in_time(since).await;
                verdicts
            }
            Self::Whole(import) => import.cards(cards).await,
        }
    }
}

/// Lets others have the database where they had to wait long enough.
async fn pause_in_time(since: &mut Instant) {
    if since.elapsed() >= PAUSE_AFTER {
        tokio::time::sleep(PAUSE).await;
        *since = Instant::now();
    }
}

/// Reads a file on a thread of its own, which waits where it is far enough ahead and ends when nobody listens any more.
fn read<T: Send + 'static, const COLUMNS: usize>(
    file: FileName,
    source: Source,
    header: [&'static str; COLUMNS],
    required: usize,
    parse: impl Fn(&[&str; COLUMNS]) -> Result<T, RowFault> + Send + 'static,
) -> mpsc::Receiver<Result<Batch<T>, ImportError>> {
    let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
    tokio::task::spawn_blocking(move || {
        if let Err(source) = read_batches(source, header, required, parse, &sender) {
            let _ = sender.blocking_send(Err(ImportError::Table { file, source }));
        }
    });
    receiver
}

fn read_batches<T, const COLUMNS: usize>(
    source: Source,
    header: [&'static str; COLUMNS],
    required: usize,
    parse: impl Fn(&[&str; COLUMNS]) -> Result<T, RowFault>,
    sender: &mpsc::Sender<Result<Batch<T>, ImportError>>,
) -> Result<(), TableError> {
    let mut table = Table::open(source.content, header, required)?;
    let mut batch = Batch::new();
    let ended = loop {
        match table.next() {
            Ok(Some(Row { line, fields })) => batch.push(line, fields.ok_or(RowFault::Fields).and_then(|f| parse(&f))),
            Ok(None) => break Ok(()),
            Err(fault) => break Err(fault),
        }
        if batch.is_full() && sender.blocking_send(Ok(std::mem::replace(&mut batch, Batch::new()))).is_err() {
            return Ok(());
        }
    };
    // What was read before a fault is taken in as what was read before that.
    let _ = sender.blocking_send(Ok(batch));
    ended
}
