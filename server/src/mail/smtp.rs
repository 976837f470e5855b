//! Mails by SMTP (RFC 5321), as text and HTML (RFC 2046, 5.1.4).

mod connections;

use std::{error::Error as _, io, path::PathBuf, time::Duration};

use async_trait::async_trait;
use connections::Connections;
use lettre::{
    Address, Message,
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

/// How long a mail server may take for a mail, from the connection on. A code is worth nothing after 15 minutes, so this is less
/// than the 10 that RFC 5321 (4.5.3.2.6) grants for the last reply alone: a mail server that takes one and says so later gets it
/// once more.
pub const DIALOGUE: Duration = Duration::from_mins(2);

/// Delivers to a mail server.
pub struct SmtpPostman {
    connections: Connections,
    dialogue: Duration,
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
        let credentials = match (&section.user, &section.password_file) {
            (Some(user), Some(file)) => {
                let password = private_file::read(file)
                    .map_err(|source| SmtpSetupError::Password { file: file.clone(), source })?;
                Some(Credentials::new(user.clone(), password.trim_end().to_owned()))
            }
            _ => None,
        };
        let port = section.port.unwrap_or_else(|| section.security.usual_port());
        let connections = Connections::new(host.clone(), port, tls, credentials);
        Ok(Self { connections, dialogue: DIALOGUE, from: from.0.clone() })
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
        let text = message.formatted();
        let sending = self.connections.send(message.envelope(), &text);
        match tokio::time::timeout(self.dialogue, sending).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(fault)) if is_of_the_address(&fault) => Err(DeliveryError::AddressRefused(Box::new(fault))),
            Ok(Err(fault)) => Err(DeliveryError::NotNow(Box::new(fault))),
            Err(late) => Err(DeliveryError::NotNow(Box::new(late))),
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
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use domain::{email::EmailAddress, token::MailId};
    use tokio::{
        io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
        net::{TcpListener, TcpStream},
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

    /// What a mail server does when it is told something.
    #[derive(Clone, Copy)]
    enum Does {
        Says(&'static str),
        Hangs,
        Closes,
    }

    /// What it is told first: that somebody is there.
    const CONNECTED: &str = "(connected)";

    /// A mail server that does this at one command, on so many connections that come first, and otherwise what is usual; and
    /// how many came.
    async fn server_that(does: Does, command: &'static str, times: usize) -> (u16, Arc<AtomicUsize>) {
        let listener = TcpListener::bind(("localhost", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let is_odd = counted.fetch_add(1, Ordering::SeqCst) < times;
                tokio::spawn(speak(BufReader::new(stream), is_odd.then_some((command, does))));
            }
        });
        (port, connections)
    }

    async fn speak(mut stream: BufReader<TcpStream>, odd: Option<(&'static str, Does)>) {
        let mut said = CONNECTED.to_owned();
        let mut is_text = false;
        loop {
            if !is_text || said == ".\r\n" {
                let odd = odd.filter(|(command, _)| said.starts_with(command));
                is_text = said.starts_with("DATA") && odd.is_none();
                let answer = match odd {
                    Some((_, Does::Says(reply))) => reply,
                    Some((_, Does::Hangs)) => return std::future::pending().await,
                    Some((_, Does::Closes)) => return,
                    None if said == CONNECTED => "220 mail.test",
                    None if is_text => "354 go on",
                    None => "250 ok",
                };
                stream.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
            }
            said.clear();
            if stream.read_line(&mut said).await.is_ok_and(|read| read == 0) {
                return;
            }
        }
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
            let (port, _) = server_that(Does::Says(reply), command, 1).await;
            let fault = postman(Some(port)).deliver(&letter()).await.err().unwrap_or_else(|| panic!("taken: {reply}"));
            assert_eq!(matches!(fault, DeliveryError::AddressRefused(_)), is_of_the_address, "{reply}: {fault:?}");
        }
    }

    #[tokio::test]
    async fn a_mail_server_that_says_nothing_more_is_given_up_and_its_connection_with_it() {
        let at_each = [CONNECTED, "EHLO", "MAIL", "RCPT", "DATA", ".\r\n"].map(|command| async move {
            let (port, connections) = server_that(Does::Hangs, command, 1).await;
            let mut postman = postman(Some(port));
            // Long enough that it is this command which is not answered.
            postman.dialogue = Duration::from_secs(5);
            let delivered = tokio::time::timeout(Duration::from_mins(1), postman.deliver(&letter())).await;
            let fault = delivered.expect("it is given up").err().unwrap_or_else(|| panic!("taken: {command}"));
            assert!(matches!(fault, DeliveryError::NotNow(_)), "{command}: {fault:?}");
            postman.dialogue = DIALOGUE;
            postman.deliver(&letter()).await.unwrap();
            assert_eq!(connections.load(Ordering::SeqCst), 2, "{command}: it is taken over another connection");
        });
        futures::future::join_all(at_each).await;
    }

    #[tokio::test]
    async fn mails_one_after_another_share_a_connection_while_the_mail_server_listens_to_it() {
        for (does, command, many) in [(Does::Closes, "NOTHING", 1), (Does::Closes, "NOOP", 2), (Does::Hangs, "NOOP", 2)]
        {
            let (port, connections) = server_that(does, command, 1).await;
            let postman = postman(Some(port));
            for _ in 0..3 {
                let letter = letter();
                let delivered = tokio::time::timeout(Duration::from_secs(30), postman.deliver(&letter));
                delivered.await.expect("it waits for nobody who says nothing").unwrap();
            }
            assert_eq!(connections.load(Ordering::SeqCst), many, "{command}");
        }
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
