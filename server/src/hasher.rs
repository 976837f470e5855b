//! The hasher of answers and codes: Argon2id (RFC 9106) with salt and pepper, in a bounded pool.
//!
//! The pepper is Argon2's secret input, its id the hash's `keyid`. m = 19 MiB, t = 2, p = 1 is OWASP's choice for
//! Argon2id; a hash made with other numbers is still read with its own.

mod turns;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use argon2::{
    Algorithm, Argon2, Block, Params, ParamsBuilder, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use async_trait::async_trait;
use domain::{
    person::UserNumber,
    ports::{AnswerHasher, HasherError, Hashing, Randomness, SecretHash},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use turns::{Turn, Turns};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    config::secrets::{KeyName, KeySet, SecretBytes},
    metrics::Metrics,
};

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_LENGTH: usize = 16;

/// The most use cases in the queue, for each place: whoever comes then is told to come again, instead of letting
/// everybody wait. With four hashes for each and 20 ms for a hash the last of them waits five seconds; with the ten of recovery
/// codes, which are rarely made, it would be thirteen.
const QUEUE_PER_PLACE: usize = 64;

/// The most use cases of one person, with the one in the queue: a second click is among them, and the last of them is answered
/// in time too.
const OF_ONE_PERSON: usize = 3;

/// Argon2id in a bounded pool: so many hashes at once at most, each with 19 MiB.
pub struct Argon2Hasher {
    pool: Arc<Pool>,
    turns: Arc<Turns<UserNumber>>,
    queue: Arc<Semaphore>,
    queue_length: usize,
}

struct Pool {
    peppers: Peppers,
    randomness: Arc<dyn Randomness>,
    places: Arc<Semaphore>,
    /// Those of the places that nobody has now, to be used again: to get it from the system takes a tenth of the time of
    /// a hash. What a hash leaves in it would make guessing its secret cheap, so it is wiped, or used again at once.
    memories: Mutex<Vec<Vec<Block>>>,
    /// How many wait for a place.
    waiting: AtomicUsize,
    metrics: Metrics,
}

struct Peppers {
    current: KeyName,
    peppers: BTreeMap<KeyName, SecretBytes>,
}

impl Argon2Hasher {
    /// Takes the peppers, how many hashes are made at once, and who counts them.
    pub fn new(peppers: KeySet, randomness: Arc<dyn Randomness>, places: usize, metrics: Metrics) -> Self {
        let (current, peppers) = peppers.into_parts();
        let pool = Pool {
            peppers: Peppers { current, peppers },
            randomness,
            places: Arc::new(Semaphore::new(places)),
            memories: Mutex::default(),
            waiting: AtomicUsize::new(0),
            metrics,
        };
        let queue_length = places * QUEUE_PER_PLACE;
        let turns = Arc::new(Turns::of(OF_ONE_PERSON));
        Self { pool: Arc::new(pool), turns, queue: Arc::new(Semaphore::new(queue_length)), queue_length }
    }
}

#[async_trait]
impl AnswerHasher for Argon2Hasher {
    async fn enter(&self, person: &UserNumber) -> Result<Box<dyn Hashing>, HasherError> {
        let turn = self.turns.take(person).await.ok_or(HasherError::Busy)?;
        let queued = Arc::clone(&self.queue).try_acquire_owned().map_err(|_| {
            self.pool.metrics.hash_refused();
            HasherError::Busy
        })?;
        let (pool, has_waited) = (Arc::clone(&self.pool), turn.has_waited());
        Ok(Box::new(Entered { pool, has_waited, held: Arc::new((queued, turn)) }))
    }

    fn is_crowded(&self) -> bool {
        self.queue.available_permits() < self.queue_length / 2
    }

    fn is_outdated(&self, hash: &SecretHash) -> bool {
        let parsed = PasswordHash::new(&hash.0).ok();
        let params = parsed.and_then(|parsed| Params::try_from(&parsed).ok());
        params.is_none_or(|params| {
            (params.m_cost(), params.t_cost(), params.p_cost()) != (MEMORY_KIB, PASSES, LANES)
                || params.keyid() != self.pool.peppers.current.as_str().as_bytes()
        })
    }
}

/// A use case in the queue.
struct Entered {
    pool: Arc<Pool>,
    has_waited: bool,
    /// Its place in the queue, and its person's turn.
    held: Arc<(OwnedSemaphorePermit, Turn<UserNumber>)>,
}

impl Entered {
    /// Runs a hash where it blocks nobody, when there is room.
    async fn run<T: Send + 'static>(
        &self,
        hash: impl FnOnce(&Peppers, &mut Vec<Block>) -> Result<T, HasherError> + Send + 'static,
    ) -> Result<T, HasherError> {
        let place = self.place().await?;
        let (pool, held) = (Arc::clone(&self.pool), Arc::clone(&self.held));
        let (sender, made) = oneshot::channel();
        tokio::task::spawn_blocking(move || {
            // The hash goes on when the request is dropped, so all this belongs to it and not to the request.
            let _held = (place, held);
            let running = pool.metrics.hash_runs();
            let mut memory = pool.take_memory();
            let began = Instant::now();
            let result = hash(&pool.peppers, &mut memory);
            pool.metrics.hash_made(began.elapsed());
            drop(running);
            let _ = sender.send(result);
            pool.keep_memory(memory);
        });
        made.await.unwrap_or_else(|_| {
            tracing::error!("a hash ended in a panic");
            Err(HasherError::Unreadable)
        })
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit, HasherError> {
        let _told = self.pool.metrics.hash_waits();
        let _counted = Waiting::begin(&self.pool);
        Arc::clone(&self.pool.places).acquire_owned().await.map_err(|_| HasherError::Busy)
    }
}

/// Somebody who waits for a place.
struct Waiting<'a>(&'a Pool);

