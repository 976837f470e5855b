//! What is said of an import: the rows that are refused, how far it is, and what came of it. It goes to standard error, so
//! that the last words can be read by a program. Nothing that stands in a row is repeated.

use std::{
    fmt,
    io::{IsTerminal, Write},
    path::Path,
    time::Instant,
};

use domain::{enrolment::Enrolled, import::Verdict};

use super::{RowFault, source::FileProgress};

/// How many rows became what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// They are new.
    pub added: u64,
    /// They were there already.
    pub unchanged: u64,
    /// They were refused.
    pub refused: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { added, unchanged, refused } = self;
        write!(formatter, "{added} added, {unchanged} unchanged, {refused} refused")
    }
}

/// Tells of an import while it goes on.
pub struct Report {
    /// The people.
    pub people: Counts,
    /// The cards.
    pub cards: Counts,
    out: Box<dyn Write + Send>,
    shows_progress: bool,
    file: Option<(String, FileProgress, Instant)>,
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

    pub(super) fn begin(&mut self, file: &Path, progress: FileProgress) {
        self.end();
        self.file = Some((file.display().to_string(), progress, Instant::now()));
    }

    pub(super) fn people(&mut self, lines: &[u64], verdicts: &[Verdict], faults: &[(u64, RowFault)]) {
        self.people = self.count(self.people, lines, verdicts, faults);
    }

    pub(super) fn cards(&mut self, lines: &[u64], verdicts: &[Verdict], faults: &[(u64, RowFault)]) {
        self.cards = self.count(self.cards, lines, verdicts, faults);
    }

    /// Takes the line away that says how far it is.
    pub fn end(&mut self) {
        if self.shows_progress {
            let _ = write!(self.out, "\r\x1b[K");
        }
    }

    fn count(&mut self, mut counts: Counts, lines: &[u64], verdicts: &[Verdict], faults: &[(u64, RowFault)]) -> Counts {
        let mut refused = faults.to_vec();
        for (line, verdict) in lines.iter().zip(verdicts) {
            match verdict {
                Ok(Enrolled::Added) => counts.added += 1,
                Ok(Enrolled::Unchanged) => counts.unchanged += 1,
                Err(refusal) => refused.push((*line, RowFault::Refused(*refusal))),
            }
        }
        counts.refused += refused.len() as u64;
        refused.sort_unstable_by_key(|(line, _)| *line);
        let Some((file, progress, began)) = &self.file else { return counts };
        if self.shows_progress {
            let _ = write!(self.out, "\r\x1b[K");
        }
        for (line, fault) in refused {
            let _ = writeln!(self.out, "{file}, line {line}: {fault}");
        }
        if self.shows_progress {
            let rows = counts.added + counts.unchanged + counts.refused;
            let milliseconds = began.elapsed().as_millis().max(1);
            let rate = u128::from(rows) * 1000 / milliseconds;
            let _ = write!(self.out, "{file}: {} %, {rows} rows, {rate} a second", progress.percent());
            let _ = self.out.flush();
        }
        counts
    }
}
