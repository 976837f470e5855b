//! Sealed messages: HPKE (RFC 9180) with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM.
//!
//! | message | mode | from | to | info | additional data |
//! | --- | --- | --- | --- | --- | --- |
//! | unlock keys | auth | the service key | the connection key of the `release` proof | [`UNLOCK_KEYS_INFO`] | the digest signed in that proof |
//! | issuing secrets | auth | the service key | the connection key of the officer's `ra-action` proof | `ISSUING_INFO` | the digest signed in that proof |
//! | passcode | base | the page | the connection key that the server confirmed | [`PASSCODE_INFO`] | the request's id and verb |

use serde::{Deserialize, Serialize};

use crate::bytes;

/// The HPKE info of sealed unlock keys.
pub const UNLOCK_KEYS_INFO: &[u8] = b"smartcard-service-centre/unlock-keys/v1";

/// The HPKE info of a sealed passcode.
pub const PASSCODE_INFO: &[u8] = b"smartcard-service-centre/passcode/v1";

/// A sealed message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// HPKE's encapsulated key: 32 bytes.
    #[serde(with = "bytes")]
    pub encapsulated_key: Vec<u8>,
    /// The ciphertext and its tag.
    #[serde(with = "bytes")]
    pub ciphertext: Vec<u8>,
}

#[cfg(any(feature = "seal", feature = "open"))]
pub use hpke_suite::*;

#[cfg(any(feature = "seal", feature = "open"))]
mod hpke_suite {
    use hpke::{Deserializable, Kem as _, Serializable, aead::AesGcm256, kdf::HkdfSha256, kem::X25519HkdfSha256};
    use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

    use super::Sealed;
    #[cfg(feature = "open")]
    use crate::passcode::Passcode;
    use crate::{Challenge, ConnectionKey, ServiceKey, UnlockKey};

    type Kem = X25519HkdfSha256;
    type PublicKey = <Kem as hpke::Kem>::PublicKey;
    type PrivateKey = <Kem as hpke::Kem>::PrivateKey;

    /// What the server seals at a release.
    pub struct UnlockKeys {
        /// The keys that may fit the card, in the order to try.
        pub candidates: Candidates,
        /// The key that the card shall have from now on.
        pub next: UnlockKey,
        /// What the card signs at the end: the completion challenge.
        pub completion: Challenge,
    }

    /// The keys that may fit the card: never more than two.
    pub enum Candidates {
        /// The server knows the key.
        One(UnlockKey),
        /// An earlier release has no outcome: it is one of the two, the first to be tried first.
        Two(UnlockKey, UnlockKey),
    }

