//! Challenges that authenticate themselves, so that nothing is stored before a card has answered.
//!
//! ```text
//! time (4, seconds) || random (12) || first 16 bytes of HMAC-SHA-256(challenge key,
//!     purpose (1) || length of binding (2) || binding || time || random)
//! ```

use card_protocol::{CHALLENGE_LIFE_SECONDS, Challenge, Guid, Purpose};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    Timestamp,
    change::Change,
    environment::CLOCKS_AGREE_WITHIN,
    ports::Randomness,
    token::{FlowId, SessionId, Token},
};

/// The key under which the servers recognise their own challenges: 32 bytes.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct ChallengeKey([u8; 32]);

/// What a challenge is bound to: it is worth nothing in another flow, session or browser.
#[derive(Clone, Copy)]
pub enum Binding<'a> {
    /// A browser before it has a session or a flow: the value of its nonce cookie.
    Browser(&'a Token),
    /// A session.
    Session(SessionId),
    /// A flow.
    Flow(FlowId),
    /// A card that is being issued.
    Issuance(Guid),
    /// What a person changes of their own.
    Change {
        /// The session.
        session: SessionId,
        /// What.
        change: Change,
    },
    /// An order of an officer: its session, and what stands for it.
    Order {
        /// The session.
        session: SessionId,
        /// The SHA-256 of the order.
        digest: [u8; 32],
    },
}

impl Binding<'_> {
    fn to_bytes(self) -> Vec<u8> {
        match self {
            Self::Browser(nonce) => [b"browser", &nonce.hash().0[..]].concat(),
            Self::Session(id) => [b"session", &id.0.as_bytes()[..]].concat(),
            Self::Flow(id) => [b"flow", &id.0.as_bytes()[..]].concat(),
            Self::Issuance(guid) => [b"issuance", &guid.0[..]].concat(),
            Self::Change { session, change } => [b"change", &session.0.as_bytes()[..], &[change as u8]].concat(),
            Self::Order { session, digest } => [b"order", &session.0.as_bytes()[..], &digest[..]].concat(),
        }
    }
}

/// Why a challenge does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeFault {
    /// It is not one of ours, or was made for another purpose, flow, session or browser.
    #[error("the challenge is not ours")]
    Foreign,
    /// It is older than two minutes, or from more than a minute later than now.
    #[error("the challenge has expired")]
    Expired,
}

impl ChallengeKey {
    /// Takes the key's bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Makes a challenge.
    pub fn issue(
        &self,
        purpose: Purpose,
        binding: Binding<'_>,
        now: Timestamp,
        randomness: &dyn Randomness,
    ) -> Challenge {
        let mut challenge = [0; 32];
        challenge[..4].copy_from_slice(&seconds(now).to_be_bytes());
        randomness.fill(&mut challenge[4..16]);
        let tag = self.tag(purpose, binding, &challenge[..16]);
        challenge[16..].copy_from_slice(&tag);
        Challenge(challenge)
    }

    /// Checks that a challenge was made here, for this purpose and binding, within the last two minutes; one from more
    /// than a minute later than now, before the clock was put back, is over too.
    ///
    /// # Errors
    ///
    /// [`ChallengeFault`].
    pub fn check(
        &self,
        challenge: &Challenge,
        purpose: Purpose,
        binding: Binding<'_>,
        now: Timestamp,
    ) -> Result<(), ChallengeFault> {
        let (head, tag) = challenge.0.split_at(16);
        if !bool::from(self.tag(purpose, binding, head).ct_eq(tag)) {
            return Err(ChallengeFault::Foreign);
        }
        let issued = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
        let is_old = u64::from(seconds(now).saturating_sub(issued)) > CHALLENGE_LIFE_SECONDS;
        if is_old || issued > seconds(now + CLOCKS_AGREE_WITHIN) {
            return Err(ChallengeFault::Expired);
        }
        Ok(())
    }

    fn tag(&self, purpose: Purpose, binding: Binding<'_>, head: &[u8]) -> [u8; 16] {
        let binding = binding.to_bytes();
        let length = u16::try_from(binding.len()).expect("a binding is short");
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(&[purpose as u8]);
        mac.update(&length.to_be_bytes());
        mac.update(&binding);
        mac.update(head);
        let mut tag = [0; 16];
        tag.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        tag
    }
}

fn seconds(now: Timestamp) -> u32 {
    u32::try_from(now.unix_timestamp()).unwrap_or(u32::MAX)
}
