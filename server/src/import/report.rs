//! Who is told of an import while it goes on. The command line says it on standard error: the rows that are refused, how far
//! it is, and at last what came of it, so that the last words can be read by a program. Nothing that stands in a row is
//! repeated.

use std::{
    io::{IsTerminal, Write},
    time::Instant,
};

use async_trait::async_trait;
use domain::{
    enrolment::Enrolled,
    import::{Counts, ImportFile, RowFault, Verdict},
    ports::StoreError,
};

use super::source::{FileName, FileProgress};

/// What became of the rows of a batch.
#[derive(Debug)]
pub struct Judged {
    /// Of which file they are.
    pub file: ImportFile,
    /// How many became what.
    pub counts: Counts,
    /// Those that were refused, in the order of their lines.
    pub refused: Vec<(u64, RowFault)>,
}

impl Judged {
    /// Puts the verdicts of rows on these lines together with the rows that could not even be read.
    pub(super) fn new(file: ImportFile, lines: &[u64], verdicts: &[Verdict], faults: Vec<(u64, RowFault)>) -> Self {
        let (mut counts, mut refused) = (Counts::default(), faults);
        for (line, verdict) in lines.iter().zip(verdicts) {
            match verdict {
                Ok(Enrolled::Added) => counts.added += 1,
                Ok(Enrolled::Moved) => counts.moved += 1,
                Ok(Enrolled::Unchanged) => counts.unchanged += 1,
                Err(refusal) => refused.push((*line, RowFault::Refused(*refusal))),
            }
        }
        counts.refused = refused.len() as u64;
        refused.sort_unstable_by_key(|(line, _)| *line);
        Self { file, counts, refused }
    }
}

/// Is told of an import while it goes on.
#[async_trait]
pub trait Witness: Send {
    /// A file is begun.
    fn begins(&mut self, file: &FileName, progress: FileProgress);

    /// A batch of its rows was judged, and stored where it is not all or nothing. Nothing can be stored besides where
    /// it is.
    async fn judged(&mut self, judged: Judged) -> Result<(), StoreError>;
}

/// Tells on standard error.
pub struct Report {
    /// The people.
    pub people: Counts,
    /// The cards.
    pub cards: Counts,
    out: Box<dyn Write + Send>,
    shows_progress: bool,
    file: Option<(FileName, FileProgress, Instant)>,
}

impl Report {
    /// Tells on standard error, and how far it is only where that is a terminal.
    pub fn on_standard_error() -> Self {
        let out = std::io::stderr();
        let shows_progress = out.is_terminal();
        Self { people: Counts::default(), cards: Counts::default(), out: Box::new(out), shows_progress, file: None }
    }

    /// Whether a row was refused.
    pub fn has_refused(&self) -> bool {
        self.people.refused + self.cards.refused > 0
    }

    /// Takes the line away that says how far it is.
    pub fn end(&mut self) {
        if self.shows_progress {
            let _ = write!(self.out, "\r\x1b[K");
        }
    }

    fn tell(&mut self, Judged { file: which, counts, refused }: &Judged) {
        let sum = match which {
            ImportFile::People => &mut self.people,
            ImportFile::Cards => &mut self.cards,
        };
        sum.add(counts);
        let rows = sum.rows();
        self.end();
        let Some((file, progress, began)) = &self.file else { return };
        for (line, fault) in refused {
            let _ = writeln!(self.out, "{file}, line {line}: {fault}");
        }
        if self.shows_progress {
            let milliseconds = began.elapsed().as_millis().max(1);
            let rate = u128::from(rows) * 1000 / milliseconds;
            let _ = write!(self.out, "{file}: {} %, {rows} rows, {rate} a second", progress.percent());
            let _ = self.out.flush();
        }
    }
}

#[async_trait]
impl Witness for Report {
    fn begins(&mut self, file: &FileName, progress: FileProgress) {
        self.end();
        self.file = Some((file.clone(), progress, Instant::now()));
    }

    async fn judged(&mut self, judged: Judged) -> Result<(), StoreError> {
        self.tell(&judged);
        Ok(())
    }
}
