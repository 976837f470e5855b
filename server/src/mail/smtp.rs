//! Mails by SMTP (RFC 5321), as text and HTML (RFC 2046, 5.1.4).

use std::{fs, io, path::PathBuf, time::Duration};

use async_trait::async_trait;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, MultiPart, header},
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};
use zeroize::Zeroizing;

use super::{DeliveryError, Letter, Postman};
use crate::config::{MailSection, MailSecurity};

/// How long one step with the mail server may take. A round of the outbox waits for it, and so does its lease.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// Delivers to a mail server.
pub struct SmtpPostman {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// The connection to the mail server cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SmtpSetupError {
    /// `mail.host` or `mail.from` is missing.
    #[error("mail.host and mail.from are needed to send mail")]
    NotConfigured,
    /// A file cannot be read.
    #[error("{field}: {} cannot be read", file.display())]
    Unreadable {
        /// The field that names it.
        field: &'static str,
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The certificates or the host name cannot be used.
    #[error("mail.host or mail.ca_file cannot be used for TLS")]
    Tls(#[source] lettre::transport::smtp::Error),
}

impl SmtpPostman {
    /// Sets up the connection; it is made when the first mail goes.
    ///
    /// # Errors
    ///
    /// [`SmtpSetupError`].
    pub fn new(section: &MailSection) -> Result<Self, SmtpSetupError> {
        let (Some(host), Some(from)) = (&section.host, &section.from) else {
            return Err(SmtpSetupError::NotConfigured);
        };
        let tls = match section.security {
            MailSecurity::Starttls => Tls::Required(tls_parameters(section, host)?),
            MailSecurity::Tls => Tls::Wrapper(tls_parameters(section, host)?),
            MailSecurity::None => Tls::None,
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(section.port.unwrap_or_else(|| section.security.usual_port()))
            .timeout(Some(TIMEOUT))
            .tls(tls);
        if let (Some(user), Some(file)) = (&section.user, &section.password_file) {
            let password = fs::read_to_string(file).map(Zeroizing::new).map_err(|source| {
                SmtpSetupError::Unreadable { field: "mail.password_file", file: file.clone(), source }
            })?;
            transport = transport.credentials(Credentials::new(user.clone(), password.trim_end().to_owned()));
        }
        Ok(Self { transport: transport.build(), from: from.0.clone() })
    }

    fn message(&self, letter: &Letter) -> Result<Message, DeliveryError> {
        let refused = |fault: Box<dyn std::error::Error + Send + Sync>| DeliveryError::Refused(fault);
        let to: Address = letter.to.as_str().parse().map_err(|fault| refused(Box::new(fault)))?;
        Message::builder()
            .message_id(Some(format!("<{}@{}>", letter.id, self.from.email.domain())))
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(letter.subject.clone())
            .header(AutoSubmitted)
            .multipart(MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone()))
            .map_err(|fault| refused(Box::new(fault)))
    }
}

fn tls_parameters(section: &MailSection, host: &str) -> Result<TlsParameters, SmtpSetupError> {
    let mut parameters = TlsParameters::builder(host.to_owned());
    if let Some(file) = &section.ca_file {
        let pem = fs::read(file).map_err(|source| SmtpSetupError::Unreadable {
            field: "mail.ca_file",
            file: file.clone(),
            source,
        })?;
        parameters = parameters.add_root_certificate(Certificate::from_pem(&pem).map_err(SmtpSetupError::Tls)?);
    }
    parameters.build().map_err(SmtpSetupError::Tls)
}

#[async_trait]
impl Postman for SmtpPostman {
    async fn deliver(&self, letter: &Letter) -> Result<(), DeliveryError> {
        let message = self.message(letter)?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(fault) if fault.is_permanent() => Err(DeliveryError::Refused(Box::new(fault))),
            Err(fault) => Err(DeliveryError::NotNow(Box::new(fault))),
        }
    }
}

/// Tells mail servers that no person wrote this, so that no out-of-office note comes back (RFC 3834, 5).
#[derive(Clone)]
struct AutoSubmitted;

impl header::Header for AutoSubmitted {
    fn name() -> header::HeaderName {
        header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> header::HeaderValue {
        header::HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use domain::{email::EmailAddress, token::MailId};
    use uuid::Uuid;

    use super::*;
    use crate::config::Sender;

    fn formatted() -> String {
        let section = MailSection {
            host: Some("localhost".to_owned()),
            security: MailSecurity::None,
            from: Some(Sender::try_from("Smartcard Service Centre <no-reply@example.org>".to_owned()).unwrap()),
            ..MailSection::default()
        };
        let letter = Letter {
            id: MailId(Uuid::from_u128(1)),
            to: EmailAddress::parse("jane.smith@nhs.net").unwrap(),
            subject: "Your Smartcard Unlock Code\r\nBcc: thief@example.com".to_owned(),
            text: "KTRW-MGBD\n\nZoë".to_owned(),
            html: "<p>KTRW-MGBD</p>".to_owned(),
        };
        let message = SmtpPostman::new(&section).unwrap_or_else(|fault| panic!("{fault}")).message(&letter).unwrap();
        String::from_utf8(message.formatted()).unwrap()
    }

    #[tokio::test]
    async fn a_mail_says_that_a_program_wrote_it_and_keeps_its_id() {
        let message = formatted();
        for line in [
            "Auto-Submitted: auto-generated",
            "Message-ID: <00000000-0000-0000-0000-000000000001@example.org>",
            "To: jane.smith@nhs.net",
            "MIME-Version: 1.0",
        ] {
            assert!(message.lines().any(|found| found == line), "{line} in {message}");
        }
        assert!(message.contains("Content-Type: multipart/alternative"), "{message}");
        assert!(message.contains("Content-Type: text/plain; charset=utf-8"), "{message}");
        assert!(message.contains("Content-Type: text/html; charset=utf-8"), "{message}");
    }

    #[tokio::test]
    async fn a_line_break_in_a_subject_makes_no_header() {
        assert!(!formatted().lines().any(|line| line.starts_with("Bcc")), "{}", formatted());
    }
}
