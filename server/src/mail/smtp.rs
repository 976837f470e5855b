//! Mails by SMTP (RFC 5321), as text and HTML (RFC 2046, 5.1.4).

use std::{error::Error as _, io, path::PathBuf, time::Duration};

use async_trait::async_trait;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, MultiPart, header},
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};

use super::{DeliveryError, Letter, Postman};
use crate::{
    config::{MailSection, MailSecurity},
    private_file::{self, PrivateFileError},
};

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
    /// The file of the password cannot be read, or everybody can read it.
    #[error("mail.password_file: {} is not read", file.display())]
    Password {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: PrivateFileError,
    },
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
            let password =
                private_file::read(file).map_err(|source| SmtpSetupError::Password { file: file.clone(), source })?;
            transport = transport.credentials(Credentials::new(user.clone(), password.trim_end().to_owned()));
        }
        Ok(Self { transport: transport.build(), from: from.0.clone() })
    }

    fn message(&self, letter: &Letter) -> Result<Message, DeliveryError> {
        let to: Address = letter.to.as_str().parse().map_err(|fault| DeliveryError::AddressRefused(Box::new(fault)))?;
        Message::builder()
            .message_id(Some(format!("<{}@{}>", letter.id, self.from.email.domain())))
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(letter.subject.clone())
            .header(AutoSubmitted)
            .multipart(MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone()))
            .map_err(|fault| DeliveryError::NotNow(Box::new(fault)))
    }
}

fn tls_parameters(section: &MailSection, host: &str) -> Result<TlsParameters, SmtpSetupError> {
    let mut parameters = TlsParameters::builder(host.to_owned());
    if let Some(file) = &section.ca_file {
        let pem = std::fs::read(file).map_err(|source| SmtpSetupError::Unreadable {
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
            Err(fault) if is_of_the_address(&fault) => Err(DeliveryError::AddressRefused(Box::new(fault))),
            Err(fault) => Err(DeliveryError::NotNow(Box::new(fault))),
        }
    }
}

/// Whether a mail server refused the address of a mail for good. Every other refusal may be of the service (its sender, its
/// rights, its TLS) and so of all mails: these are tried again, until somebody has set it right.
///
/// The enhanced status code says it where there is one (RFC 3463, 3.2 and 3.3), else the code (RFC 5321, 4.2.3).
fn is_of_the_address(fault: &lettre::transport::smtp::Error) -> bool {
    let Some(code) = fault.status().filter(|_| fault.is_permanent()) else { return false };
    let said = fault.source().map(ToString::to_string).unwrap_or_default();
    match said.split_whitespace().next().filter(|word| is_enhanced_status(word)) {
        Some(status) => ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"].contains(&status),
        None => [550, 551, 553].contains(&u16::from(code)),
    }
}

/// Whether it is like `5.1.1`.
fn is_enhanced_status(word: &str) -> bool {
    let is_number = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    word.split('.').count() == 3 && word.split('.').all(is_number)
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
    use tokio::{
        io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
        net::TcpListener,
    };
    use uuid::Uuid;

    use super::*;
    use crate::config::Sender;

    fn postman(port: Option<u16>) -> SmtpPostman {
        let section = MailSection {
            host: Some("localhost".to_owned()),
            port,
            security: MailSecurity::None,
            from: Some(Sender::try_from("Smartcard Service Centre <no-reply@example.org>".to_owned()).unwrap()),
            ..MailSection::default()
        };
        SmtpPostman::new(&section).unwrap_or_else(|fault| panic!("{fault}"))
    }

    fn letter() -> Letter {
        Letter {
            id: MailId(Uuid::from_u128(1)),
            to: EmailAddress::parse("jane.smith@nhs.net").unwrap(),
            subject: "Your Smartcard Unlock Code\r\nBcc: thief@example.com".to_owned(),
            text: "KTRW-MGBD\n\nZoë".to_owned(),
            html: "<p>KTRW-MGBD</p>".to_owned(),
        }
    }

    fn formatted() -> String {
        String::from_utf8(postman(None).message(&letter()).unwrap().formatted()).unwrap()
    }

    /// A mail server that answers one command of a dialogue with this reply, and all others well.
    async fn server_that_says(command: &'static str, reply: &'static str) -> u16 {
        let listener = TcpListener::bind(("localhost", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            stream.write_all(b"220 mail.test\r\n").await.unwrap();
            let mut is_text = false;
            let mut line = String::new();
            while stream.read_line(&mut line).await.is_ok_and(|read| read > 0) {
                let said = std::mem::take(&mut line);
                if is_text && said != ".\r\n" {
                    continue;
                }
                is_text = said.starts_with("DATA") && command != "DATA";
                let answer = if said.starts_with(command) {
                    reply
                } else if is_text {
                    "354 go on"
                } else {
                    "250 ok"
                };
                stream.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
            }
        });
        port
    }

    #[tokio::test]
    async fn an_address_that_is_refused_for_good_is_told_from_a_service_that_is_not_served() {
        for (command, reply, is_of_the_address) in [
            ("RCPT", "550 5.1.1 <jane.smith@nhs.net>: no such user", true),
            ("RCPT", "550 no such user", true),
            ("RCPT", "553 mailbox name not allowed", true),
            ("RCPT", "556 5.1.10 null MX", true),
            ("RCPT", "450 4.2.1 try later", false),
            ("RCPT", "554 5.7.1 relay access denied", false),
            ("RCPT", "530 5.7.0 must issue a STARTTLS command first", false),
            ("RCPT", "552 5.2.2 mailbox full", false),
            ("MAIL", "550 5.1.8 the sender's domain is not known", false),
            ("MAIL", "550 5.7.1 not from this machine", false),
            ("DATA", "554 5.6.0 not such a text", false),
            ("EHLO", "421 too busy", false),
        ] {
            let port = server_that_says(command, reply).await;
            let fault = postman(Some(port)).deliver(&letter()).await.err().unwrap_or_else(|| panic!("taken: {reply}"));
            assert_eq!(matches!(fault, DeliveryError::AddressRefused(_)), is_of_the_address, "{reply}: {fault:?}");
        }
        let port = server_that_says("NOTHING", "").await;
        postman(Some(port)).deliver(&letter()).await.unwrap();
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
