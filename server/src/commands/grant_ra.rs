//! `grant-ra`: gives a person a role at the RA's desk, or takes it away. The first manager comes to be so.

use domain::{person::UserNumber, ra::DeskError, role::Role};

use crate::config::Settings;

/// Gives the role. Sessions of the person end: whoever has another role signs in anew.
///
/// # Errors
///
/// When there is no such person, or the database does not answer.
pub async fn run(settings: &Settings, number: &UserNumber, role: Role) -> anyhow::Result<()> {
    let application = super::serve::application(settings, None).await?;
    match application.services.desk.grant(number, role).await {
        Ok(()) => println!("{number} is {} now.", role.as_str()),
        Err(DeskError::NothingToDo) => println!("{number} is {} already.", role.as_str()),
        Err(DeskError::Unknown) => anyhow::bail!("nobody has the user number {number}: take them in first"),
        Err(fault) => return Err(fault.into()),
    }
    Ok(())
}
