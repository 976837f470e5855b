//! The hasher of answers and codes: Argon2id (RFC 9106) with salt and pepper, in a bounded pool.
//!
//! The pepper is Argon2's secret input, its id the hash's `keyid`. m = 19 MiB, t = 2, p = 1 is OWASP's choice for
//! Argon2id; a hash made with other numbers is still read with its own.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use argon2::{
    Algorithm, Argon2, Params, ParamsBuilder, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use async_trait::async_trait;
use domain::ports::{AnswerHasher, HasherError, Randomness, SecretHash};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::{
    config::secrets::{KeyName, KeySet, SecretBytes},
    metrics::Metrics,
};

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_LENGTH: usize = 16;

/// The most hashes that wait for a place, for each place: beyond, the service says that it is overloaded instead of
/// letting everybody wait.
const QUEUE_PER_PLACE: usize = 64;

/// Argon2id in a bounded pool: at most as many hashes at once as there are processors, each with 19 MiB.
pub struct Argon2Hasher {
    peppers: Arc<Peppers>,
    randomness: Arc<dyn Randomness>,
    places: Arc<Semaphore>,
    queue: Semaphore,
    metrics: Metrics,
}

struct Peppers {
    current: KeyName,
    peppers: BTreeMap<KeyName, SecretBytes>,
}

impl Argon2Hasher {
    /// Takes the peppers, and who counts the hashes.
    pub fn new(peppers: KeySet, randomness: Arc<dyn Randomness>, metrics: Metrics) -> Self {
        let places = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (current, peppers) = peppers.into_parts();
        Self {
            peppers: Arc::new(Peppers { current, peppers }),
            randomness,
            places: Arc::new(Semaphore::new(places)),
            queue: Semaphore::new(places * (QUEUE_PER_PLACE + 1)),
            metrics,
        }
    }

    /// Runs a hash where it blocks nobody, when there is room.
    async fn run<T: Send + 'static>(
        &self,
        hash: impl FnOnce(&Peppers) -> Result<T, HasherError> + Send + 'static,
    ) -> Result<T, HasherError> {
        let _queued = self.queue.try_acquire().map_err(|_| {
            self.metrics.hash_refused();
            HasherError::Busy
        })?;
        let waiting = self.metrics.hash_waits();
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| HasherError::Busy)?;
        drop(waiting);
        let metrics = self.metrics.clone();
        let peppers = Arc::clone(&self.peppers);
        tokio::task::spawn_blocking(move || {
            // The hash goes on when the request is dropped, so the place belongs to it and not to the request.
            let _place = place;
            let _running = metrics.hash_runs();
            let began = Instant::now();
            let result = hash(&peppers);
            metrics.hash_made(began.elapsed());
            result
        })
        .await
        .map_err(|_| HasherError::Busy)?
    }
}

#[async_trait]
impl AnswerHasher for Argon2Hasher {
    async fn hash(&self, secret: &str) -> Result<SecretHash, HasherError> {
        let secret = Zeroizing::new(secret.to_owned());
        let mut salt = [0; SALT_LENGTH];
        self.randomness.fill(&mut salt);
        self.run(move |peppers| peppers.hash(&secret, &salt)).await
    }

    async fn matches(&self, hash: &SecretHash, secret: &str) -> Result<bool, HasherError> {
        let secret = Zeroizing::new(secret.to_owned());
        let hash = hash.clone();
        self.run(move |peppers| peppers.matches(&hash, &secret)).await
    }

    fn is_outdated(&self, hash: &SecretHash) -> bool {
        let parsed = PasswordHash::new(&hash.0).ok();
        let params = parsed.and_then(|parsed| Params::try_from(&parsed).ok());
        params.is_none_or(|params| {
            (params.m_cost(), params.t_cost(), params.p_cost()) != (MEMORY_KIB, PASSES, LANES)
                || params.keyid() != self.peppers.current.as_str().as_bytes()
        })
    }
}

impl Peppers {
    fn hash(&self, secret: &str, salt: &[u8]) -> Result<SecretHash, HasherError> {
        let keyid = argon2::KeyId::new(self.current.as_str().as_bytes()).map_err(|_| HasherError::Unreadable)?;
        let params = ParamsBuilder::new()
            .m_cost(MEMORY_KIB)
            .t_cost(PASSES)
            .p_cost(LANES)
            .keyid(keyid)
            .build()
            .map_err(|_| HasherError::Unreadable)?;
        let hash = self
            .argon2(&self.current, params)?
            .hash_password_with_salt(secret.as_bytes(), salt)
            .map_err(|_| HasherError::Unreadable)?;
        Ok(SecretHash(hash.to_string()))
    }

    fn matches(&self, hash: &SecretHash, secret: &str) -> Result<bool, HasherError> {
        let parsed = PasswordHash::new(&hash.0).map_err(|_| HasherError::Unreadable)?;
        let params = Params::try_from(&parsed).map_err(|_| HasherError::Unreadable)?;
        let pepper = std::str::from_utf8(params.keyid()).ok().and_then(|id| KeyName::try_from(id.to_owned()).ok());
        let pepper = pepper.ok_or(HasherError::Unreadable)?;
        match self.argon2(&pepper, params)?.verify_password(secret.as_bytes(), &parsed) {
            Ok(()) => Ok(true),
            Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
            Err(_) => Err(HasherError::Unreadable),
        }
    }

