//! Which unlock key a card has, and how that changes without ever losing one.
//!
//! ```text
//! Settled(current) --release--> Unresolved(current, next) --complete--> Settled(next)
//!                                    | release again: the other one is offered first
//! ```

use card_protocol::{Guid, UnlockKey};

use crate::{
    ports::{Vault, VaultCiphertext, VaultError},
    token::KeyId,
};

/// An unlock key as it is stored: encrypted, bound to its card and its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredUnlockKey {
    /// Which key.
    pub id: KeyId,
    /// The card that it belongs to.
    pub guid: Guid,
    /// The key, encrypted by the vault.
    pub sealed: VaultCiphertext,
}

impl StoredUnlockKey {
    /// Encrypts a key.
    pub fn seal(id: KeyId, guid: Guid, key: &UnlockKey, vault: &dyn Vault) -> Self {
        Self { id, guid, sealed: vault.seal(key.expose_secret(), &context(id, &guid)) }
    }

    /// Decrypts it.
    ///
    /// # Errors
    ///
    /// [`VaultError`].
    pub fn open(&self, vault: &dyn Vault) -> Result<UnlockKey, VaultError> {
        let bytes = vault.open(&self.sealed, &context(self.id, &self.guid))?;
        Ok(UnlockKey::new(bytes.as_slice().try_into().map_err(|_| VaultError::NotAuthentic)?))
    }
}

fn context(id: KeyId, guid: &Guid) -> Vec<u8> {
    [b"unlock-key", &guid.0[..], &id.0.as_bytes()[..]].concat()
}

/// What the server knows of the unlock key of a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRing {
    /// The card.
    pub guid: Guid,
    /// What is known.
    pub state: KeyRingState,
    /// The version that was read.
    pub version: u32,
}

/// What is known of the unlock key of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRingState {
    /// The card has this key.
    Settled {
        /// The key of the card.
        current: KeyId,
    },
    /// A release has no outcome yet: the card has one of the two.
    Unresolved {
        /// The key that the card had before.
        current: KeyId,
        /// The key that it was to get.
        pending: KeyId,
        /// Which of the two the latest release offered first.
        offered: Offered,
    },
}

/// Which of the two keys of an unresolved ring was offered first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// The key that the card had before.
    Current,
    /// The key that it was to get.
    Pending,
}

/// The keys of one release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// The card has this key.
    Known(KeyId),
    /// It has one of these, the first to be tried first.
    EitherOf(KeyId, KeyId),
}

/// A release: which keys to offer, which to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    /// The keys that may fit, in the order to try.
    pub offer: Offer,
    /// The key to set.
    pub next: KeyId,
}

impl KeyRing {
    /// The key to set next where there is none yet: the pending one is used again, so that there are never more than
    /// two.
    pub fn pending(&self) -> Option<KeyId> {
        match self.state {
            KeyRingState::Settled { .. } => None,
            KeyRingState::Unresolved { pending, .. } => Some(pending),
        }
    }

    /// Releases the keys; `fresh` is set where no key is pending.
    ///
    /// The counter of the unlock key cannot be read, and a card need not reset it on success. So after a release
    /// without outcome the key that was not offered first goes first now: tries are spread evenly.
    #[must_use]
    pub fn release(self, fresh: KeyId) -> (Self, Release) {
        let (state, release) = match self.state {
            KeyRingState::Settled { current } => (
                KeyRingState::Unresolved { current, pending: fresh, offered: Offered::Current },
                Release { offer: Offer::Known(current), next: fresh },
            ),
            KeyRingState::Unresolved { current, pending, offered: Offered::Current } => (
                KeyRingState::Unresolved { current, pending, offered: Offered::Pending },
                Release { offer: Offer::EitherOf(pending, current), next: pending },
            ),
            KeyRingState::Unresolved { current, pending, offered: Offered::Pending } => (
                KeyRingState::Unresolved { current, pending, offered: Offered::Current },
                Release { offer: Offer::EitherOf(current, pending), next: pending },
            ),
        };
        (Self { state, ..self }, release)
    }

    /// The card has taken this key. Promotes exactly that one, if it is still pending; otherwise changes nothing.
    #[must_use]
    pub fn complete(self, key: KeyId) -> Self {
        match self.state {
            KeyRingState::Unresolved { pending, .. } if pending == key => {
                Self { state: KeyRingState::Settled { current: key }, ..self }
            }
            KeyRingState::Settled { .. } | KeyRingState::Unresolved { .. } => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const A: KeyId = KeyId(Uuid::from_u128(1));
    const B: KeyId = KeyId(Uuid::from_u128(2));
    const C: KeyId = KeyId(Uuid::from_u128(3));

    fn settled() -> KeyRing {
        KeyRing { guid: Guid([1; 16]), state: KeyRingState::Settled { current: A }, version: 0 }
    }

    #[test]
    fn a_first_release_offers_the_known_key_and_sets_the_fresh_one() {
        let (_, release) = settled().release(B);
        assert_eq!(release, Release { offer: Offer::Known(A), next: B });
    }

    #[test]
    fn a_release_without_outcome_is_followed_by_one_that_offers_the_other_key_first() {
        let (ring, _) = settled().release(B);
        let (ring, second) = ring.release(C);
        assert_eq!(second, Release { offer: Offer::EitherOf(B, A), next: B });
        let (_, third) = ring.release(C);
        assert_eq!(third, Release { offer: Offer::EitherOf(A, B), next: B });
    }

    #[test]
    fn completion_promotes_the_pending_key_only() {
        let (ring, _) = settled().release(B);
        assert_eq!(ring.clone().complete(C), ring);
        assert_eq!(ring.complete(B).state, KeyRingState::Settled { current: B });
        assert_eq!(settled().complete(B), settled());
    }
}
