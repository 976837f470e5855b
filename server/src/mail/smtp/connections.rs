//! Connections to the mail server: one for each mail that is on its way, kept for the next.
//!
//! lettre's own pool takes a dialogue that was given up for one that ended, and gives its connection to the next mail; where a
//! mail server says nothing any more, it waits for it without end. Here a dialogue that is given up takes its connection with it.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use lettre::{
    address::Envelope,
    transport::smtp::{
        Error,
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, Tls},
        extension::ClientId,
    },
};

/// How long after a mail its connection is taken for another: mail servers close one after some minutes.
const KEPT_FOR: Duration = Duration::from_mins(1);

/// How long one address of the mail server may take to be reached, before the next is tried.
const REACHED_WITHIN: Duration = Duration::from_secs(20);

/// How long the mail server may take to say that it still listens to one: whatever lies between may have lost it.
const LISTENS_WITHIN: Duration = Duration::from_secs(5);

/// How a mail server is reached, and the connections to it that are free.
pub struct Connections {
    host: String,
    port: u16,
    tls: Tls,
    credentials: Option<Credentials>,
    hello: ClientId,
    free: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

impl Connections {
    /// There is none at first.
    pub fn new(host: String, port: u16, tls: Tls, credentials: Option<Credentials>) -> Self {
        Self { host, port, tls, credentials, hello: ClientId::default(), free: Mutex::default() }
    }

    /// Sends a mail over one of them, or a new one, which is free afterwards. It takes as long as the mail server does; where
    /// nobody waits for it any more, its connection is closed.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn send(&self, envelope: &Envelope, mail: &[u8]) -> Result<(), Error> {
        let mut connection = match self.take().await {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        connection.send(envelope, mail).await?;
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push((connection, Instant::now()));
        Ok(())
    }

    /// A free one that the mail server still listens to.
    async fn take(&self) -> Option<AsyncSmtpConnection> {
        loop {
            let mut connection = {
                let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
                free.retain(|(_, since)| since.elapsed() < KEPT_FOR);
                free.pop()?.0
            };
            let listens = tokio::time::timeout(LISTENS_WITHIN, connection.test_connected());
            if listens.await.unwrap_or(false) {
                return Some(connection);
            }
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let at_once = if let Tls::Wrapper(parameters) = &self.tls { Some(parameters.clone()) } else { None };
        let server = (self.host.as_str(), self.port);
        let connection = AsyncSmtpConnection::connect_tokio1(server, Some(REACHED_WITHIN), &self.hello, at_once, None);
        let mut connection = connection.await?;
        if let Tls::Required(parameters) = &self.tls {
            connection.starttls(parameters.clone(), &self.hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }
}
