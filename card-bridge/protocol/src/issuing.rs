//! What the server seals for a card that is to be issued.
//!
//! Sealed as unlock keys are (see [`sealed`](crate::sealed)), in auth mode from the service key, with [`ISSUING_INFO`]; the
//! additional data is the digest that the officer's card signed in the `ra-action` proof of the order, so that only the
//! connection that it vouched for opens it.
//!
//! ```text
//! GUID (16) || last day, YYYYMMDD (8) || algorithm (1) || which unlock key first (1)
//!   || transport unlock key (8) || unlock key (8) || management key (32) || completion challenge (32)
//!   || length of the holder's name (2) || the name, UTF-8 || transport management key (the rest: 16, 24 or 32)
//! ```
//!
//! The name is empty where no certificate requests are wanted.

#[cfg(feature = "seal")]
use zeroize::Zeroizing;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{Challenge, Guid, UnlockKey, proof::KeyAlgorithm};

/// The HPKE info of sealed issuing secrets.
pub const ISSUING_INFO: &[u8] = b"smartcard-service-centre/issuing/v1";

/// All that a blank card is to get, but the passcode.
pub struct IssuingSecrets {
    /// The card's identity.
    pub guid: Guid,
    /// The last day of its life, `YYYYMMDD` in ASCII.
    pub expires: [u8; 8],
    /// The kind of both its keys.
    pub algorithm: KeyAlgorithm,
    /// Which unlock key is tried first.
    pub first: FirstTried,
    /// The unlock key with which blank cards come.
    pub transport_unlock_key: UnlockKey,
    /// The unlock key that the card shall have.
    pub unlock_key: UnlockKey,
    /// The management key with which blank cards come.
    pub transport_management_key: CardManagementKey,
    /// The management key that the card shall have: 32 bytes, of which its algorithm takes as many as it needs.
    pub management_key: CardManagementKey,
    /// What the card signs at the end (purpose `prepared`). Where its certificates are loaded later, the SHA-256 of both, one
    /// after the other: the bridge writes no others.
    pub completion: Challenge,
    /// The name for its certificate requests; none where none are wanted.
    pub holder: Option<String>,
}

/// Which unlock key is tried first on a card that may have been cut on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstTried {
    /// The one with which the card came.
    Transport,
    /// The one that it shall have.
    Own,
}

/// A management key (9B) of a card.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct CardManagementKey(Vec<u8>);

impl CardManagementKey {
    /// Takes 16, 24 or 32 bytes; nothing for another number.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        matches!(bytes.len(), 16 | 24 | 32).then(|| Self(bytes.to_vec()))
    }

    /// The secret itself: for the vault, for sealing and for the card.
    pub fn expose_secret(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for CardManagementKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("CardManagementKey(hidden)")
    }
}

/// The algorithm references of SP 800-78-4, table 6-2.
const ALGORITHMS: [(KeyAlgorithm, u8); 3] =
    [(KeyAlgorithm::P256, 0x11), (KeyAlgorithm::P384, 0x14), (KeyAlgorithm::Rsa2048, 0x07)];
const FIRST: [(FirstTried, u8); 2] = [(FirstTried::Transport, 0), (FirstTried::Own, 1)];

