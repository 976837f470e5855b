//! A mail server that takes every mail and keeps it.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

/// It listens on a port of this machine until the program ends.
pub struct MailServer {
    port: u16,
    kept: Arc<Kept>,
}

#[derive(Default)]
struct Kept {
    mails: Mutex<Vec<String>>,
    came: Notify,
}

impl MailServer {
    /// Begins to listen, at a port that nobody has where it is 0.
    ///
    /// # Errors
    ///
    /// When the port is not to be had.
    pub async fn start(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let port = listener.local_addr()?.port();
        let kept = Arc::<Kept>::default();
        let keeping = Arc::clone(&kept);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that is killed breaks its own connection only.
                tokio::spawn(serve(stream, Arc::clone(&keeping)));
            }
        });
        Ok(Self { port, kept })
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Takes all that came since the last time, as they came over the wire.
    pub fn take_all(&self) -> Vec<String> {
        std::mem::take(&mut *self.kept.mails.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until one has come since the last time.
    pub async fn until_one_came(&self) {
        self.kept.came.notified().await;
    }
}

async fn serve(stream: TcpStream, kept: Arc<Kept>) -> io::Result<()> {
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
        kept.mails.lock().unwrap_or_else(PoisonError::into_inner).push(text);
        kept.came.notify_one();
        stream.write_all(b"250 kept\r\n").await?;
    }
}

/// The value of a header of a mail; empty where it has none.
pub fn header<'a>(mail: &'a str, name: &str) -> &'a str {
    let head = mail.split("\r\n\r\n").next().unwrap_or(mail);
    let value = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.unwrap_or_default().trim()
}

/// The code that stands alone on a line of a mail, where there is one.
pub fn code(mail: &str) -> Option<&str> {
    mail.lines().find(|line| {
        line.len() == 9
            && line.chars().enumerate().all(|(at, letter)| (at == 4) == (letter == '-') && !letter.is_ascii_digit())
    })
}

/// The token of the link by which somebody says that it was not them, where a mail has one.
pub fn freeze_token(mail: &str) -> Option<String> {
    // Quoted-printable, or as it is.
    let unfolded = mail.replace("=\r\n", "").replace("=3D", "=");
    let (_, link) = unfolded.split_once("/not-me?of=")?;
    let is_of_token = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    link.split(|letter| !is_of_token(letter)).next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_of_a_link_is_read_however_its_mail_was_sent() {
        for mail in [
            "It was not me:\r\nhttps://x.test/not-me?of=abc-_1\r\nRA",
            "It was not me:\r\nhttps://x.test/not-=\r\nme?of=3Dabc=\r\n-_1\r\nRA",
        ] {
            assert_eq!(freeze_token(mail).as_deref(), Some("abc-_1"));
        }
        assert_eq!(freeze_token("no link"), None);
    }
}
