//! `send-test-mail`: shows whether mails arrive.

use anyhow::Context;
use domain::{email::EmailAddress, token::MailId};

use crate::{
    application,
    config::Settings,
    mail::{Postman, smtp::SmtpPostman},
    randomness::SystemRandomness,
};

/// Sends one mail at once.
///
/// # Errors
///
/// With what the mail server said.
pub async fn run(settings: &Settings, to: &str) -> anyhow::Result<()> {
    let to = EmailAddress::parse(to)?;
    let letter = application::stationery(settings).write_test(MailId::generate(&SystemRandomness), to);
    SmtpPostman::new(&settings.mail)?.deliver(&letter).await.context("mail")?;
    println!("The mail server took the mail to {}.", letter.to.as_str());
    Ok(())
}
