//! What one request has compared already.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::{
    person::UserNumber,
    ports::{AnswerHasher, HasherError, Hashing, SecretHash, StoreError},
};

/// Compares what was typed with what is stored, each pair once.
///
/// A request that begins again because another came first compares the same again. To hash it again would let whoever
/// sends many at once have several times as many hashes made as they sent requests.
pub(crate) struct Comparisons {
    hasher: Arc<dyn AnswerHasher>,
    entered: Option<Entered>,
}

/// A request that is in the queue of the hasher, and stays there to its end.
pub(crate) struct Entered {
    hashing: Box<dyn Hashing>,
    made: Vec<(SecretHash, Zeroizing<String>, bool)>,
}

impl Comparisons {
    pub(crate) fn new(hasher: &Arc<dyn AnswerHasher>) -> Self {
        Self { hasher: Arc::clone(hasher), entered: None }
    }

    /// Enters the queue of the hasher, where the request has not: not for whoever has nothing to compare.
    ///
    /// # Errors
    ///
    /// A conflict where another request of the person was there first: what was loaded before may be so no more, and the
    /// use case is to begin again. Others of [`AnswerHasher::enter`].
    pub(crate) async fn enter<E>(&mut self, person: &UserNumber) -> Result<&mut Entered, E>
    where
        E: From<HasherError> + From<StoreError>,
    {
        let mut is_late = false;
        if self.entered.is_none() {
            let hashing = self.hasher.enter(person).await?;
            is_late = hashing.has_waited();
            self.entered = Some(Entered { hashing, made: Vec::new() });
        }
        match &mut self.entered {
            Some(entered) if !is_late => Ok(entered),
            _ => Err(StoreError::Conflict.into()),
        }
    }
}

impl Entered {
    pub(crate) fn hashing(&self) -> &dyn Hashing {
        &*self.hashing
    }

    /// As [`Hashing::matches`].
    pub(crate) async fn matches(&mut self, hash: &SecretHash, secret: &str) -> Result<bool, HasherError> {
        if let Some((.., matched)) = self.made.iter().find(|(of, typed, _)| of == hash && **typed == secret) {
            return Ok(*matched);
        }
        let matched = self.hashing.matches(hash, secret).await?;
        self.made.push((hash.clone(), Zeroizing::new(secret.to_owned()), matched));
        Ok(matched)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;

    use super::*;
    use crate::unlock::service::UnlockError;

    /// Counts what it compares, and who enters.
    #[derive(Clone, Default)]
    struct Counting(Arc<[AtomicUsize; 2]>);

    impl Counting {
        fn counts(&self) -> [usize; 2] {
            [0, 1].map(|what| self.0[what].load(Ordering::SeqCst))
        }
    }

    #[async_trait]
    impl AnswerHasher for Counting {
        async fn enter(&self, _: &UserNumber) -> Result<Box<dyn Hashing>, HasherError> {
            self.0[1].fetch_add(1, Ordering::SeqCst);
            Ok(Box::new(self.clone()))
        }

        fn is_crowded(&self) -> bool {
            false
        }

        fn is_outdated(&self, _: &SecretHash) -> bool {
            false
        }
    }

    #[async_trait]
    impl Hashing for Counting {
        fn has_waited(&self) -> bool {
            false
        }

        async fn hash(&self, secret: &str) -> Result<SecretHash, HasherError> {
            Ok(SecretHash(secret.to_owned()))
        }

        async fn matches(&self, hash: &SecretHash, secret: &str) -> Result<bool, HasherError> {
            self.0[0].fetch_add(1, Ordering::SeqCst);
            Ok(hash.0 == secret)
        }
    }

    #[tokio::test]
    async fn a_pair_is_compared_once_and_another_pair_for_itself_by_one_who_entered_once() {
        let counting = Counting::default();
        let hasher: Arc<dyn AnswerHasher> = Arc::new(counting.clone());
        let mut comparisons = Comparisons::new(&hasher);
        let jane = UserNumber::parse("1001").unwrap();
        assert_eq!(counting.counts(), [0, 0], "whoever compares nothing does not enter");
        for _ in 0..3 {
            for (hash, typed, matches) in [("elmrow", "elmrow", true), ("elmrow", "oakrow", false)] {
                let entered = comparisons.enter::<UnlockError>(&jane).await.unwrap();
                assert_eq!(entered.matches(&SecretHash(hash.to_owned()), typed).await, Ok(matches));
            }
        }
        assert_eq!(counting.counts(), [2, 1]);
    }
}