impl<'a> Waiting<'a> {
    fn begin(pool: &'a Pool) -> Self {
        pool.waiting.fetch_add(1, Ordering::SeqCst);
        Self(pool)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Hashing for Entered {
    fn has_waited(&self) -> bool {
        self.has_waited
    }

    async fn hash(&self, secret: &str) -> Result<SecretHash, HasherError> {
        let secret = Zeroizing::new(secret.to_owned());
        let mut salt = [0; SALT_LENGTH];
        self.pool.randomness.fill(&mut salt);
        self.run(move |peppers, memory| peppers.hash(&secret, &salt, memory)).await
    }

    async fn matches(&self, hash: &SecretHash, secret: &str) -> Result<bool, HasherError> {
        let secret = Zeroizing::new(secret.to_owned());
        let hash = hash.clone();
        self.run(move |peppers, memory| peppers.matches(&hash, &secret, memory)).await
    }
}

impl Pool {
    fn take_memory(&self) -> Vec<Block> {
        self.memories.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn keep_memory(&self, mut memory: Vec<Block>) {
        // Whoever waits overwrites it with the first pass.
        if self.waiting.load(Ordering::SeqCst) == 0 {
            for block in &mut memory {
                block.as_mut().zeroize();
            }
        }
        self.memories.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
    }
}

impl Peppers {
    fn hash(&self, secret: &str, salt: &[u8], memory: &mut Vec<Block>) -> Result<SecretHash, HasherError> {
        let keyid = argon2::KeyId::new(self.current.as_str().as_bytes()).map_err(|_| HasherError::Unreadable)?;
        let params = ParamsBuilder::new()
            .m_cost(MEMORY_KIB)
            .t_cost(PASSES)
            .p_cost(LANES)
            .keyid(keyid)
            .build()
            .map_err(|_| HasherError::Unreadable)?;
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).map_err(|_| HasherError::Unreadable)?,
            salt: Some(Salt::new(salt).map_err(|_| HasherError::Unreadable)?),
            hash: Some(self.output(&self.current, params, secret, salt, memory)?),
        };
        Ok(SecretHash(hash.to_string()))
    }

    fn matches(&self, hash: &SecretHash, secret: &str, memory: &mut Vec<Block>) -> Result<bool, HasherError> {
        let stored = PasswordHash::new(&hash.0).map_err(|_| HasherError::Unreadable)?;
        let is_read = stored.algorithm == Algorithm::Argon2id.ident() && stored.version == Some(Version::V0x13.into());
        let (Some(salt), Some(wanted), true) = (&stored.salt, &stored.hash, is_read) else {
            return Err(HasherError::Unreadable);
        };
        let params = Params::try_from(&stored).map_err(|_| HasherError::Unreadable)?;
        let pepper = std::str::from_utf8(params.keyid()).ok().and_then(|id| KeyName::try_from(id.to_owned()).ok());
        let pepper = pepper.ok_or(HasherError::Unreadable)?;
        // Takes the same time wherever they differ.
        Ok(self.output(&pepper, params, secret, salt, memory)? == *wanted)
    }

    fn output(
        &self,
        pepper: &KeyName,
        params: Params,
        secret: &str,
        salt: &[u8],
        memory: &mut Vec<Block>,
    ) -> Result<Output, HasherError> {
        let pepper = self.peppers.get(pepper).ok_or(HasherError::Unreadable)?;
        memory.resize(params.block_count(), Block::default());
        let mut output = [0; Output::MAX_LENGTH];
        let output = &mut output[..params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN)];
        Argon2::new_with_secret(pepper.expose_secret(), Algorithm::Argon2id, Version::V0x13, params)
            .and_then(|argon2| argon2.hash_password_into_with_memory(secret.as_bytes(), salt, output, memory))
            .map_err(|_| HasherError::Unreadable)?;
        Output::new(output).map_err(|_| HasherError::Unreadable)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;
    use crate::randomness::SystemRandomness;

    const PLACES: usize = 2;

    fn hasher(current: &str, peppers: &[(&str, u8)]) -> Argon2Hasher {
        let id = |id: &str| KeyName::try_from(id.to_owned()).unwrap();
        let keys = peppers.iter().map(|(name, byte)| (id(name), SecretBytes::new([*byte; 32]))).collect();
        let peppers = KeySet::new(id(current), keys).unwrap();
        Argon2Hasher::new(peppers, Arc::new(SystemRandomness), PLACES, Metrics::begin())
    }

    /// Enters the queue, each time as somebody else.
    async fn enter(hasher: &Argon2Hasher) -> Result<Box<dyn Hashing>, HasherError> {
        static COME: AtomicUsize = AtomicUsize::new(0);
        let number = COME.fetch_add(1, Ordering::SeqCst).to_string();
        hasher.enter(&UserNumber::parse(&number).unwrap()).await
    }

    /// What operators are told.
    fn figure(hasher: &Argon2Hasher, name: &str) -> String {
        let figures = hasher.pool.metrics.render();
        let found = figures.lines().find_map(|line| line.strip_prefix("service_centre_")?.strip_prefix(name));
        found.unwrap_or_else(|| panic!("{name}: {figures}")).trim().to_owned()
    }

    #[tokio::test]
    async fn an_answer_matches_its_own_hash_and_no_other_answer_does() {
        let hasher = hasher("p1", &[("p1", 1)]);
        let hash = enter(&hasher).await.unwrap().hash("bluevase").await.unwrap();
        assert_eq!(enter(&hasher).await.unwrap().matches(&hash, "bluevase").await, Ok(true));
        assert_eq!(enter(&hasher).await.unwrap().matches(&hash, "redvase").await, Ok(false));
        assert_ne!(enter(&hasher).await.unwrap().hash("bluevase").await.unwrap(), hash, "every hash has its own salt");
    }

    #[test]
    fn what_argon2_alone_allows_is_measured_with_the_same_numbers() {
        assert_eq!(load_generator::argon2::NUMBERS, (MEMORY_KIB, PASSES, LANES));
    }

    #[tokio::test]
    async fn a_hash_says_how_it_was_made_and_with_which_pepper() {
        let hash = enter(&hasher("p1", &[("p1", 1)])).await.unwrap().hash("bluevase").await.unwrap();
        // keyid is base64 of "p1".
        assert!(hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1,keyid=cDE$"), "{}", hash.0);
    }

    #[tokio::test]
    async fn a_former_pepper_is_still_read_and_a_missing_one_is_no_wrong_answer() {
        let hash = enter(&hasher("p1", &[("p1", 1)])).await.unwrap().hash("bluevase").await.unwrap();
        let rotated = hasher("p2", &[("p1", 1), ("p2", 2)]);
        assert_eq!(enter(&rotated).await.unwrap().matches(&hash, "bluevase").await, Ok(true));
        assert_eq!(
            enter(&hasher("p2", &[("p2", 2)])).await.unwrap().matches(&hash, "bluevase").await,
            Err(HasherError::Unreadable)
        );
    }

    #[tokio::test]
    async fn a_hash_of_a_former_pepper_or_with_fewer_passes_is_outdated() {
        let hash = enter(&hasher("p1", &[("p1", 1)])).await.unwrap().hash("bluevase").await.unwrap();
        assert!(!hasher("p1", &[("p1", 1)]).is_outdated(&hash));
        let rotated = hasher("p2", &[("p1", 1), ("p2", 2)]);
        assert!(rotated.is_outdated(&hash));
        assert!(!rotated.is_outdated(&enter(&rotated).await.unwrap().hash("bluevase").await.unwrap()));
        let weaker = SecretHash(hash.0.replace("t=2", "t=1"));
        assert!(hasher("p1", &[("p1", 1)]).is_outdated(&weaker));
    }

    #[tokio::test]
    async fn without_the_pepper_the_right_answer_does_not_match() {
        let hash = enter(&hasher("p1", &[("p1", 1)])).await.unwrap().hash("bluevase").await.unwrap();
        assert_eq!(enter(&hasher("p1", &[("p1", 2)])).await.unwrap().matches(&hash, "bluevase").await, Ok(false));
    }

    #[tokio::test]
    async fn what_is_no_hash_is_unreadable() {
        let hasher = hasher("p1", &[("p1", 1)]);
        for text in ["", "bluevase", "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ"] {
            assert_eq!(
                enter(&hasher).await.unwrap().matches(&SecretHash(text.to_owned()), "x").await,
                Err(HasherError::Unreadable),
                "{text}"
            );
        }
    }

    #[tokio::test]
    async fn a_hash_that_waits_is_told_until_it_runs_or_nobody_wants_it() {
        let hasher = Arc::new(hasher("p1", &[("p1", 1)]));
        let held = Arc::clone(&hasher.pool.places).acquire_many_owned(u32::try_from(PLACES).unwrap()).await.unwrap();
        let waits = |hasher: &Arc<Argon2Hasher>| {
            let hasher = Arc::clone(hasher);
            tokio::spawn(async move { enter(&hasher).await.unwrap().hash("bluevase").await.map(drop) })
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
    async fn whoever_was_let_in_hashes_also_when_nobody_else_is_let_in() {
        let hasher = hasher("p1", &[("p1", 1)]);
        let entered = enter(&hasher).await.unwrap();
        let mut others = Vec::new();
        for _ in 1..hasher.queue_length {
            others.push(enter(&hasher).await.unwrap());
        }
        assert_eq!(enter(&hasher).await.map(drop), Err(HasherError::Busy));
        assert_eq!(figure(&hasher, "hashes_refused_total"), "1");
        for _ in 0..2 {
            entered.hash("bluevase").await.unwrap();
        }
        drop(others);
        assert!(enter(&hasher).await.is_ok());
    }

    #[tokio::test]
    async fn of_one_person_one_at_a_time_is_in_the_queue_and_a_few_wait_for_it() {
        let hasher = hasher("p1", &[("p1", 1)]);
        let jane = UserNumber::parse("1001").unwrap();
        let first = hasher.enter(&jane).await.unwrap();
        let mut waiting: Vec<_> = (1..OF_ONE_PERSON).map(|_| hasher.enter(&jane)).collect();
        for wait in &mut waiting {
            let waited = tokio::time::timeout(std::time::Duration::ZERO, wait).await;
            assert!(waited.is_err(), "two of one person are in the queue");
        }
        assert_eq!(hasher.enter(&jane).await.map(drop), Err(HasherError::Busy));
        assert_eq!(figure(&hasher, "hashes_refused_total"), "0", "the queue has room");
        assert_eq!(hasher.queue.available_permits(), hasher.queue_length - 1);
        assert!(!first.has_waited());
        drop(first);
        for wait in waiting {
            assert!(wait.await.unwrap().has_waited());
        }
    }

    #[tokio::test]
    async fn a_hash_that_nobody_waits_for_any_more_is_still_its_persons_turn() {
        let hasher = hasher("p1", &[("p1", 1)]);
        let jane = UserNumber::parse("1001").unwrap();
        let entered = hasher.enter(&jane).await.unwrap();
        // Until then it cannot go on.
        let memories = hasher.pool.memories.lock().unwrap();
        let mut hash = entered.hash("bluevase");
        assert!((&mut hash).now_or_never().is_none());
        while figure(&hasher, "hashes_running") == "0" {
            std::thread::yield_now();
        }
        drop(hash);
        drop(entered);
        let mut another = hasher.enter(&jane);
        assert!((&mut another).now_or_never().is_none(), "another entered while it ran");
        drop(memories);
        assert!(another.await.unwrap().has_waited());
        assert_eq!(figure(&hasher, "hash_seconds_count"), "1");
    }

    #[tokio::test]
    async fn it_is_crowded_before_it_lets_nobody_in() {
        let hasher = hasher("p1", &[("p1", 1)]);
        let mut half = Vec::new();
        for _ in 0..hasher.queue_length / 2 {
            half.push(enter(&hasher).await.unwrap());
        }
        assert!(!hasher.is_crowded());
        let one_more = enter(&hasher).await;
        assert!(hasher.is_crowded());
        drop(one_more);
        assert!(!hasher.is_crowded());
        drop(half);
    }

    #[tokio::test]
    async fn there_is_no_more_memory_than_places_and_it_is_used_again() {
        let hasher = Arc::new(hasher("p1", &[("p1", 1)]));
        let places = hasher.pool.places.available_permits();
        let mut made = tokio::task::JoinSet::new();
        for _ in 0..4 * places {
            let entered = enter(&hasher).await.unwrap();
            made.spawn(async move { entered.hash("bluevase").await.map(drop) });
        }
        while let Some(hash) = made.join_next().await {
            hash.unwrap().unwrap();
        }
        // Until the last has wiped its memory too.
        let all = u32::try_from(places).unwrap();
        drop(hasher.pool.places.acquire_many(all).await.unwrap());
        let memories = hasher.pool.memories.lock().unwrap();
        assert!((1..=places).contains(&memories.len()), "{}", memories.len());
        let is_wiped = |memory: &Vec<Block>| memory.iter().all(|block| block.as_ref().iter().all(|word| *word == 0));
        assert!(memories.iter().all(|memory| memory.len() == MEMORY_KIB as usize));
        assert!(is_wiped(memories.last().unwrap()), "what the last one left");
    }
}
