//! An import that a manager begins at the desk. Its files are received into unnamed files of the server, which are gone when
//! the program is, and only when they are there as a whole, and are the ones that the officer signed for, is the first row
//! of them stored: by the same code that takes files in from the command line.

use std::{
    fs::File,
    io::{self, Seek, Write},
    path::PathBuf,
    sync::Arc,
};

use async_trait::async_trait;
use axum::body::Bytes;
use domain::{
    Services,
    import::{Extent, FAULTS_KEPT, FaultyRow, ImportFile, ImportRun, RunEnd},
    ports::StoreError,
    ra::{FileDigest, ImportOrder},
};
use sha2::{Digest, Sha256};
use tokio::{sync::mpsc, task::JoinHandle};

use super::{FileName, FileProgress, ImportKey, Input, Inputs, Judged, Witness, take_in};

/// How many pieces of a file wait to be written.
const PIECES_AHEAD: usize = 8;

/// What imports at the desk need.
#[derive(Clone)]
pub struct Uploads {
    /// The use cases.
    pub services: Services,
    /// What the files of cards are encrypted to; without it nothing is taken in.
    pub key: Option<Arc<ImportKey>>,
    /// Where files are received.
    pub folder: PathBuf,
}

/// A file while it is received: written and digested on a thread of its own.
pub struct Receiving {
    pieces: mpsc::Sender<Bytes>,
    written: JoinHandle<io::Result<Received>>,
}

/// A file that was received.
pub struct Received {
    file: File,
    digest: FileDigest,
}

impl Uploads {
    /// Begins to receive a file.
    pub fn receive(&self) -> Receiving {
        let (pieces, mut waiting) = mpsc::channel::<Bytes>(PIECES_AHEAD);
        let folder = self.folder.clone();
        let written = tokio::task::spawn_blocking(move || {
            let mut file = tempfile::tempfile_in(folder)?;
            let mut digest = Sha256::new();
            while let Some(piece) = waiting.blocking_recv() {
                digest.update(&piece);
                file.write_all(&piece)?;
            }
            file.rewind()?;
            Ok(Received { file, digest: FileDigest(digest.finalize().into()) })
        });
        Receiving { pieces, written }
    }

    /// Takes files in that were received, and notes what came of it.
    pub async fn run(self, mut run: ImportRun, order: ImportOrder, people: Received, cards: Received) {
        let end = if people.digest == order.people && cards.digest == order.cards {
            self.take_in(&mut run, people.file, cards.file).await
        } else {
            RunEnd::OtherFiles
        };
        self.end(&mut run, end).await;
    }

    /// Notes how an import ended. Where that cannot be stored, it falls silent instead.
    pub async fn end(&self, run: &mut ImportRun, end: RunEnd) {
        if let Err(fault) = self.services.desk.import_ends(run, end).await {
            tracing::error!(fault = &fault as &dyn std::error::Error, "the end of an import was not noted");
        }
    }

    async fn take_in(&self, run: &mut ImportRun, people: File, cards: File) -> RunEnd {
        let Some(key) = &self.key else { return RunEnd::Failed };
        let input = |which, file, name: &str| Input { name: FileName { which, name: name.to_owned() }, file };
        let inputs = Inputs {
            people: input(ImportFile::People, people, "people.csv"),
            cards: input(ImportFile::Cards, cards, "cards.csv.age"),
        };
        let extent = run.extent;
        let import = self.services.import.clone().begun_by(run.officer.clone());
        let mut notes = Notes { services: &self.services, run };
        match take_in(&import, key, inputs, extent, &mut notes).await {
            Ok(end) => end,
            Err(fault) => {
                tracing::warn!(fault = &fault as &dyn std::error::Error, "an import ended before its end");
                fault.end()
            }
        }
    }
}

impl Receiving {
    /// Takes the next piece. A fault of the file comes at its end.
    pub async fn piece(&self, piece: Bytes) {
        // The receiver is gone only where the file could not be written.
        let _ = self.pieces.send(piece).await;
    }

    /// Ends the file.
    ///
    /// # Errors
    ///
    /// Where it could not be written.
    pub async fn end(self) -> io::Result<Received> {
        drop(self.pieces);
        self.written.await.map_err(io::Error::other)?
    }
}

/// Notes in the store how far an import is.
struct Notes<'a> {
    services: &'a Services,
    run: &'a mut ImportRun,
}

#[async_trait]
impl Witness for Notes<'_> {
    fn begins(&mut self, _: &FileName, _: FileProgress) {}

    async fn judged(&mut self, Judged { file, counts, refused }: Judged) -> Result<(), StoreError> {
        let progress = &mut self.run.progress;
        match file {
            ImportFile::People => progress.people.add(&counts),
            ImportFile::Cards => progress.cards.add(&counts),
        }
        let left = FAULTS_KEPT - progress.faults.len();
        progress.faults.extend(refused.into_iter().take(left).map(|(line, fault)| FaultyRow { file, line, fault }));
        match self.run.extent {
            Extent::EachRow => self.services.desk.import_goes_on(self.run).await,
            // It has the only transaction.
            Extent::AllOrNothing => Ok(()),
        }
    }
}
