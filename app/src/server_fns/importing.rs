//! Imports that managers of the RA's desk begin.

use card_protocol::{CardProof, Challenge};
use leptos::{prelude::*, server_fn::codec::Json};
use serde::{Deserialize, Serialize};

use super::ra::DeskFault;
use crate::moment::Moment;
#[cfg(feature = "ssr")]
use {
    super::{ra::officer, services},
    crate::{config::PageConfig, t},
    domain::{
        challenge::Binding,
        import::{self, FaultyRow, ImportFile, Refusal, RowFault, RunEnd, RunState},
        ra::{FileDigest, ImportOrder, RunOnRecord},
    },
};

/// What is kept where a row is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    EachRow,
    AllOrNothing,
}

/// Which files are to be taken in: their SHA-256 in hexadecimal, and what is kept of them. As it is sent with the files it
/// is the domain's `ImportOrder`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportOrderText {
    /// The file of people.
    pub people: String,
    /// The file of cards.
    pub cards: String,
    /// What is kept.
    pub extent: Extent,
}

#[cfg(feature = "ssr")]
impl ImportOrderText {
    fn read(self) -> Result<ImportOrder, DeskFault> {
        let digest = |text: String| FileDigest::try_from(text).map_err(|_| DeskFault::NotReceived);
        let extent = match self.extent {
            Extent::EachRow => import::Extent::EachRow,
            Extent::AllOrNothing => import::Extent::AllOrNothing,
        };
        Ok(ImportOrder { people: digest(self.people)?, cards: digest(self.cards)?, extent })
    }
}

/// What the page of an import has to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportFacts {
    /// To whom the file of cards is to be encrypted; nothing where the service has no import key.
    pub recipient: Option<String>,
    /// How large both files may be together, in bytes.
    pub limit: u64,
}

/// What the page of an import has to say.
///
/// # Errors
///
/// [`DeskFault`].
#[server(prefix = "/api", endpoint = "ra/import/facts", input = Json, output = Json)]
pub async fn read_import_facts() -> Result<ImportFacts, DeskFault> {
    let (_, officer) = officer().await?;
    officer.may_do(domain::ra::Task::Import)?;
    let config = expect_context::<PageConfig>();
    Ok(ImportFacts { recipient: config.import_recipient, limit: config.upload_limit })
}

/// Confirms that a card of this service vouches for the connection key, and gives the challenge that the officer's card
/// signs for these files.
///
/// # Errors
///
/// [`DeskFault`].
#[server(prefix = "/api", endpoint = "ra/import/confirm-card", input = Json, output = Json)]
pub async fn confirm_importing_card(proof: CardProof, order: ImportOrderText) -> Result<Challenge, DeskFault> {
    let (signed_in, officer) = officer().await?;
    let order = order.read()?;
    services().sign_in.check_card(Binding::Session(signed_in.session.id), &proof).await?;
    Ok(services().desk.import_challenge(&officer, &order).await?)
}

/// How many rows of a file became what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    /// They are new.
    pub added: u64,
    /// They work elsewhere now.
    pub moved: u64,
    /// They were there already.
    pub unchanged: u64,
    /// They were refused.
    pub refused: u64,
}

/// A row that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultyLine {
    /// In which file, in words.
    pub file: String,
    /// On which line.
    pub line: u64,
    /// Why, in words.
    pub why: String,
}

/// An import, to be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunLine {
    /// Which.
    pub id: String,
    /// When it began.
    pub began_at: Moment,
    /// Who began it, where they are still known.
    pub officer: Option<String>,
    /// Whether nothing is kept where a row is refused.
    pub is_all_or_nothing: bool,
    /// Whether it goes on.
    pub is_under_way: bool,
    /// Whether it ended as it was meant to.
    pub is_kept: bool,
    /// How it stands, in words.
    pub state: String,
    /// The file of people.
    pub people: RowCounts,
    /// The file of cards.
    pub cards: RowCounts,
    /// The first rows that were refused.
    pub faults: Vec<FaultyLine>,
}

