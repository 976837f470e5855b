//! The certification authority of the cards that are issued here: one for a database, its key sealed by the vault.

use card_protocol::{Guid, Slot};
use zeroize::Zeroizing;

use crate::{
    Timestamp,
    card::CardPublicKey,
    environment::{Environment, retry_on_conflict},
    ports::{StoreError, Transaction, Vault, VaultCiphertext, VaultError},
};

/// An authority that can sign.
pub struct Authority {
    /// Its own certificate, DER.
    pub certificate: Vec<u8>,
    /// Its private key, PKCS #8.
    pub key: Zeroizing<Vec<u8>>,
}

/// An authority as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAuthority {
    /// Its own certificate, DER.
    pub certificate: Vec<u8>,
    /// Its private key, sealed by the vault.
    pub key: VaultCiphertext,
}

const CONTEXT: &[u8] = b"certificate-authority";

impl StoredAuthority {
    /// Seals the key.
    pub fn seal(authority: &Authority, vault: &dyn Vault) -> Self {
        Self { certificate: authority.certificate.clone(), key: vault.seal(&authority.key, CONTEXT) }
    }

    /// Opens it.
    ///
    /// # Errors
    ///
    /// [`VaultError`].
    pub fn open(&self, vault: &dyn Vault) -> Result<Authority, VaultError> {
        Ok(Authority { certificate: self.certificate.clone(), key: vault.open(&self.key, CONTEXT)? })
    }
}

/// What a certificate says.
pub struct CertificateSubject<'a> {
    /// The common name that it bears where the key stands for its holder.
    pub name: &'a str,
    /// The card.
    pub guid: Guid,
    /// Which of its keys.
    pub slot: Slot,
    /// The key.
    pub key: &'a CardPublicKey,
    /// From when it is good.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

/// Makes certificates (X.509).
pub trait Certifier: Send + Sync + 'static {
    /// Makes an authority with a fresh key.
    ///
    /// # Errors
    ///
    /// [`CertifierError`].
    fn found(&self, now: Timestamp) -> Result<Authority, CertifierError>;

    /// Makes the certificate of a card's key, DER.
    ///
    /// # Errors
    ///
    /// [`CertifierError`].
    fn certify(&self, authority: &Authority, subject: &CertificateSubject<'_>) -> Result<Vec<u8>, CertifierError>;
}

/// A certificate can't be made.
#[derive(Debug, thiserror::Error)]
#[error("a certificate cannot be made")]
pub struct CertifierError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Why there is no authority.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// Its key does not open.
    #[error("the key of the certification authority does not open")]
    Vault(#[from] VaultError),
    /// It can't be made.
    #[error(transparent)]
    Certifier(#[from] CertifierError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AuthorityError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(StoreError::Conflict))
    }
}

impl Environment {
    /// The authority; made when it is first needed.
    pub(crate) async fn authority(&self, transaction: &mut dyn Transaction) -> Result<Authority, AuthorityError> {
        if let Some(stored) = transaction.certificate_authority().await? {
            return Ok(stored.open(&*self.vault)?);
        }
        let authority = self.certifier.found(self.now())?;
        transaction.insert_certificate_authority(&StoredAuthority::seal(&authority, &*self.vault)).await?;
        Ok(authority)
    }

    /// Its own certificate, DER, for whoever is to trust the cards.
    pub(crate) async fn authority_certificate(&self) -> Result<Vec<u8>, AuthorityError> {
        retry_on_conflict!(async {
            let mut transaction = self.store.begin().await?;
            let authority = self.authority(&mut *transaction).await?;
            transaction.commit().await?;
            Ok::<_, AuthorityError>(authority.certificate)
        })
    }
}
