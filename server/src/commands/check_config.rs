//! `check-config`: says whether the configuration is right. Fields are checked when it is read; here the files that it
//! names are.

use crate::secrets::{DatabaseAge, Secrets};
use crate::{
    config::Settings, demonstration::Manifest, mail::smtp::SmtpPostman, randomness::SystemRandomness, tls::Tls,
};

/// Reads the files that the configuration names. Makes nothing.
///
/// # Errors
///
/// With the field that is wrong.
pub fn run(settings: &Settings) -> anyhow::Result<()> {
    settings.database.location(settings.data.as_deref())?;
    let will_be_made =
        settings.may_make_secrets().is_some() && settings.database.age(settings.data.as_deref()) == DatabaseAge::New;
    if !will_be_made {
        Secrets::load(&settings.secrets, settings.may_make_secrets(), DatabaseAge::Existing, &SystemRandomness)?;
    }
    if settings.mail.host.is_some() {
        SmtpPostman::new(&settings.mail)?;
    }
    if let Some(tls) = &settings.tls {
        Tls::load(tls)?;
    }
    if let Some(demonstration) = &settings.demonstration {
        Manifest::read(&demonstration.manifest)?;
    }
    println!("The configuration is right.");
    Ok(())
}
