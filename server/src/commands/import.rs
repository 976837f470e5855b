//! `import`: takes people and cards in that others issued.

use std::path::Path;

use anyhow::{Context, bail};
use domain::import::{Extent, ImportFile};

use crate::{
    config::Settings,
    import::{self, ImportError, Input, Inputs, Report},
};

/// Takes them in, says which rows were refused and why, and how many rows became what.
///
/// # Errors
///
/// When a row was refused, or the import ended before its end.
pub async fn run(settings: &Settings, people: &Path, cards: &Path, extent: Extent) -> anyhow::Result<()> {
    let key = super::secrets(settings)?.import_key.context(super::import_key::MISSING)?;
    let application = super::serve::application(settings, None).await?;
    let mut report = Report::on_standard_error();
    let inputs = || {
        let people = Input::open(ImportFile::People, people)?;
        Ok(Inputs { people, cards: Input::open(ImportFile::Cards, cards)? })
    };
    let ended = match inputs() {
        Ok(inputs) => import::take_in(&application.services.import, &key, inputs, extent, &mut report).await,
        Err(fault) => Err(ImportError::Source(fault)),
    };
    report.end();
    let kept_nothing = extent == Extent::AllOrNothing && (ended.is_err() || report.has_refused());
    if !kept_nothing {
        println!("People: {}.\nCards: {}.", report.people, report.cards);
    }
    match ended {
        Err(fault) if kept_nothing => return Err(anyhow::Error::from(fault).context("nothing was taken in")),
        ended => ended.map(drop)?,
    }
    let refused = report.people.refused + report.cards.refused;
    match extent {
        Extent::EachRow if refused > 0 => bail!("{refused} rows were refused, the others are taken in"),
        Extent::AllOrNothing if refused > 0 => bail!("{refused} rows were refused, and nothing was taken in"),
        Extent::EachRow | Extent::AllOrNothing => Ok(()),
    }
}
