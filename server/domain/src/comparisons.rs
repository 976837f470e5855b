//! What one request has compared already.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::ports::{AnswerHasher, HasherError, SecretHash};

/// Compares what was typed with what is stored, each pair once.
///
/// A request that begins again because another came first compares the same again. To hash it again would let whoever
/// sends many at once have several times as many hashes made as they sent requests.
pub(crate) struct Comparisons {
    hasher: Arc<dyn AnswerHasher>,
    made: Vec<(SecretHash, Zeroizing<String>, bool)>,
}

impl Comparisons {
    pub(crate) fn new(hasher: &Arc<dyn AnswerHasher>) -> Self {
        Self { hasher: Arc::clone(hasher), made: Vec::new() }
    }

    /// As [`AnswerHasher::matches`].
    pub(crate) async fn matches(&mut self, hash: &SecretHash, secret: &str) -> Result<bool, HasherError> {
        if let Some((.., matched)) = self.made.iter().find(|(of, typed, _)| of == hash && **typed == secret) {
            return Ok(*matched);
        }
        let matched = self.hasher.matches(hash, secret).await?;
        self.made.push((hash.clone(), Zeroizing::new(secret.to_owned()), matched));
        Ok(matched)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;

    use super::*;

    /// Counts what it compares.
    #[derive(Default)]
    struct Counting(AtomicUsize);

    #[async_trait]
    impl AnswerHasher for Counting {
        async fn hash(&self, secret: &str) -> Result<SecretHash, HasherError> {
            Ok(SecretHash(secret.to_owned()))
        }

        async fn matches(&self, hash: &SecretHash, secret: &str) -> Result<bool, HasherError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(hash.0 == secret)
        }

        fn is_outdated(&self, _: &SecretHash) -> bool {
            false
        }
    }

    #[tokio::test]
    async fn a_pair_is_compared_once_and_another_pair_for_itself() {
        let counting = Arc::new(Counting::default());
        let hasher: Arc<dyn AnswerHasher> = Arc::clone(&counting) as _;
        let mut comparisons = Comparisons::new(&hasher);
        for _ in 0..3 {
            for (hash, typed, matches) in [("elmrow", "elmrow", true), ("elmrow", "oakrow", false)] {
                assert_eq!(comparisons.matches(&SecretHash(hash.to_owned()), typed).await, Ok(matches));
            }
        }
        assert_eq!(counting.0.load(Ordering::SeqCst), 2);
    }
}
