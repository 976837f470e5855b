//! `erase-person`: erases all that is kept of a person, or says what that is. Names and addresses are never printed.

use domain::{erasure::Erased, person::UserNumber, ports::ErasedRows};

use crate::config::Settings;

/// Says what would go. Changes nothing.
///
/// # Errors
///
/// When there is no such person, or the database does not answer.
pub async fn preview(settings: &Settings, number: &UserNumber) -> anyhow::Result<()> {
    let application = super::serve::application(settings, None).await?;
    let erased = application.services.erasure.preview(number).await?;
    println!(
        "{}\nNothing was changed. With --yes all of it is erased; the unlock keys are nowhere else.",
        in_numbers(&erased)
    );
    Ok(())
}

/// Erases a person. The mails that tell them go out with the next that the running service sends.
///
/// # Errors
///
/// When there is no such person, or the database does not answer.
pub async fn erase(settings: &Settings, number: &UserNumber) -> anyhow::Result<()> {
    let application = super::serve::application(settings, None).await?;
    let erased = application.services.erasure.erase(number).await?;
    println!("{}\nAll of it was erased.", in_numbers(&erased));
    Ok(())
}

fn in_numbers(Erased { rows, told }: &Erased) -> String {
    let ErasedRows {
        cards,
        unlock_keys,
        registrations,
        sessions,
        flows,
        forms,
        challenges,
        code_mails,
        references,
        issuances,
    } = rows;
    format!(
        "Cards: {cards}\nUnlock keys: {unlock_keys}\nCards that were issued here: {issuances}\nRegistrations: {registrations}\nSessions: {sessions}\n\
         Flows: {flows}, with {forms} forms and {challenges} challenges\nNotes of code mails: {code_mails}\nReferences of error pages: {references}\n\
         Addresses that are told: {told}"
    )
}
