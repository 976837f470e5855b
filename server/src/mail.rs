//! Mails on their way out: written by [`letter`], taken away by a [`Postman`]. When they go is up to [`crate::outbox`].

pub mod demonstration;
pub mod letter;
pub mod smtp;

use async_trait::async_trait;

pub use letter::{Letter, Stationery};

/// Takes letters to where they are read: by SMTP, or into the demonstration's mailbox.
#[async_trait]
pub trait Postman: Send + Sync + 'static {
    /// Takes one away.
    ///
    /// # Errors
    ///
    /// [`DeliveryError`] when it was not accepted.
    async fn deliver(&self, letter: &Letter) -> Result<(), DeliveryError>;
}

/// A letter was not accepted. The cause can quote the address, so it is for people at a terminal and not for a log.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The mail server does not answer, not now, or refused for a reason that may lie with the service: who it is, what
    /// it may, what it says.
    #[error("the mail server did not take the mail")]
    NotNow(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The mail server refused the address for good.
    #[error("the mail server refused the address")]
    AddressRefused(#[source] Box<dyn std::error::Error + Send + Sync>),
}
