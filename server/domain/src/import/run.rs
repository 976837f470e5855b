//! An import that an officer began at the desk: how far it is, and what came of it. It stands in the store, so that every
//! server can say so, and stays there. Nothing that stands in a row is in it.

use serde::{Deserialize, Serialize};
use time::Duration;

use super::{Counts, RowFault};
use crate::{Timestamp, token::ImportId, trail::TrailName};

/// How many rows that were refused are kept with their reasons; more are counted only.
pub const FAULTS_KEPT: usize = 1_000;

/// How long an import may say nothing before it counts as interrupted: its server has stopped.
const SILENCE: Duration = Duration::minutes(2);

/// What is kept where a row is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    /// Every row that is not refused.
    EachRow,
    /// Nothing.
    AllOrNothing,
}

/// Which of the two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImportFile {
    /// That of people.
    People,
    /// That of cards.
    Cards,
}

/// A row that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultyRow {
    /// In which file.
    pub file: ImportFile,
    /// On which line it begins, from 1.
    pub line: u64,
    /// Why.
    pub fault: RowFault,
}

/// What an import has done so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The rows of the file of people.
    pub people: Counts,
    /// The rows of the file of cards.
    pub cards: Counts,
    /// The first rows that were refused.
    pub faults: Vec<FaultyRow>,
}

/// How an import ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "kebab-case")]
pub enum RunEnd {
    /// Every row was looked at, and those that were not refused are kept.
    Kept,
    /// It was to be all or nothing, and a row was refused.
    NothingKept,
    /// The files did not arrive as a whole, or too slowly, or are too large.
    NotReceived,
    /// What arrived is not what the officer signed.
    OtherFiles,
    /// The file of cards is not encrypted. It holds unlock keys.
    NotEncrypted,
    /// A file does not open with the import key of the service.
    Closed {
        /// Which.
        file: ImportFile,
    },
    /// The first line of a file is another.
    Header {
        /// Which.
        file: ImportFile,
    },
    /// A file cannot be read to its end.
    Unreadable {
        /// Which.
        file: ImportFile,
        /// The line on which the last row begins that was read.
        line: u64,
    },
    /// The service failed.
    Failed,
}

/// How an import stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum RunState {
    /// It goes on.
    Running,
    /// It is over.
    Ended(RunEnd),
}

/// An import that an officer began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRun {
    /// Which.
    pub id: ImportId,
    /// Who began it: their name on the trail.
    pub officer: TrailName,
    /// What is kept where a row is refused.
    pub extent: Extent,
    /// When it began.
    pub began_at: Timestamp,
    /// When it was heard of last.
    pub seen_at: Timestamp,
    /// What it has done.
    pub progress: Progress,
    /// How it stands.
    pub state: RunState,
}

impl ImportRun {
    /// Whether it goes on, as far as anybody can tell.
    pub fn is_under_way(&self, now: Timestamp) -> bool {
        self.state == RunState::Running && (now - self.seen_at).abs() < SILENCE
    }
}
