//! A mail server that takes every mail and keeps it.

use std::sync::{Arc, Mutex};

use domain::token::MailId;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use uuid::Uuid;

use crate::mails::SentMail;

/// It listens until the test ends.
pub struct MailServer {
    port: u16,
    mails: Arc<Mutex<Vec<SentMail>>>,
}

impl MailServer {
    /// Begins to listen.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("localhost", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mails = Arc::default();
        let kept = Arc::clone(&mails);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // A client that is killed breaks its own connection only.
                tokio::spawn(serve(stream, Arc::clone(&kept)));
            }
        });
        Self { port, mails }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Takes all that came since the last time.
    pub fn take_all(&self) -> Vec<SentMail> {
        std::mem::take(&mut *self.mails.lock().unwrap())
    }
}

async fn serve(stream: TcpStream, mails: Arc<Mutex<Vec<SentMail>>>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mail.test\r\n").await?;
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        if !line.starts_with("DATA") {
            stream.write_all(b"250 ok\r\n").await?;
            continue;
        }
        stream.write_all(b"354 go on\r\n").await?;
        let mut text = String::new();
        loop {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            if line == ".\r\n" {
                break;
            }
            text.push_str(&line);
        }
        mails.lock().unwrap().push(read(text));
        stream.write_all(b"250 kept\r\n").await?;
    }
}

fn read(text: String) -> SentMail {
    let header = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).trim().to_owned()
    };
    let id = header("Message-ID: <");
    let id = MailId(Uuid::parse_str(id.split('@').next().unwrap()).unwrap());
    SentMail { id, to: header("To:"), subject: header("Subject:"), html: String::new(), text }
}