    /// A message that could not be sealed or opened. It does not say why: that would help an attacker only.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum SealedError {
        /// The public key is not one.
        #[error("not a public key")]
        Key,
        /// The message was not sealed for this key, by that key, with this additional data; or it was changed.
        #[error("the message cannot be opened")]
        Message,
    }

    impl UnlockKeys {
        /// `number of candidates (1) || candidates (8 each) || next (8) || completion challenge (32)`.
        #[cfg(feature = "seal")]
        fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
            let mut bytes = Zeroizing::new(Vec::with_capacity(1 + 3 * 8 + 32));
            match &self.candidates {
                Candidates::One(key) => {
                    bytes.push(1);
                    bytes.extend(key.expose_secret());
                }
                Candidates::Two(first, second) => {
                    bytes.push(2);
                    bytes.extend(first.expose_secret());
                    bytes.extend(second.expose_secret());
                }
            }
            bytes.extend(self.next.expose_secret());
            bytes.extend(&self.completion.0);
            bytes
        }

        #[cfg(feature = "open")]
        fn from_bytes(bytes: &[u8]) -> Option<Self> {
            fn take<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8; 8]> {
                let (head, tail) = bytes.split_first_chunk()?;
                *bytes = tail;
                Some(head)
            }
            let (count, mut rest) = bytes.split_first()?;
            let candidates = match count {
                1 => Candidates::One(UnlockKey::new(*take(&mut rest)?)),
                2 => Candidates::Two(UnlockKey::new(*take(&mut rest)?), UnlockKey::new(*take(&mut rest)?)),
                _ => return None,
            };
            let next = UnlockKey::new(*take(&mut rest)?);
            let completion = Challenge(rest.try_into().ok()?);
            Some(Self { candidates, next, completion })
        }
    }

    /// The private half of a [`ServiceKey`]: 32 bytes (RFC 7748, 5).
    #[derive(Zeroize, ZeroizeOnDrop)]
    pub struct ServiceSecret([u8; 32]);

    /// The private half of a [`ConnectionKey`].
    #[derive(Zeroize, ZeroizeOnDrop)]
    pub struct ConnectionSecret([u8; 32]);

    fn public_half(secret: &[u8; 32]) -> [u8; 32] {
        Kem::sk_to_pk(&private_key(secret)).to_bytes().into()
    }

    fn private_key(secret: &[u8; 32]) -> PrivateKey {
        PrivateKey::from_bytes(secret).expect("32 bytes are an X25519 private key")
    }

    fn public_key(bytes: &[u8; 32]) -> Result<PublicKey, SealedError> {
        PublicKey::from_bytes(bytes).map_err(|_| SealedError::Key)
    }

    impl ServiceSecret {
        /// Takes the key's bytes.
        pub fn new(secret: [u8; 32]) -> Self {
            Self(secret)
        }

        /// The public half.
        pub fn public(&self) -> ServiceKey {
            ServiceKey(public_half(&self.0))
        }
    }

    #[cfg(feature = "seal")]
    impl ServiceSecret {
        /// Seals unlock keys to the connection whose key the card vouched for in a `release` proof.
        ///
        /// `proof_digest` is the digest that the card signed in that proof.
        ///
        /// # Errors
        ///
        /// [`SealedError::Key`] when the connection key is not a public key.
        pub fn seal_unlock_keys(
            &self,
            to: &ConnectionKey,
            proof_digest: &[u8],
            keys: &UnlockKeys,
        ) -> Result<Sealed, SealedError> {
            seal(&self.as_sender(), to, super::UNLOCK_KEYS_INFO, &keys.to_bytes(), proof_digest)
        }

        fn as_sender(&self) -> hpke::OpModeS<'_, Kem> {
            let sender = private_key(&self.0);
            hpke::OpModeS::Auth((sender.clone(), Kem::sk_to_pk(&sender)))
        }
    }

    #[cfg(all(feature = "seal", feature = "proof"))]
    impl ServiceSecret {
        /// Seals what a blank card is to get to the connection that the officer's card vouched for in the proof of the order.
        ///
        /// # Errors
        ///
        /// [`SealedError::Key`] when the connection key is not a public key.
        pub fn seal_issuing(
            &self,
            to: &ConnectionKey,
            proof_digest: &[u8],
            secrets: &crate::issuing::IssuingSecrets,
        ) -> Result<Sealed, SealedError> {
            seal(&self.as_sender(), to, crate::issuing::ISSUING_INFO, &secrets.to_bytes(), proof_digest)
        }
    }

    /// Seals a passcode to a connection key, as the page does.
    ///
    /// # Errors
    ///
    /// [`SealedError::Key`] when the connection key is not a public key.
    #[cfg(feature = "seal")]
    pub fn seal_passcode(
        to: &ConnectionKey,
        additional_data: &[u8],
        passcode: &crate::passcode::Passcode,
    ) -> Result<Sealed, SealedError> {
        let plaintext = passcode.expose_secret().as_bytes();
        seal(&hpke::OpModeS::Base, to, super::PASSCODE_INFO, plaintext, additional_data)
    }

    #[cfg(feature = "seal")]
    fn seal(
        mode: &hpke::OpModeS<Kem>,
        to: &ConnectionKey,
        info: &[u8],
        plaintext: &[u8],
        additional_data: &[u8],
    ) -> Result<Sealed, SealedError> {
        let to = public_key(&to.0)?;
        let (encapsulated_key, ciphertext) =
            hpke::single_shot_seal::<AesGcm256, HkdfSha256, Kem>(mode, &to, info, plaintext, additional_data)
                .map_err(|_| SealedError::Key)?;
        Ok(Sealed { encapsulated_key: encapsulated_key.to_bytes().to_vec(), ciphertext })
    }

    #[cfg(feature = "open")]
    impl ConnectionSecret {
        /// Makes the key of a new connection from the operating system's randomness.
        pub fn generate() -> Self {
            Self(Kem::gen_keypair().0.to_bytes().into())
        }

        /// Takes the key's bytes.
        pub fn new(secret: [u8; 32]) -> Self {
            Self(secret)
        }

        /// The public half.
        pub fn public(&self) -> ConnectionKey {
            ConnectionKey(public_half(&self.0))
        }

        /// Opens unlock keys that the holder of one service key sealed for one `release` proof.
        ///
        /// # Errors
        ///
        /// [`SealedError::Message`] unless it is exactly that.
        pub fn open_unlock_keys(
            &self,
            from: &ServiceKey,
            proof_digest: &[u8],
            sealed: &Sealed,
        ) -> Result<UnlockKeys, SealedError> {
            let mode = hpke::OpModeR::Auth(public_key(&from.0)?);
            let plaintext = self.open(&mode, super::UNLOCK_KEYS_INFO, proof_digest, sealed)?;
            UnlockKeys::from_bytes(&plaintext).ok_or(SealedError::Message)
        }

        /// Opens what the holder of one service key sealed for one order of an officer.
        ///
        /// # Errors
        ///
        /// [`SealedError::Message`] unless it is exactly that.
        #[cfg(feature = "proof")]
        pub fn open_issuing(
            &self,
            from: &ServiceKey,
            proof_digest: &[u8],
            sealed: &Sealed,
        ) -> Result<crate::issuing::IssuingSecrets, SealedError> {
            let mode = hpke::OpModeR::Auth(public_key(&from.0)?);
            let plaintext = self.open(&mode, crate::issuing::ISSUING_INFO, proof_digest, sealed)?;
            crate::issuing::IssuingSecrets::from_bytes(&plaintext).ok_or(SealedError::Message)
        }

        /// Opens a passcode that was sealed for one request.
        ///
        /// # Errors
        ///
        /// [`SealedError::Message`] unless it is exactly that, and a passcode.
        pub fn open_passcode(&self, additional_data: &[u8], sealed: &Sealed) -> Result<Passcode, SealedError> {
            let plaintext = self.open(&hpke::OpModeR::Base, super::PASSCODE_INFO, additional_data, sealed)?;
            let typed = std::str::from_utf8(&plaintext).map_err(|_| SealedError::Message)?;
            Passcode::parse(typed).map_err(|_| SealedError::Message)
        }

        fn open(
            &self,
            mode: &hpke::OpModeR<Kem>,
            info: &[u8],
            additional_data: &[u8],
            sealed: &Sealed,
        ) -> Result<Zeroizing<Vec<u8>>, SealedError> {
            let encapsulated_key = <Kem as hpke::Kem>::EncappedKey::from_bytes(&sealed.encapsulated_key)
                .map_err(|_| SealedError::Message)?;
            hpke::single_shot_open::<AesGcm256, HkdfSha256, Kem>(
                mode,
                &private_key(&self.0),
                &encapsulated_key,
                info,
                &sealed.ciphertext,
                additional_data,
            )
            .map(Zeroizing::new)
            .map_err(|_| SealedError::Message)
        }
    }

    #[cfg(all(test, feature = "seal", feature = "open"))]
    mod tests {
        use super::*;

        fn service() -> ServiceSecret {
            ServiceSecret::new([5; 32])
        }

        fn keys() -> UnlockKeys {
            UnlockKeys {
                candidates: Candidates::Two(UnlockKey::new([1; 8]), UnlockKey::new([2; 8])),
                next: UnlockKey::new([3; 8]),
                completion: Challenge([4; 32]),
            }
        }

        #[test]
        fn unlock_keys_are_opened_by_the_connection_they_were_sealed_for() {
            let connection = ConnectionSecret::generate();
            let sealed = service().seal_unlock_keys(&connection.public(), b"digest", &keys()).unwrap();
            let opened = connection.open_unlock_keys(&service().public(), b"digest", &sealed).unwrap();
            assert!(matches!(
                opened.candidates,
                Candidates::Two(first, second) if first == UnlockKey::new([1; 8]) && second == UnlockKey::new([2; 8])
            ));
            assert!(opened.next == UnlockKey::new([3; 8]));
            assert_eq!(opened.completion, Challenge([4; 32]));
        }

        #[test]
        fn unlock_keys_for_another_connection_proof_or_from_another_sender_stay_closed() {
            let connection = ConnectionSecret::generate();
            let sealed = service().seal_unlock_keys(&connection.public(), b"digest", &keys()).unwrap();
            let other = ConnectionSecret::generate();
            let stranger = ServiceSecret::new([6; 32]);
            assert!(other.open_unlock_keys(&service().public(), b"digest", &sealed).is_err());
            assert!(connection.open_unlock_keys(&service().public(), b"other", &sealed).is_err());
            assert!(connection.open_unlock_keys(&stranger.public(), b"digest", &sealed).is_err());
        }

        #[test]
        fn a_passcode_is_opened_for_its_own_request_only() {
            let connection = ConnectionSecret::generate();
            let passcode = Passcode::parse("824917").unwrap();
            let sealed = seal_passcode(&connection.public(), b"request", &passcode).unwrap();
            let opened = connection.open_passcode(b"request", &sealed).unwrap();
            assert_eq!(opened.expose_secret(), "824917");
            assert!(connection.open_passcode(b"other", &sealed).is_err());
        }

        #[test]
        fn a_sealed_passcode_is_no_sealed_unlock_key() {
            let connection = ConnectionSecret::generate();
            let passcode = Passcode::parse("824917").unwrap();
            let sealed = seal_passcode(&connection.public(), b"digest", &passcode).unwrap();
            assert!(connection.open_unlock_keys(&service().public(), b"digest", &sealed).is_err());
        }

        #[test]
        fn junk_is_refused_and_does_not_panic() {
            let connection = ConnectionSecret::generate();
            for length in [0, 1, 31, 32, 33] {
                let sealed = Sealed { encapsulated_key: vec![0; length], ciphertext: vec![0; length] };
                assert!(connection.open_passcode(b"", &sealed).is_err());
            }
        }
    }
}