    fn argon2(&self, pepper: &KeyName, params: Params) -> Result<Argon2<'_>, HasherError> {
        let pepper = self.peppers.get(pepper).ok_or(HasherError::Unreadable)?;
        Argon2::new_with_secret(pepper.expose_secret(), Algorithm::Argon2id, Version::V0x13, params)
            .map_err(|_| HasherError::Unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::SystemRandomness;

    fn hasher(current: &str, peppers: &[(&str, u8)]) -> Argon2Hasher {
        let id = |id: &str| KeyName::try_from(id.to_owned()).unwrap();
        let keys = peppers.iter().map(|(name, byte)| (id(name), SecretBytes::new([*byte; 32]))).collect();
        let peppers = KeySet::new(id(current), keys).unwrap();
        Argon2Hasher::new(peppers, Arc::new(SystemRandomness), Metrics::begin())
    }

    /// What operators are told.
    fn figure(hasher: &Argon2Hasher, name: &str) -> String {
        let figures = hasher.metrics.render();
        let found = figures.lines().find_map(|line| line.strip_prefix("service_centre_")?.strip_prefix(name));
        found.unwrap_or_else(|| panic!("{name}: {figures}")).trim().to_owned()
    }

    #[tokio::test]
    async fn an_answer_matches_its_own_hash_and_no_other_answer_does() {
        let hasher = hasher("p1", &[("p1", 1)]);
        let hash = hasher.hash("bluevase").await.unwrap();
        assert_eq!(hasher.matches(&hash, "bluevase").await, Ok(true));
        assert_eq!(hasher.matches(&hash, "redvase").await, Ok(false));
        assert_ne!(hasher.hash("bluevase").await.unwrap(), hash, "every hash has its own salt");
    }

    #[tokio::test]
    async fn a_hash_says_how_it_was_made_and_with_which_pepper() {
        let hash = hasher("p1", &[("p1", 1)]).hash("bluevase").await.unwrap();
        // keyid is base64 of "p1".
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1,keyid=cDE$"), "{}", hash.0);
    }

    #[tokio::test]
    async fn a_former_pepper_is_still_read_and_a_missing_one_is_no_wrong_answer() {
        let hash = hasher("p1", &[("p1", 1)]).hash("bluevase").await.unwrap();
        let rotated = hasher("p2", &[("p1", 1), ("p2", 2)]);
        assert_eq!(rotated.matches(&hash, "bluevase").await, Ok(true));
        assert_eq!(hasher("p2", &[("p2", 2)]).matches(&hash, "bluevase").await, Err(HasherError::Unreadable));
    }

    #[tokio::test]
    async fn a_hash_of_a_former_pepper_or_with_fewer_passes_is_outdated() {
        let hash = hasher("p1", &[("p1", 1)]).hash("bluevase").await.unwrap();
        assert!(!hasher("p1", &[("p1", 1)]).is_outdated(&hash));
        let rotated = hasher("p2", &[("p1", 1), ("p2", 2)]);
        assert!(rotated.is_outdated(&hash));
        assert!(!rotated.is_outdated(&rotated.hash("bluevase").await.unwrap()));
        let weaker = SecretHash(hash.0.replace("t=2", "t=1"));
        assert!(hasher("p1", &[("p1", 1)]).is_outdated(&weaker));
    }

    #[tokio::test]
    async fn without_the_pepper_the_right_answer_does_not_match() {
        let hash = hasher("p1", &[("p1", 1)]).hash("bluevase").await.unwrap();
        assert_eq!(hasher("p1", &[("p1", 2)]).matches(&hash, "bluevase").await, Ok(false));
    }

    #[tokio::test]
    async fn what_is_no_hash_is_unreadable() {
        let hasher = hasher("p1", &[("p1", 1)]);
        for text in ["", "bluevase", "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ"] {
            assert_eq!(hasher.matches(&SecretHash(text.to_owned()), "x").await, Err(HasherError::Unreadable), "{text}");
        }
    }

    #[tokio::test]
    async fn a_hash_that_waits_is_told_until_it_runs_or_nobody_wants_it() {
        let hasher = Arc::new(hasher("p1", &[("p1", 1)]));
        let places = u32::try_from(hasher.places.available_permits()).unwrap();
        let held = Arc::clone(&hasher.places).acquire_many_owned(places).await.unwrap();
        let waits = |hasher: &Arc<Argon2Hasher>| {
            let hasher = Arc::clone(hasher);
            tokio::spawn(async move { hasher.hash("bluevase").await.map(drop) })
        };
        let (wanted, dropped) = (waits(&hasher), waits(&hasher));
        let told = async |count| {
            while figure(&hasher, "hashes_waiting") != count {
                tokio::task::yield_now().await;
            }
        };
        let patience = std::time::Duration::from_secs(5);
        tokio::time::timeout(patience, told("2")).await.expect("both are told");
        dropped.abort();
        tokio::time::timeout(patience, told("1")).await.expect("one waits no more");
        drop(held);
        wanted.await.unwrap().unwrap();
        assert_eq!(figure(&hasher, "hashes_waiting"), "0");
        assert_eq!(figure(&hasher, "hash_seconds_count"), "1");
        assert_eq!(figure(&hasher, "hashes_running"), "0");
    }

    #[tokio::test]
    async fn beyond_its_queue_the_hasher_is_busy() {
        let hasher = hasher("p1", &[("p1", 1)]);
        let held = hasher.queue.try_acquire_many(u32::try_from(hasher.queue.available_permits()).unwrap()).unwrap();
        assert_eq!(hasher.hash("bluevase").await, Err(HasherError::Busy));
        assert_eq!(figure(&hasher, "hashes_refused_total"), "1");
        drop(held);
        assert!(hasher.hash("bluevase").await.is_ok());
    }
}