impl IssuingSecrets {
    /// # Panics
    ///
    /// When the name is longer than 65,535 bytes, which no certificate takes.
    #[cfg(feature = "seal")]
    pub(crate) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let holder = self.holder.as_deref().unwrap_or_default();
        let length = u16::try_from(holder.len()).expect("a name is short");
        let algorithm = ALGORITHMS.iter().find(|(kind, _)| *kind == self.algorithm).map_or(0, |(_, byte)| *byte);
        let first = FIRST.iter().find(|(first, _)| *first == self.first).map_or(0, |(_, byte)| *byte);
        let mut bytes = Zeroizing::new(Vec::with_capacity(16 + 8 + 2 + 2 * 8 + 2 * 32 + 2 + holder.len() + 32));
        bytes.extend(&self.guid.0);
        bytes.extend(&self.expires);
        bytes.extend([algorithm, first]);
        bytes.extend(self.transport_unlock_key.expose_secret());
        bytes.extend(self.unlock_key.expose_secret());
        bytes.extend(self.management_key.expose_secret());
        bytes.extend(&self.completion.0);
        bytes.extend(length.to_be_bytes());
        bytes.extend(holder.as_bytes());
        bytes.extend(self.transport_management_key.expose_secret());
        bytes
    }

    #[cfg(feature = "open")]
    pub(crate) fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        fn take<'a, const N: usize>(bytes: &mut &'a [u8]) -> Option<&'a [u8; N]> {
            let (head, tail) = bytes.split_first_chunk()?;
            *bytes = tail;
            Some(head)
        }
        let (guid, expires) = (Guid(*take(&mut bytes)?), *take(&mut bytes)?);
        let [algorithm, first] = *take(&mut bytes)?;
        Some(Self {
            guid,
            expires,
            algorithm: ALGORITHMS.iter().find(|(_, byte)| *byte == algorithm)?.0,
            first: FIRST.iter().find(|(_, byte)| *byte == first)?.0,
            transport_unlock_key: UnlockKey::new(*take(&mut bytes)?),
            unlock_key: UnlockKey::new(*take(&mut bytes)?),
            management_key: CardManagementKey::new(take::<32>(&mut bytes)?)?,
            completion: Challenge(*take(&mut bytes)?),
            holder: {
                let length = u16::from_be_bytes(*take(&mut bytes)?);
                let (holder, rest) = bytes.split_at_checked(length.into())?;
                bytes = rest;
                Some(std::str::from_utf8(holder).ok()?.to_owned()).filter(|holder| !holder.is_empty())
            },
            transport_management_key: CardManagementKey::new(bytes)?,
        })
    }
}

#[cfg(all(test, feature = "seal", feature = "open"))]
mod tests {
    use super::*;
    use crate::sealed::{ConnectionSecret, ServiceSecret};

    #[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    fn secrets(transport: &[u8], holder: Option<&str>) -> IssuingSecrets {
        IssuingSecrets {
            guid: Guid([1; 16]),
            expires: *b"20311231",
            algorithm: KeyAlgorithm::Rsa2048,
            first: FirstTried::Own,
            transport_unlock_key: UnlockKey::new([2; 8]),
            unlock_key: UnlockKey::new([3; 8]),
            transport_management_key: CardManagementKey::new(transport).unwrap(),
            management_key: CardManagementKey::new(&[5; 32]).unwrap(),
            completion: Challenge([6; 32]),
            holder: holder.map(str::to_owned),
        }
    }

    #[test]
    fn issuing_secrets_are_opened_by_the_connection_that_the_officers_card_vouched_for() {
        let connection = ConnectionSecret::generate();
        let service = ServiceSecret::new([5; 32]);
        for (transport, holder) in [(&[4; 16][..], None), (&[4; 24], Some("Zoë O'Neill")), (&[4; 32], None)] {
            let sealed = service.seal_issuing(&connection.public(), b"digest", &secrets(transport, holder)).unwrap();
            let opened = connection.open_issuing(&service.public(), b"digest", &sealed).unwrap();
            assert_eq!((opened.guid, opened.expires), (Guid([1; 16]), *b"20311231"));
            assert_eq!((opened.algorithm, opened.first), (KeyAlgorithm::Rsa2048, FirstTried::Own));
            assert!(
                opened.transport_unlock_key == UnlockKey::new([2; 8]) && opened.unlock_key == UnlockKey::new([3; 8])
            );
            assert_eq!(opened.transport_management_key.expose_secret(), transport);
            assert_eq!(opened.management_key.expose_secret(), [5; 32]);
            assert_eq!((opened.completion, opened.holder.as_deref()), (Challenge([6; 32]), holder));

            assert!(connection.open_issuing(&service.public(), b"other", &sealed).is_err());
            assert!(connection.open_issuing(&ServiceSecret::new([6; 32]).public(), b"digest", &sealed).is_err());
            assert!(connection.open_unlock_keys(&service.public(), b"digest", &sealed).is_err());
        }
    }

    #[test]
    fn what_is_too_short_or_too_long_is_no_secret() {
        let bytes = secrets(&[4; 32], Some("Jane")).to_bytes();
        for length in 0..bytes.len() {
            let is_whole = matches!(bytes.len() - length, 0 | 8 | 16);
            assert_eq!(IssuingSecrets::from_bytes(&bytes[..length]).is_some(), is_whole, "{length}");
        }
        assert!(IssuingSecrets::from_bytes(&[&bytes[..], &[0]].concat()).is_none());
    }
}
