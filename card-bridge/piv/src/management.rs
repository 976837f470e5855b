//! The management key (9B): whoever has it may write a card's keys and objects (SP 800-73-4 part 1, table 4b).

use std::fmt;

use aes::{Aes128, Aes192, Aes256};
use des::{
    TdesEde3,
    cipher::{Block, BlockCipherEncrypt, KeyInit},
};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The management key that cards leave the factory with, whatever algorithm of 24 bytes it is for (Yubico SDK manual, PIV
/// application, «Management key»; the same on cards of other makers).
pub const FACTORY_MANAGEMENT_KEY: [u8; 24] = [
    0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x01, 0x02, 0x03,
    0x04, 0x05, 0x06, 0x07, 0x08,
];

/// What the management key of a card is for (SP 800-78-4, table 6-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ManagementAlgorithm {
    /// Triple DES with three keys.
    TripleDes,
    /// AES of 128 bits.
    Aes128,
    /// AES of 192 bits.
    Aes192,
    /// AES of 256 bits.
    Aes256,
}

impl ManagementAlgorithm {
    /// All, those first that cards leave the factory with.
    pub const ALL: [Self; 4] = [Self::TripleDes, Self::Aes192, Self::Aes256, Self::Aes128];

    /// Its algorithm reference.
    pub fn reference(self) -> u8 {
        match self {
            Self::TripleDes => 0x03,
            Self::Aes128 => 0x08,
            Self::Aes192 => 0x0A,
            Self::Aes256 => 0x0C,
        }
    }

    /// Length of its keys, in bytes.
    pub fn key_length(self) -> usize {
        match self {
            Self::TripleDes | Self::Aes192 => 24,
            Self::Aes128 => 16,
            Self::Aes256 => 32,
        }
    }
}

/// A management key: its algorithm is the card's, so it is known by the card only.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct ManagementKey(Vec<u8>);

impl ManagementKey {
    /// Takes a key's bytes. One of 32 can be for any algorithm: the card gets as many of them as that takes.
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// Whether it is the one that cards leave the factory with.
    pub fn is_factory(&self) -> bool {
        subtle::ConstantTimeEq::ct_eq(&self.0[..], &FACTORY_MANAGEMENT_KEY[..]).into()
    }

    /// The key as an algorithm takes it; nothing where it is too short.
    pub(crate) fn bytes(&self, algorithm: ManagementAlgorithm) -> Option<&[u8]> {
        let is_whole = self.0.len() == 32 || self.0.len() == algorithm.key_length();
        self.0.get(..algorithm.key_length()).filter(|_| is_whole)
    }

    /// Encrypts a challenge of the card: one block. Nothing where key or block do not fit the algorithm.
    pub(crate) fn encrypt(&self, algorithm: ManagementAlgorithm, challenge: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        fn encrypt<C: KeyInit + BlockCipherEncrypt>(key: &[u8], challenge: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
            let mut block = Block::<C>::try_from(challenge).ok()?;
            C::new_from_slice(key).ok()?.encrypt_block(&mut block);
            Some(Zeroizing::new(block.to_vec()))
        }
        let key = self.bytes(algorithm)?;
        match algorithm {
            ManagementAlgorithm::TripleDes => encrypt::<TdesEde3>(key, challenge),
            ManagementAlgorithm::Aes128 => encrypt::<Aes128>(key, challenge),
            ManagementAlgorithm::Aes192 => encrypt::<Aes192>(key, challenge),
            ManagementAlgorithm::Aes256 => encrypt::<Aes256>(key, challenge),
        }
    }
}

impl fmt::Debug for ManagementKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ManagementKey(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use hex_literal::hex;

    use super::*;

    fn encrypted(algorithm: ManagementAlgorithm, key: &[u8], challenge: &[u8]) -> Option<Vec<u8>> {
        ManagementKey::new(key).encrypt(algorithm, challenge).map(|block| block.to_vec())
    }

    #[test]
    fn a_challenge_is_encrypted_as_the_standards_say() {
        let plain = hex!("00112233445566778899aabbccddeeff");
        // FIPS 197, C.1 to C.3.
        for (algorithm, key, cipher) in [
            (
                ManagementAlgorithm::Aes128,
                &hex!("000102030405060708090a0b0c0d0e0f")[..],
                hex!("69c4e0d86a7b0430d8cdb78070b4c55a"),
            ),
            (
                ManagementAlgorithm::Aes192,
                &hex!("000102030405060708090a0b0c0d0e0f1011121314151617"),
                hex!("dda97ca4864cdfe06eaf70a0ec0d7191"),
            ),
            (
                ManagementAlgorithm::Aes256,
                &hex!("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
                hex!("8ea2b7ca516745bfeafc49904b496089"),
            ),
        ] {
            assert_eq!(encrypted(algorithm, key, &plain).as_deref(), Some(&cipher[..]), "{algorithm:?}");
        }
        // SP 800-67, B.1: the first block.
        let key = hex!("0123456789abcdef23456789abcdef01456789abcdef0123");
        let cipher = encrypted(ManagementAlgorithm::TripleDes, &key, &hex!("5468652071756663"));
        assert_eq!(cipher.as_deref(), Some(&hex!("a826fd8ce53b855f")[..]));
    }

    #[test]
    fn a_key_of_another_length_fits_no_algorithm_and_one_of_32_bytes_fits_each() {
        assert_eq!(encrypted(ManagementAlgorithm::Aes256, &FACTORY_MANAGEMENT_KEY, &[0; 16]), None);
        assert_eq!(encrypted(ManagementAlgorithm::TripleDes, &FACTORY_MANAGEMENT_KEY, &[0; 16]), None);
        for algorithm in ManagementAlgorithm::ALL {
            assert_eq!(ManagementKey::new(&[7; 32]).bytes(algorithm).map(<[u8]>::len), Some(algorithm.key_length()));
        }
    }

    #[test]
    fn the_factory_key_is_recognised() {
        assert!(ManagementKey::new(&FACTORY_MANAGEMENT_KEY).is_factory());
        assert!(!ManagementKey::new(&[7; 24]).is_factory());
    }
}
