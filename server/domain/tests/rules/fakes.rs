//! Clock, randomness, vault and hasher for tests.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering},
    },
};

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use async_trait::async_trait;
use domain::{
    Timestamp,
    authority::{Authority, CertificateSubject, Certifier, CertifierError},
    person::UserNumber,
    ports::{
        AnswerHasher, Calendar, Clock, HasherError, Hashing, Randomness, SecretHash, Vault, VaultCiphertext, VaultError,
    },
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use sha2::{Digest, Sha256};
use tokio::sync::{Mutex as TurnLock, OwnedMutexGuard};
use zeroize::Zeroizing;

/// A clock that stands until it is advanced.
pub struct StandingClock(AtomicI64);

impl StandingClock {
    pub fn new() -> Self {
        Self(AtomicI64::new(1_790_000_000))
    }

    pub fn advance(&self, by: time::Duration) {
        self.0.fetch_add(by.whole_seconds(), Ordering::SeqCst);
    }
}

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_timestamp(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// The days of UTC.
pub struct UniversalDays;

impl Calendar for UniversalDays {
    fn date(&self, at: Timestamp) -> time::Date {
        at.date()
    }

    fn beginning(&self, date: time::Date) -> Timestamp {
        date.midnight().assume_utc()
    }
}

/// Dice with a seed.
pub struct SeededDice(Mutex<StdRng>);

impl SeededDice {
    pub fn new() -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(7)))
    }
}

impl Randomness for SeededDice {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap().fill_bytes(bytes);
    }
}

/// A vault with one key; the nonce is derived, since a test stores little.
pub struct OneKeyVault;

impl OneKeyVault {
    fn cipher() -> Aes256Gcm {
        Aes256Gcm::new(&[42; 32].into())
    }
}

impl Vault for OneKeyVault {
    fn seal(&self, plaintext: &[u8], context: &[u8]) -> VaultCiphertext {
        let nonce: [u8; 12] = Sha256::digest([context, plaintext].concat())[..12].try_into().unwrap();
        let sealed = Self::cipher().encrypt(&nonce.into(), Payload { msg: plaintext, aad: context }).unwrap();
        VaultCiphertext([&nonce[..], &sealed].concat())
    }

    fn open(&self, sealed: &VaultCiphertext, context: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (nonce, sealed) = sealed.0.split_first_chunk::<12>().ok_or(VaultError::NotAuthentic)?;
        Self::cipher()
            .decrypt(&(*nonce).into(), Payload { msg: sealed, aad: context })
            .map(Zeroizing::new)
            .map_err(|_| VaultError::NotAuthentic)
    }

    fn is_outdated(&self, _: &VaultCiphertext) -> bool {
        false
    }
}

/// Certificates that say whose and which they are, and no more.
pub struct PaperCertifier;

impl Certifier for PaperCertifier {
    fn found(&self, _: Timestamp) -> Result<Authority, CertifierError> {
        Ok(Authority { certificate: b"authority".to_vec(), key: Zeroizing::new(b"its key".to_vec()) })
    }

    fn certify(&self, authority: &Authority, subject: &CertificateSubject<'_>) -> Result<Vec<u8>, CertifierError> {
        assert_eq!(**authority.key, *b"its key");
        let CertificateSubject { name, guid, slot, .. } = subject;
        Ok(format!("{name} {guid} {slot:?}").into_bytes())
    }
}

/// A hasher that is quick, and lets others run while it works as the real one does. Its hashes begin with its pepper.
#[derive(Clone, Default)]
pub struct QuickHasher {
    pepper: Arc<AtomicU8>,
    hashed: Arc<AtomicU64>,
    is_crowded: Arc<AtomicBool>,
    is_full: Arc<AtomicBool>,
    turns: Arc<Mutex<HashMap<UserNumber, Arc<TurnLock<()>>>>>,
}

impl QuickHasher {
    /// Takes another pepper for new hashes; those made with the former are still read.
    pub fn rotate(&self) {
        self.pepper.fetch_add(1, Ordering::SeqCst);
    }

    /// From now on it has a long queue, or has none.
    pub fn crowd(&self, is_crowded: bool) {
        self.is_crowded.store(is_crowded, Ordering::SeqCst);
    }

    /// From now on it lets nobody in, or everybody.
    pub fn fill(&self, is_full: bool) {
        self.is_full.store(is_full, Ordering::SeqCst);
    }

    /// How often it has hashed.
    pub fn hashed(&self) -> u64 {
        self.hashed.load(Ordering::SeqCst)
    }

    fn prefix(&self) -> String {
        format!("{}:", self.pepper.load(Ordering::SeqCst))
    }
}

#[async_trait]
impl AnswerHasher for QuickHasher {
    async fn enter(&self, person: &UserNumber) -> Result<Box<dyn Hashing>, HasherError> {
        if self.is_full.load(Ordering::SeqCst) {
            return Err(HasherError::Busy);
        }
        let turn = Arc::clone(self.turns.lock().unwrap().entry(person.clone()).or_default());
        let has_waited = turn.try_lock().is_err();
        let turn = tokio::time::timeout(std::time::Duration::from_secs(5), turn.lock_owned()).await;
        let turn = turn.expect("a use case enters once, and waits for nobody while others wait for it");
        Ok(Box::new(QuickHashing { hasher: self.clone(), has_waited, _turn: turn }))
    }

    fn is_crowded(&self) -> bool {
        self.is_crowded.load(Ordering::SeqCst)
    }

    fn is_outdated(&self, hash: &SecretHash) -> bool {
        !hash.0.starts_with(&self.prefix())
    }
}

/// A use case that hashes quickly.
struct QuickHashing {
    hasher: QuickHasher,
    has_waited: bool,
    _turn: OwnedMutexGuard<()>,
}

#[async_trait]
impl Hashing for QuickHashing {
    fn has_waited(&self) -> bool {
        self.has_waited
    }

    async fn hash(&self, secret: &str) -> Result<SecretHash, HasherError> {
        tokio::task::yield_now().await;
        self.hasher.hashed.fetch_add(1, Ordering::SeqCst);
        Ok(SecretHash(format!("{}{:x?}", self.hasher.prefix(), Sha256::digest(secret))))
    }

    async fn matches(&self, hash: &SecretHash, secret: &str) -> Result<bool, HasherError> {
        let digest = |hash: &SecretHash| hash.0.split_once(':').map(|(_, digest)| digest.to_owned());
        Ok(digest(&self.hash(secret).await?) == digest(hash))
    }
}
