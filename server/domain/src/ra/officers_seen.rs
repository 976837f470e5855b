//! Who was at the desk lately.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::{
    Timestamp,
    token::{Token, TokenHash},
};

/// The sessions that were an officer's when a server looked. It permits nothing, and each server knows its own: what it is for
/// is to tell, without the store, whose requests are not to wait for everybody's. However many others ask for what is the
/// desk's, it has none of theirs.
#[derive(Default)]
pub struct OfficersSeen(Mutex<HashMap<TokenHash, Timestamp>>);

impl OfficersSeen {
    /// Notes a session until it ends at the latest, and forgets those that have ended.
    pub(super) fn note(&self, session: TokenHash, ends_at: Timestamp, now: Timestamp) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.insert(session, ends_at).is_none() {
            seen.retain(|_, ends_at| *ends_at > now);
        }
    }

    /// Forgets a session: it has ended, or is no officer's.
    pub(crate) fn forget(&self, session: TokenHash) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&session);
    }

    /// Whether it was an officer's.
    pub(super) fn has(&self, token: &Token) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&token.hash())
    }
}

#[cfg(test)]
mod tests {
    use time::{Duration, OffsetDateTime};

    use super::*;

    #[test]
    fn a_session_is_known_until_another_is_noted_after_its_end() {
        let seen = OfficersSeen::default();
        let [first, second] = ["A".repeat(43), "B".repeat(42) + "A"].map(|text| Token::parse(&text).unwrap());
        let now = OffsetDateTime::UNIX_EPOCH;
        seen.note(first.hash(), now + Duration::HOUR, now);
        assert!(seen.has(&first) && !seen.has(&second));
        seen.note(second.hash(), now + Duration::HOUR * 2, now + Duration::MINUTE);
        assert!(seen.has(&first) && seen.has(&second));
        seen.note(TokenHash([0; 32]), now + Duration::HOUR * 3, now + Duration::HOUR);
        assert!(!seen.has(&first) && seen.has(&second));
        seen.forget(second.hash());
        assert!(!seen.has(&second));
    }
}