/// The latest imports, the newest first.
///
/// # Errors
///
/// [`DeskFault`].
#[server(prefix = "/api", endpoint = "ra/imports", input = Json, output = Json)]
pub async fn imports() -> Result<Vec<RunLine>, DeskFault> {
    let (_, officer) = officer().await?;
    Ok(services().desk.imports(&officer).await?.into_iter().map(RunLine::from).collect())
}

#[cfg(feature = "ssr")]
impl From<RunOnRecord> for RunLine {
    fn from(RunOnRecord { run, officer, is_under_way }: RunOnRecord) -> Self {
        let counts = |counts: import::Counts| RowCounts {
            added: counts.added,
            moved: counts.moved,
            unchanged: counts.unchanged,
            refused: counts.refused,
        };
        let fault = |FaultyRow { file, line, fault }: FaultyRow| FaultyLine {
            file: file_word(file).to_owned(),
            line,
            why: fault_word(fault).to_owned(),
        };
        Self {
            id: run.id.to_string(),
            began_at: run.began_at.into(),
            officer: officer.map(|officer| officer.name),
            is_all_or_nothing: run.extent == import::Extent::AllOrNothing,
            is_under_way,
            is_kept: run.state == RunState::Ended(RunEnd::Kept),
            state: match run.state {
                RunState::Running if is_under_way => t::import_running().to_owned(),
                RunState::Running => t::import_interrupted().to_owned(),
                RunState::Ended(end) => end_words(end),
            },
            people: counts(run.progress.people),
            cards: counts(run.progress.cards),
            faults: run.progress.faults.into_iter().map(fault).collect(),
        }
    }
}

#[cfg(feature = "ssr")]
fn file_word(file: ImportFile) -> &'static str {
    match file {
        ImportFile::People => t::import_people(),
        ImportFile::Cards => t::import_cards(),
    }
}

#[cfg(feature = "ssr")]
fn end_words(end: RunEnd) -> String {
    match end {
        RunEnd::Kept => t::import_kept().to_owned(),
        RunEnd::NothingKept => t::import_nothing_kept().to_owned(),
        RunEnd::NotReceived => t::import_not_received().to_owned(),
        RunEnd::OtherFiles => t::import_other_files().to_owned(),
        RunEnd::NotEncrypted => t::import_not_encrypted().to_owned(),
        RunEnd::Closed { file } => t::import_closed(file_word(file)),
        RunEnd::Header { file } => t::import_header(file_word(file)),
        RunEnd::Unreadable { file, line } => {
            t::import_unreadable(file_word(file), u32::try_from(line).unwrap_or(u32::MAX))
        }
        RunEnd::Failed => t::import_failed().to_owned(),
    }
}

#[cfg(feature = "ssr")]
fn fault_word(fault: RowFault) -> &'static str {
    match fault {
        RowFault::Fields => t::import_row_fields(),
        RowFault::UserNumber => t::import_row_user_number(),
        RowFault::Name => t::import_row_name(),
        RowFault::Email => t::import_row_email(),
        RowFault::Organisation => t::import_row_organisation(),
        RowFault::Guid => t::import_row_guid(),
        RowFault::AuthenticationKey => t::import_row_authentication(),
        RowFault::CardAuthenticationKey => t::import_row_card_authentication(),
        RowFault::UnlockKey => t::import_row_unlock_key(),
        RowFault::Refused(Refusal::OtherName) => t::import_row_other_name(),
        RowFault::Refused(Refusal::UnknownPerson) => t::import_row_unknown_person(),
        RowFault::Refused(Refusal::ZeroGuid) => t::import_row_zero_guid(),
        RowFault::Refused(Refusal::GuidTaken) => t::import_row_guid_taken(),
        RowFault::Refused(Refusal::KeyTaken) => t::import_row_key_taken(),
        RowFault::Refused(Refusal::WeakKey) => t::import_row_weak_key(),
        RowFault::Refused(Refusal::OwnRecord) => t::import_row_own_record(),
    }
}
