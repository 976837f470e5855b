//! Taking people and cards in out of files: read and checked on a thread of its own, judged and stored batch by batch.
//!
//! Only a few batches are in memory, however long the files are. What may be taken in and what not is said in
//! [`domain::import`]; here is how a row is written.

mod cards;
mod key;
mod people;
mod report;
mod source;
mod table;

use std::{path::Path, time::Duration};

use domain::{
    enrolment::NewHolder,
    import::{FitCard, Import, Refusal, Verdict, WholeImport},
    ports::StoreError,
};
use tokio::sync::mpsc;

pub use cards::parse_unlock_key;
pub use key::ImportKey;
pub use report::{Counts, Report};
pub use source::SourceError;
pub use table::TableError;

use source::{Encryption, Source};
use table::{Row, Table};

/// How many rows are stored in one transaction. Their keys are random, so each changes pages of its own in the database's
/// indexes: the more rows, the fewer pages for each. The running service waits for it.
const BATCH: usize = 16_384;

/// How long nothing is stored after a transaction. Who waits for SQLite looks ten times a second whether it is free, and
/// would hardly ever find it so.
const PAUSE: Duration = Duration::from_millis(100);

/// How many batches wait to be stored.
const BATCHES_AHEAD: usize = 1;

/// What is kept where a row is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Every row that is not refused.
    EachRow,
    /// Nothing.
    AllOrNothing,
}

/// Why an import ended before its end. What was stored before stays stored, unless it was to be all or nothing.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file does not open.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A file cannot be read to its end.
    #[error("{file}")]
    Table {
        /// The name of the file.
        file: String,
        /// Why.
        #[source]
        source: TableError,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a row was not taken in. None of them repeats what stands in the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowFault {
    /// It has another number of fields, or is not UTF-8.
    #[error("the row has another number of fields than the first line, or is not UTF-8")]
    Fields,
    /// The user number is none.
    #[error("a user number is 1 to 32 letters, digits or hyphens")]
    UserNumber,
    /// The name is none.
    #[error("a name is 1 to 200 characters, none of which is a control character")]
    Name,
    /// The address is none.
    #[error("the e-mail address is not one")]
    Email,
    /// The GUID is none.
    #[error("the GUID is not 32 hexadecimal digits")]
    Guid,
    /// A key is none that a card may have here.
    #[error(
        "the field {field} holds no certificate or public key of P-256, P-384 or RSA-2048, in PEM or as base64 of DER"
    )]
    Key {
        /// The column.
        field: &'static str,
    },
    /// The unlock key is none.
    #[error("the unlock key is not 16 hexadecimal digits")]
    UnlockKey,
    /// The rules refuse it.
    #[error(transparent)]
    Refused(#[from] Refusal),
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

/// Takes the people and then the cards in.
///
/// # Errors
///
/// [`ImportError`] where it ended before its end. Rows that are refused are no error: the report has counted them.
pub async fn take_in(
    import: &Import,
    key: &ImportKey,
    people: &Path,
    cards: &Path,
    extent: Extent,
    report: &mut Report,
) -> Result<(), ImportError> {
    // Both, before anything is stored: the second may well be the one that is not encrypted.
    let people_source = Source::open(people, Encryption::Optional, key)?;
    let cards_source = Source::open(cards, Encryption::Demanded, key)?;
    let mut keeping = match extent {
        Extent::EachRow => Keeping::EachBatch(import),
        Extent::AllOrNothing => Keeping::Whole(import.whole().await?),
    };
    report.begin(people, people_source.progress.clone());
    let mut batches = read(people, people_source, people::HEADER, people::parse);
    while let Some(batch) = batches.recv().await {
        let batch = batch?;
        let verdicts = keeping.people(&batch.rows).await?;
        report.people(&batch.lines, &verdicts, &batch.faults);
    }
    report.begin(cards, cards_source.progress.clone());
    let mut batches = read(cards, cards_source, cards::HEADER, cards::parse);
    while let Some(batch) = batches.recv().await {
        let batch = batch?;
        let verdicts = keeping.cards(&batch.rows).await?;
        report.cards(&batch.lines, &verdicts, &batch.faults);
    }
    report.end();
    match keeping {
        Keeping::Whole(whole) if !report.has_refused() => Ok(whole.commit().await?),
        Keeping::Whole(_) | Keeping::EachBatch(_) => Ok(()),
    }
}

/// What is kept of a batch, and when.
enum Keeping<'a> {
    EachBatch(&'a Import),
    Whole(WholeImport),
}

impl Keeping<'_> {
    async fn people(&mut self, people: &[NewHolder]) -> Result<Vec<Verdict>, StoreError> {
        match self {
            Self::EachBatch(import) => {
                let verdicts = import.people(people).await;
                tokio::time::sleep(PAUSE).await;
                verdicts
            }
            Self::Whole(import) => import.people(people).await,
        }
    }

    async fn cards(&mut self, cards: &[FitCard]) -> Result<Vec<Verdict>, StoreError> {
        match self {
            Self::EachBatch(import) => {
                let verdicts = import.cards(cards).await;
                tokio::time::sleep(PAUSE).await;
                verdicts
            }
            Self::Whole(import) => import.cards(cards).await,
        }
    }
}

/// Reads a file on a thread of its own, which waits where it is far enough ahead and ends when nobody listens any more.
fn read<T: Send + 'static, const COLUMNS: usize>(
    file: &Path,
    source: Source,
    header: [&'static str; COLUMNS],
    parse: impl Fn(&[&str; COLUMNS]) -> Result<T, RowFault> + Send + 'static,
) -> mpsc::Receiver<Result<Batch<T>, ImportError>> {
    let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
    let file = file.display().to_string();
    tokio::task::spawn_blocking(move || {
        if let Err(source) = read_batches(source, header, parse, &sender) {
            let _ = sender.blocking_send(Err(ImportError::Table { file, source }));
        }
    });
    receiver
}

fn read_batches<T, const COLUMNS: usize>(
    source: Source,
    header: [&'static str; COLUMNS],
    parse: impl Fn(&[&str; COLUMNS]) -> Result<T, RowFault>,
    sender: &mpsc::Sender<Result<Batch<T>, ImportError>>,
) -> Result<(), TableError> {
    let mut table = Table::open(source.content, header)?;
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
