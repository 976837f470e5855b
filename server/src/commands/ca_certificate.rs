//! `ca-certificate`: prints the certificate of the authority behind the cards that are issued here, for programs that are to
//! trust them. The authority is made where there is none yet.

use crate::config::Settings;

/// Prints it, PEM.
///
/// # Errors
///
/// When the secrets cannot be read, or the database does not answer.
pub async fn run(settings: &Settings) -> anyhow::Result<()> {
    let application = super::serve::application(settings, None).await?;
    let der = application.services.desk.authority_certificate().await?;
    print!("{}", pem::encode(&pem::Pem::new("CERTIFICATE", der)));
    Ok(())
}
